"""Accounts through the session: SASL, REGISTER, whose nick it is, and one user with several sessions."""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from hashlib import pbkdf2_hmac, sha256

import pytest

from tests.conversation import CLOSED, Client, Town, tags, words

PASSWORD = "sesame"


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town(accounts={"Alice": PASSWORD}, certificates={"ab" * 32: "Alice"}) as town:
        yield town


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode() or "+"


async def begins(town: Town, *lines: str) -> Client:
    """A client that has begun to come in and not ended its negotiation."""
    client = town.connect("irc")
    client.name = "new"
    await client.says("CAP LS 302", "CAP REQ :sasl batch standard-replies", "NICK alice", "USER a 0 * :A", *lines)
    client.hears()
    return client


async def ends(client: Client) -> list[str]:
    await client.says("CAP END")
    return client.hears()


# AUTHENTICATE. (IRCv3 sasl-3.2)


@pytest.mark.parametrize(
    ("said", "answers"),
    [
        pytest.param(f"\0Alice\0{PASSWORD}", ["900", "903"], id="right"),
        pytest.param(f"\0ALICE\0{PASSWORD}", ["900", "903"], id="another case"),
        pytest.param(f"alice\0Alice\0{PASSWORD}", ["900", "903"], id="as oneself"),
        pytest.param(f"bob\0Alice\0{PASSWORD}", ["904"], id="as somebody else"),
        pytest.param("\0Alice\0wrong", ["904"], id="a wrong password"),
        pytest.param(f"\0nobody\0{PASSWORD}", ["904"], id="no such account"),
        pytest.param("\0Alice", ["904"], id="too few fields"),
        pytest.param("", ["904"], id="nothing"),
    ],
)
async def test_plain_lets_in_who_knows_the_password(town: Town, said: str, answers: list[str]) -> None:
    client = await begins(town, "AUTHENTICATE PLAIN")
    await client.says(f"AUTHENTICATE {encoded(said)}")
    assert words(client.hears()) == answers
    assert ("001" in words(await ends(client))) is (answers[-1] == "903")


async def test_what_is_said_to_log_in_is_told_with_the_account_and_the_mask(town: Town) -> None:
    client = await begins(town)
    await client.says("AUTHENTICATE plain")
    assert client.hears() == ["AUTHENTICATE +"]
    await client.says(f"AUTHENTICATE {encoded(f'{chr(0)}alice{chr(0)}{PASSWORD}')}")
    assert client.hears() == [
        ":asynchat 900 alice alice!~a@here Alice :You are now logged in as Alice",
        ":asynchat 903 alice :SASL authentication successful",
    ]


@pytest.mark.parametrize(
    ("lines", "answers"),
    [
        (["AUTHENTICATE NOPE"], ["908", "904"]),
        (["AUTHENTICATE *"], ["906"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE *"], ["AUTHENTICATE", "906"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE !"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE :"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", f"AUTHENTICATE {'A' * 401}"], ["AUTHENTICATE", "905"]),
        (["AUTHENTICATE PLAIN", *[f"AUTHENTICATE {'A' * 400}"] * 6], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE PLAIN", "AUTHENTICATE PLAIN"], ["AUTHENTICATE", "904"]),
        (["AUTHENTICATE"], ["461"]),
        (["AUTHENTICATE EXTERNAL", "AUTHENTICATE +"], ["AUTHENTICATE", "904"]),
    ],
)
async def test_a_clumsy_login_is_answered_and_may_be_tried_again(
    town: Town, lines: list[str], answers: list[str]
) -> None:
    client = await begins(town)
    await client.says(*lines)
    assert words(client.hears()) == answers
    await client.says(*town.login("alice"))
    assert words(client.hears()) == ["AUTHENTICATE", "900", "903"]


async def test_scram_proves_both_ends(town: Town) -> None:
    """RFC 5802: the server's signature is right too."""
    client = await begins(town, "AUTHENTICATE SCRAM-SHA-256")
    bare = "n=alice,r=clientnonce"
    await client.says(f"AUTHENTICATE {encoded('n,,' + bare)}")
    first = b64decode(client.hears()[-1].partition(" ")[2]).decode()
    nonce, salt, rounds = (field[2:] for field in first.split(","))
    assert nonce.startswith("clientnonce")
    salted = pbkdf2_hmac("sha256", PASSWORD.encode(), b64decode(salt), int(rounds))
    unproven = f"c={encoded('n,,')},r={nonce}"
    signed = f"{bare},{first},{unproven}".encode()
    key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(sha256(key).digest(), signed, "sha256")
    proof = b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True))).decode()
    await client.says(f"AUTHENTICATE {encoded(f'{unproven},p={proof}')}")
    answer = b64decode(client.hears()[-1].partition(" ")[2])
    mine = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), signed, "sha256")
    assert answer == b"v=" + b64encode(mine)
    await client.says("AUTHENTICATE +")
    assert words(client.hears()) == ["900", "903"]
    assert "001" in words(await ends(client))


async def test_a_certificate_logs_in_without_a_password(town: Town) -> None:
    client = await begins(town)
    client.certificate = "ab" * 32
    await client.says("AUTHENTICATE EXTERNAL", "AUTHENTICATE +")
    assert words(client.hears()) == ["AUTHENTICATE", "900", "903"]


async def test_the_end_of_negotiation_ends_a_login_that_is_under_way(town: Town) -> None:
    """IRCv3 sasl-3.1: "the server SHOULD abort it and send a 906 numeric, then register the client"."""
    client = await begins(town, "NICK bob", "AUTHENTICATE PLAIN")
    heard = words(await ends(client))
    assert heard[:2] == ["906", "001"]
    await client.says("AUTHENTICATE PLAIN")
    assert client.hears() == ["AUTHENTICATE +"]


async def test_logging_in_later_is_told_to_the_others_who_want_to_know(town: Town) -> None:
    bob = await town.irc("bob", "#a", caps="account-notify account-tag extended-join")
    plain, eve = await town.irc("plain", "#a"), await town.irc("eve", "#a")
    town.forget()
    await eve.says(*town.login("Alice"))
    assert words(bob.hears()) == ["ACCOUNT"]
    assert plain.hears() == []
    await eve.says("PRIVMSG #a :hi")
    assert tags(bob.hears()[0]) == {"account": "Alice"}
    assert plain.hears() == [":eve!~eve@here PRIVMSG #a :hi"]
    await plain.says("WHOIS eve")
    assert ":asynchat 330 plain eve Alice :is logged in as" in plain.hears()


# Whose nick it is.


@pytest.mark.parametrize("nick", ["alice", "ALICE"])
async def test_the_nick_of_an_account_is_for_who_is_logged_in_to_it(town: Town, nick: str) -> None:
    client = await begins(town, f"NICK {nick}")
    heard = await ends(client)
    assert words(heard) == ["433"]
    assert not town.hub.state.users
    await client.says("NICK bob")
    assert "001" in words(client.hears())


async def test_nobody_takes_the_nick_of_an_account_later_either(town: Town) -> None:
    bob = await town.irc("bob")
    await bob.says("NICK alice")
    assert words(bob.hears()) == ["433"]
    await bob.says(*town.login("Alice"), "NICK alice")
    assert words(bob.hears())[-1] == "NICK"


async def test_a_server_for_members_only_lets_nobody_else_in() -> None:
    async with Town(accounts={"Alice": PASSWORD}, accounts_required=True) as town:
        client = await begins(town, "NICK bob")
        heard = await ends(client)
        assert heard[0].startswith(":asynchat FAIL * ACCOUNT_REQUIRED :")
        assert heard[-1] == CLOSED
        alice = await town.irc("alice", account="Alice")
        assert alice.session.user is not None


# REGISTER. (IRCv3 account-registration)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("REGISTER * * pass", "REGISTER SUCCESS bob :"),
        ("REGISTER bob * pass", "REGISTER SUCCESS bob :"),
        ("REGISTER BOB b@example.org :two words", "REGISTER SUCCESS BOB :"),
        ("REGISTER eve * pass", "FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK eve :"),
        ("REGISTER alice * pass", "FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK alice :"),
        ("REGISTER * * :", "FAIL REGISTER WEAK_PASSWORD bob :"),
        ("REGISTER * *", "461 bob REGISTER :"),
        ("VERIFY bob 123", "FAIL VERIFY INVALID_CODE bob :"),
    ],
)
async def test_an_account_is_made_for_the_nick_one_has(town: Town, line: str, code: str) -> None:
    bob = await town.irc("bob")
    await bob.says(line)
    heard = bob.hears()
    assert heard[0].startswith(f":asynchat {code}")
    assert words(heard[1:]) == (["900"] if "SUCCESS" in code else [])
    await bob.says("REGISTER * * pass")
    assert ("ALREADY_AUTHENTICATED" in bob.hears()[0]) is ("SUCCESS" in code)


@pytest.mark.parametrize("before", [False, True])
async def test_before_coming_in_an_account_is_made_if_that_is_allowed(before: bool) -> None:
    async with Town(accounts={"Alice": PASSWORD}, register_before=before) as town:
        client = await begins(town, "NICK bob")
        await client.says("REGISTER * * pass")
        heard = client.hears()
        assert words(heard) == (["REGISTER", "900"] if before else ["FAIL"])
        assert before or "COMPLETE_CONNECTION_REQUIRED" in heard[0]
        assert "001" in words(await ends(client))


async def test_nobody_makes_an_account_of_a_nick_that_somebody_else_bears() -> None:
    async with Town(accounts={}, register_before=True) as town:
        await town.irc("bob")
        client = await begins(town, "NICK bob")
        await client.says("REGISTER * * pass")
        assert client.hears()[0].startswith(":asynchat FAIL REGISTER ACCOUNT_EXISTS bob :")
        assert not town.logins.is_owned("bob")


@pytest.mark.parametrize("always_on", [False, True])
async def test_who_stays_while_away_is_one_account_for_good(always_on: bool) -> None:
    """Others may log in anew as somebody else: whoever comes as the first account is not let into their user."""
    async with Town(accounts={"Alice": PASSWORD, "Bob": PASSWORD}, always_on=always_on) as town:
        client = await begins(town, "AUTHENTICATE PLAIN", f"AUTHENTICATE {encoded(f'{chr(0)}alice{chr(0)}{PASSWORD}')}")
        await ends(client)
        await client.says("AUTHENTICATE PLAIN", f"AUTHENTICATE {encoded(f'{chr(0)}bob{chr(0)}{PASSWORD}')}")
        assert words(client.hears()) == (["AUTHENTICATE", "904"] if always_on else ["AUTHENTICATE", "900", "903"])
        assert client.session.user is not None
        assert client.session.user.source.account == ("Alice" if always_on else "Bob")
        other = await begins(town, "AUTHENTICATE PLAIN", f"AUTHENTICATE {encoded(f'{chr(0)}alice{chr(0)}{PASSWORD}')}")
        heard = words(await ends(other))
        assert ("433" in heard) is not always_on
        assert (other.session.user is client.session.user) is always_on
