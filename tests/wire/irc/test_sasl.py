"""SASL: chunks, and mechanisms that fail in one way only."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Coroutine
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac, sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.chat.errors import Refused
from asynchat.wire.irc.sasl import CHUNK, MECHANISMS, MOST, ChunkReader, Done, Mechanism, Scram, encode_chunks

# RFC 7677, 3: an exchange of the user "user" with the password "pencil".
CLIENT_NONCE, SERVER_NONCE = "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
SALT = b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
SALTED = pbkdf2_hmac("sha256", b"pencil", SALT, 4096)
CLIENT_KEY = hmac.digest(SALTED, b"Client Key", "sha256")


@dataclass
class Credential:
    salt: bytes = SALT
    iterations: int = 4096
    stored_key: bytes = field(default=sha256(CLIENT_KEY).digest())
    server_key: bytes = field(default=hmac.digest(SALTED, b"Server Key", "sha256"))


class Logins:
    """One account, User, whose password is pencil, and what was asked about it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def check_password(self, name: str, password: str, *, address: str) -> str:
        self.asked.append(("password", name, password, address))
        return self._answer(name, password == "pencil")

    async def credential_for(self, name: str, *, address: str) -> Credential:
        self.asked.append(("credential", name, address))
        return Credential()

    async def judge(self, name: str, proven: bool, *, address: str) -> str:
        self.asked.append(("judge", name, proven, address))
        return self._answer(name, proven)

    async def by_certificate(self, fingerprint: str) -> str | None:
        self.asked.append(("certificate", fingerprint))
        return "User" if fingerprint == "ab" else None

    async def register(self, name: str, password: str, email: str | None) -> str:
        raise AssertionError("nobody registers by SASL")

    def _answer(self, name: str, right: bool) -> str:
        if name.lower() != "user" or not right:
            raise Refused("BAD_PASSWORD", "no")
        return "User"


def done[T](coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine that waits for nothing returns."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        answer: T = stop.value
        return answer
    raise AssertionError("it waits")


def begin(name: str, logins: Logins | None = None, fingerprint: str | None = None) -> Mechanism:
    mechanism = MECHANISMS[name](logins or Logins(), address="192.0.2.7", fingerprint=fingerprint)
    if isinstance(mechanism, Scram):
        mechanism.nonce = lambda: SERVER_NONCE  # type: ignore[misc]
    return mechanism


def code_of(mechanism: Mechanism, data: bytes) -> str:
    with pytest.raises(Refused) as refused:
        done(mechanism.step(data))
    return refused.value.code


# Chunks.


@pytest.mark.parametrize(
    ("length", "chunks"),
    [
        pytest.param(0, [1], id="nothing is a plus"),
        pytest.param(1, [4], id="one"),
        pytest.param(299, [400, 1], id="400 are followed by a plus"),
        pytest.param(300, [400, 1], id="400 without padding too"),
        pytest.param(301, [400, 4], id="404"),
        pytest.param(600, [400, 400, 1], id="800 are followed by a plus"),
    ],
)
def test_data_goes_out_in_chunks_of_400(length: int, chunks: list[int]) -> None:
    """IRCv3 sasl-3.1: "If the last chunk was exactly 400 bytes long, it must also be followed by `AUTHENTICATE +`" """
    encoded = encode_chunks(b"x" * length)
    assert [len(each) for each in encoded] == chunks
    assert chunks[-1] != 1 or encoded[-1] == "+"


@given(st.binary(max_size=MOST // 4 * 3))
def test_what_goes_out_in_chunks_comes_in_whole(data: bytes) -> None:
    reader = ChunkReader()
    for _ in range(2):  # it can be used again
        *first, last = encode_chunks(data)
        assert [reader.feed(each) for each in first] == [None] * len(first)
        assert reader.feed(last) == data


def answer_to(reader: ChunkReader, chunk: str) -> bytes | str | None:
    """What a chunk completes, or the code of what is wrong with it."""
    try:
        return reader.feed(chunk)
    except Refused as refused:
        return refused.code


@given(st.binary(max_size=MOST), st.lists(st.integers(1, CHUNK + 5) | st.just(CHUNK)))
def test_any_other_cut_is_data_or_refused_and_nothing_is_hoarded(data: bytes, cuts: list[int]) -> None:
    reader, text = ChunkReader(), b64encode(data).decode()
    pending = ""
    for length in cuts:
        chunk, text = text[:length], text[length:]
        answer = answer_to(reader, chunk)
        pending += "" if chunk == "+" else chunk  # a plus alone is no data, wherever it comes from
        if len(chunk) > CHUNK:
            assert answer == "SASL_TOO_LONG"
        elif len(pending) > MOST:
            assert answer == "SASL_FAILED"
        elif len(chunk) == CHUNK:
            assert answer is None
        else:
            assert answer == ("SASL_FAILED" if len(pending) % 4 else b64decode(pending))
        pending = pending if answer is None else ""
        assert reader._text == pending


@given(st.lists(st.text(max_size=CHUNK + 2) | st.sampled_from(["+", "*", "A" * CHUNK, "=" * CHUNK, "é" * CHUNK])))
def test_no_chunk_raises_anything_but_refused(chunks: list[str]) -> None:
    reader = ChunkReader()
    for chunk in chunks:
        answer = answer_to(reader, chunk)
        assert isinstance(answer, bytes) or answer in (None, "SASL_FAILED", "SASL_TOO_LONG", "SASL_ABORTED")
        assert len(reader._text) <= MOST


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        (["!!!"], "SASL_FAILED"),
        (["AAA"], "SASL_FAILED"),
        (["AAAA=AAA"], "SASL_FAILED"),
        (["AA==AAAA"], "SASL_FAILED"),
        (["AAAA AAA"], "SASL_FAILED"),
        (["é"], "SASL_FAILED"),
        (["A" * 399], "SASL_FAILED"),
        (["A" * 401], "SASL_TOO_LONG"),
        (["A" * 500], "SASL_TOO_LONG"),
        (["A" * 400, "A" * 404], "SASL_TOO_LONG"),
        (["*"], "SASL_ABORTED"),
        (["A" * 400, "*"], "SASL_ABORTED"),
        (["A" * 400] * 6, "SASL_FAILED"),
        ([*["A" * 400] * 5, "AAAA"], "SASL_FAILED"),
    ],
    ids=lambda value: value if isinstance(value, str) else "+".join(each[:9] + f"({len(each)})" for each in value),
)
def test_chunks_that_make_no_sense_are_refused_and_forgotten(chunks: list[str], code: str) -> None:
    reader = ChunkReader()
    *first, last = chunks
    assert [reader.feed(each) for each in first] == [None] * len(first)
    with pytest.raises(Refused) as refused:
        reader.feed(last)
    assert refused.value.code == code
    assert reader.feed("YQ==") == b"a"


def test_the_longest_password_and_two_names_fit() -> None:
    chunks = encode_chunks(b"\0".join([b"n" * 64, b"n" * 64, b"p" * 1024]))
    assert ChunkReader().feed("+") == b""
    reader = ChunkReader()
    assert reader.feed(chunks.pop(0)) is None
    assert [reader.feed(each) for each in chunks][-1] is not None


# PLAIN.


@pytest.mark.parametrize("authzid", ["", "user", "USER"])
def test_plain_logs_in_with_a_name_and_a_password(authzid: str) -> None:
    logins = Logins()
    assert done(begin("PLAIN", logins).step(f"{authzid}\0user\0pencil".encode())) == Done("User")
    assert logins.asked == [("password", "user", "pencil", "192.0.2.7")]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"user",
        b"user\0pencil",
        b"\0\0pencil",
        b"\0user\0",
        b"\0user\0pencil\0",
        b"other\0user\0pencil",
        b"\0user\0\xff",
        b"\xff\0user\0pencil",
    ],
)
def test_plain_asks_nobody_about_what_is_no_name_and_password(message: bytes) -> None:
    logins = Logins()
    assert code_of(begin("PLAIN", logins), message) == "SASL_FAILED"
    assert logins.asked == []


def test_plain_hands_on_what_logins_refuse() -> None:
    assert code_of(begin("PLAIN"), b"\0user\0pen") == "BAD_PASSWORD"


# EXTERNAL.


@pytest.mark.parametrize("authzid", [b"", b"user", b"USER"])
def test_external_logs_in_with_a_certificate(authzid: bytes) -> None:
    assert done(begin("EXTERNAL", fingerprint="ab").step(authzid)) == Done("User")


@pytest.mark.parametrize(
    ("fingerprint", "authzid"),
    [
        pytest.param(None, b"", id="no certificate"),
        pytest.param("cd", b"", id="nobody's certificate"),
        pytest.param("ab", b"other", id="as somebody else"),
        pytest.param("ab", b"\xff", id="no UTF-8"),
    ],
)
def test_external_is_refused(fingerprint: str | None, authzid: bytes) -> None:
    logins = Logins()
    assert code_of(begin("EXTERNAL", logins, fingerprint), authzid) == "SASL_FAILED"
    assert ("certificate", None) not in logins.asked


# SCRAM-SHA-256.


def test_the_exchange_of_rfc_7677() -> None:
    logins = Logins()
    scram = begin("SCRAM-SHA-256", logins)
    assert done(scram.step(CLIENT_FIRST)) == SERVER_FIRST
    assert done(scram.step(CLIENT_FINAL)) == SERVER_FINAL
    assert done(scram.step(b"")) == Done("User")
    assert logins.asked == [("credential", "user", "192.0.2.7"), ("judge", "user", True, "192.0.2.7")]


def client_final(
    first: bytes, server_first: bytes, header: bytes, password: str = "pencil", extra: bytes = b""
) -> bytes:
    """What a client says second; `extra` are extensions with a comma before them."""
    salted = pbkdf2_hmac("sha256", password.encode(), SALT, 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    nonces = server_first.split(b",")[0]
    unproven = b"c=" + b64encode(header) + b"," + nonces + extra
    signed = first.removeprefix(header) + b"," + server_first + b"," + unproven
    signature = hmac.digest(sha256(client_key).digest(), signed, "sha256")
    return unproven + b",p=" + b64encode(bytes(one ^ other for one, other in zip(client_key, signature, strict=True)))


@pytest.mark.parametrize(
    ("header", "bare", "extra"),
    [
        pytest.param(b"y,,", b"n=user,r=abc", b"", id="a client that could bind"),
        pytest.param(b"n,a=user,", b"n=user,r=abc", b"", id="as oneself"),
        pytest.param(b"n,a=USER,", b"n=User,r=abc", b"", id="in any case"),
        pytest.param(b"n,,", b"n=user,r=abc,x=ext,y=1=2", b",z=more,p=trap", id="extensions are passed over"),
    ],
)
def test_what_other_clients_say(header: bytes, bare: bytes, extra: bytes) -> None:
    scram = begin("SCRAM-SHA-256")
    server_first = done(scram.step(header + bare))
    assert isinstance(server_first, bytes)
    final = done(scram.step(client_final(header + bare, server_first, header, extra=extra)))
    assert isinstance(final, bytes)
    assert final.startswith(b"v=")
    assert done(scram.step(b"")) == Done("User")


@pytest.mark.parametrize(
    ("escaped", "name"), [(b"a=2Cb", "a,b"), (b"a=3Db", "a=b"), (b"a=3D2Cb", "a=2Cb"), ("é".encode(), "é")]
)
def test_names_are_unescaped(escaped: bytes, name: str) -> None:
    """RFC 5802 5.1: "=2C" is a comma and "=3D" an equals sign."""
    logins = Logins()
    done(begin("SCRAM-SHA-256", logins).step(b"n,,n=" + escaped + b",r=abc"))
    assert logins.asked == [("credential", name, "192.0.2.7")]


def test_a_wrong_password_is_judged_so_that_it_counts() -> None:
    logins = Logins()
    scram = begin("SCRAM-SHA-256", logins)
    done(scram.step(CLIENT_FIRST))
    assert code_of(scram, client_final(CLIENT_FIRST, SERVER_FIRST, b"n,,", "pencils")) == "BAD_PASSWORD"
    assert logins.asked[-1] == ("judge", "user", False, "192.0.2.7")
    assert code_of(scram, b"") == "SASL_FAILED"


def test_our_half_of_the_nonce_is_new_each_time() -> None:
    halves = set()
    for _ in range(10):
        answer = done(Scram(Logins(), address="").step(CLIENT_FIRST))
        assert isinstance(answer, bytes)
        nonce = answer.split(b",")[0].removeprefix(b"r=" + CLIENT_NONCE.encode())
        assert len(nonce) >= 24
        halves.add(nonce)
    assert len(halves) == 10


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n",
        b"n,",
        b"n,,",
        b"n,,,",
        b"n,,n=user",
        b"n,,n=user,",
        b"n,,n=user,r=",
        b"n,,n=,r=abc",
        b"n,,r=abc,n=user",
        b"n,,m=must,n=user,r=abc",
        b"x,,n=user,r=abc",
        b"N,,n=user,r=abc",
        b",,n=user,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b"p=tls-exporter,,n=user,r=abc",
        b"n,user,n=user,r=abc",
        b"n,a=,n=user,r=abc",
        b"n,a=other,n=user,r=abc",
        b"n,x=user,n=user,r=abc",
        b"n,,x=user,r=abc",
        b"n,,n=user,x=abc",
        b"n,,n=us=er,r=abc",
        b"n,,n=us=2cer,r=abc",
        b"n,,n=us\0er,r=abc",
        b"n,,n=user,r=a c",
        b"n,,n=user,r=a\xc3\xa9c",
        b"n,,n=user,r=abc,",
        b"n,,n=user,r=abc,ext",
        b"n,,n=us\xffer,r=abc",
    ],
)
def test_a_first_message_that_is_none_asks_nobody(message: bytes) -> None:
    logins = Logins()
    scram = begin("SCRAM-SHA-256", logins)
    assert code_of(scram, message) == "SASL_FAILED"
    assert logins.asked == []
    assert code_of(scram, CLIENT_FIRST) == "SASL_FAILED"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"c=biws", b"c=eSws", id="another header"),  # y,,
        pytest.param(b"c=biws", b"c=biw", id="a header that is no Base64"),
        pytest.param(b"c=biws", b"d=biws", id="no header"),
        pytest.param(b"c=biws,", b"", id="nothing for a header"),
        pytest.param(b"k0,p", b"k1,p", id="another nonce"),
        pytest.param(b"r=rOpr", b"r=Opr", id="a shorter nonce"),
        pytest.param(b"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", b"", id="the client's half of the nonce only"),
        pytest.param(b"r=rO", b"s=rO", id="no nonce"),
        pytest.param(b",p=", b",q=", id="no proof"),
        pytest.param(b"VQ=", b"VQ", id="a proof that is no Base64"),
        pytest.param(b"dHzb", b"", id="a proof that is too short"),
        pytest.param(b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", b"p=", id="an empty proof"),
        pytest.param(b",p=", b",x,p=", id="an extension that is none"),
        pytest.param(b"biws", b"\xff", id="no UTF-8"),
    ],
)
def test_a_final_message_that_is_none_is_not_judged(old: bytes, new: bytes) -> None:
    logins = Logins()
    scram = begin("SCRAM-SHA-256", logins)
    done(scram.step(CLIENT_FIRST))
    assert old in CLIENT_FINAL
    assert code_of(scram, CLIENT_FINAL.replace(old, new)) == "SASL_FAILED"
    assert [each[0] for each in logins.asked] == ["credential"]
    assert code_of(scram, CLIENT_FINAL) == "SASL_FAILED"


def test_a_proof_is_worth_nothing_for_another_exchange() -> None:
    scram = MECHANISMS["SCRAM-SHA-256"](Logins(), address="")
    done(scram.step(CLIENT_FIRST))
    assert code_of(scram, CLIENT_FINAL) == "SASL_FAILED"


def test_a_client_must_acknowledge_with_nothing() -> None:
    """IRCv3 sasl-3.1: "clients MUST still send an empty response" """
    scram = begin("SCRAM-SHA-256")
    done(scram.step(CLIENT_FIRST))
    done(scram.step(CLIENT_FINAL))
    assert code_of(scram, b"something") == "SASL_FAILED"
    assert code_of(scram, b"") == "SASL_FAILED"


PIECES = [b"n", b"y", b"p", b",", b"=", b"a=", b"n=", b"r=", b"c=", b"s=", b"i=", b"m=", b"biws", b"user", b"=2C"]
WHOLES = [b"abc", b"\0", b"\xff", CLIENT_NONCE.encode(), SERVER_NONCE.encode(), CLIENT_FIRST, CLIENT_FINAL]
hostile = st.binary(max_size=60) | st.lists(st.sampled_from(PIECES + WHOLES), max_size=12).map(b"".join)


@st.composite
def altered(draw: st.DrawFn, message: bytes) -> bytes:
    """The right message, but for a few bytes."""
    begin_ = draw(st.integers(0, len(message)))
    return message[:begin_] + draw(hostile) + message[begin_ + draw(st.integers(0, 8)) :]


@given(
    st.sampled_from(sorted(MECHANISMS)),
    st.tuples(
        st.just(CLIENT_FIRST) | altered(CLIENT_FIRST) | hostile,
        st.just(CLIENT_FINAL) | altered(CLIENT_FINAL) | hostile,
        st.just(b"") | hostile,
        hostile,
    ),
)
def test_no_message_raises_anything_but_refused(name: str, messages: tuple[bytes, ...]) -> None:
    mechanism = begin(name, fingerprint="ab")
    for message in messages:
        code = ""
        try:
            answer = done(mechanism.step(message))
        except Refused as refused:
            code = refused.code
        assert code in ("SASL_FAILED", "BAD_PASSWORD") or isinstance(answer, Done | bytes)


@given(altered(CLIENT_FINAL))
def test_only_the_right_proof_logs_in(message: bytes) -> None:
    """But for bits that Base64 does not carry: its last character may be another."""
    scram = begin("SCRAM-SHA-256")
    done(scram.step(CLIENT_FIRST))
    try:
        done(scram.step(message))
    except Refused:
        return
    assert message[:-2] == CLIENT_FINAL[:-2]
