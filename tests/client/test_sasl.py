"""The client's half of logging in."""

from __future__ import annotations

import pytest

from asynchat.chat.errors import Refused
from asynchat.client.sasl import External, Plain, Scram, decode, encode

FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def exchange() -> Scram:
    """The client of RFC 7677, section 3, after it has proven that it knows the password."""
    client = Scram("user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    assert client.step(b"") == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert client.step(FIRST) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    return client


def test_the_exchange_of_the_rfc() -> None:
    assert exchange().step(FINAL) == b""


@pytest.mark.parametrize(
    "final", [b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", b"", b"v=", b"e=other-error", b"\xff"]
)
def test_a_server_that_does_not_know_the_password_is_not_believed(final: bytes) -> None:
    with pytest.raises(Refused, match="SASL_FAILED"):
        exchange().step(final)


@pytest.mark.parametrize(
    "first",
    [
        FIRST.replace(b"r=rOpr", b"r=xOpr"),
        b"r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        FIRST.replace(b"4096", b"99999999"),
        FIRST.replace(b"4096", b"0"),
        FIRST.replace(b"4096", b"many"),
        FIRST.replace(b"W22Z", b"****"),
        b"",
    ],
)
def test_what_breaks_the_rules_is_refused(first: bytes) -> None:
    client = Scram("user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    client.step(b"")
    with pytest.raises(Refused, match="SASL_FAILED"):
        client.step(first)


def test_a_name_with_a_comma_and_an_equals_sign_is_escaped() -> None:
    assert b"n=a=2Cb=3Dc," in Scram("a,b=c", "x").step(b"")


def test_plain_and_external() -> None:
    assert Plain("alice", "sécret").step(b"") == "alice\0alice\0sécret".encode()
    assert External("alice").step(b"") == b"alice"


@pytest.mark.parametrize(("size", "chunks"), [(0, ["+"]), (3, 1), (300, 2), (301, 2)])
def test_what_is_long_goes_in_pieces(size: int, chunks: int | list[str]) -> None:
    pieces = encode(b"x" * size)
    assert pieces == chunks if isinstance(chunks, list) else len(pieces) == chunks
    assert decode("".join(pieces).removesuffix("+") or "+") == b"x" * size
