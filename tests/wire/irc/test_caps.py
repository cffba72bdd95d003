"""Capabilities: what is offered, asked for and taken back. (IRCv3 capability-negotiation)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchat.wire.irc import caps
from asynchat.wire.irc.message import BODY_LIMIT
from tests.conversation import Town, matches, words


@pytest.mark.parametrize(("line", "more"), [("CAP LS", ""), ("CAP LS 302", " *"), ("cap ls 307", " *")])
async def test_the_list_names_what_is_offered(town: Town, line: str, more: str) -> None:
    """On several lines, all but the last marked, for who knows that. (IRCv3 capability-negotiation, "CAP LS")"""
    client = town.connect("irc")
    await client.says(line)
    heard = client.hears()
    heads, lists = zip(*(answer.split(" :", 1) for answer in heard), strict=True)
    assert heads == (*[f":asynchat CAP * LS{more}"] * (len(heard) - 1), ":asynchat CAP * LS")
    assert [name.partition("=")[0] for listed in lists for name in listed.split()] == list(caps.OFFERED)
    assert all(len(each) <= BODY_LIMIT for each in heard) or not more


@pytest.mark.parametrize("version", ["\u00b2", "\u0663", "-1", "9" * 400, "x", ":", ":302 303"])
async def test_an_odd_version_is_no_version(town: Town, version: str) -> None:
    client = town.connect("irc")
    await client.says(f"CAP LS {version}", "NICK alice", "USER a 0 * :A", "CAP END")
    heard = words(client.hears())
    assert set(heard[: heard.index("001")]) == {"CAP"}


async def test_values_are_for_who_knows_version_302() -> None:
    async with Town(capabilities={"batch": "", "sasl": "PLAIN,EXTERNAL"}) as town:
        client = town.connect("irc")
        await client.says("CAP LS", "CAP LS 302", "CAP LS")
        assert client.hears() == [
            ":asynchat CAP * LS :batch sasl",
            *[":asynchat CAP * LS :batch sasl=PLAIN,EXTERNAL"] * 2,
        ]


@pytest.mark.parametrize(
    ("secure", "line", "shown"),
    [
        (False, "CAP LS 302", "batch sts=port=6697"),
        (True, "CAP LS 302", "batch sts=duration=2592000"),
        (False, "CAP LS", "batch"),
    ],
)
async def test_where_tls_is_and_for_how_long_is_shown_and_never_granted(secure: bool, line: str, shown: str) -> None:
    """IRCv3 sts: the port to who came without TLS, the duration to who came with it, and no request is granted."""
    async with Town(capabilities={"batch": ""}, tls_policy=caps.TlsPolicy(6697, 30 * 86400)) as town:
        client = town.connect("irc")
        client.secure = secure
        await client.says(line, "CAP REQ sts")
        assert client.hears() == [f":asynchat CAP * LS :{shown}", ":asynchat CAP * NAK :sts"]


async def test_who_wants_to_know_is_told_what_is_offered_no_more_and_what_is_new(town: Town) -> None:
    """IRCv3 cap-notify; whoever said `CAP LS 302` wants to know."""
    town.house.capabilities = {"cap-notify": "", "sasl": "PLAIN", "batch": "", "chghost": ""}
    notified, values, old = (town.connect("irc") for _ in range(3))
    await notified.says("CAP REQ :cap-notify batch")
    await values.says("CAP LS 302")
    await old.says("CAP LS", "CAP REQ batch")
    town.forget()
    before, town.house.capabilities = (
        town.house.capabilities,
        {"cap-notify": "", "sasl": "EXTERNAL", "chghost": "", "setname": ""},
    )
    for client in town.clients:
        client.session.refurnished(before)
    assert notified.hears() == [":asynchat CAP * DEL :batch", ":asynchat CAP * NEW :sasl setname"]
    assert values.hears() == [":asynchat CAP * DEL :batch", ":asynchat CAP * NEW :sasl=EXTERNAL setname"]
    await old.says("CAP LIST")
    assert old.hears() == [":asynchat CAP * LIST :"]
    for client in town.clients:
        client.session.refurnished(town.house.capabilities)
        assert client.hears() == []


@pytest.mark.parametrize(
    ("wanted", "answer", "enabled"),
    [
        ("batch", "ACK", "batch"),
        ("echo-message batch", "ACK", "batch echo-message"),
        ("batch nonsense", "NAK", ""),
        ("nonsense", "NAK", ""),
        ("Batch", "NAK", ""),
        ("batch -batch", "ACK", ""),
        ("-batch", "ACK", ""),
        ("batch ", "ACK", "batch"),
    ],
)
async def test_a_request_is_granted_whole_or_not_at_all(town: Town, wanted: str, answer: str, enabled: str) -> None:
    client = town.connect("irc")
    await client.says(f"CAP REQ :{wanted}", "CAP LIST")
    assert client.hears() == [f":asynchat CAP * {answer} :{wanted}", f":asynchat CAP * LIST :{enabled}"]


async def test_capabilities_may_change_at_any_time_and_the_next_line_obeys(town: Town) -> None:
    await town.irc("alice", "#lobby")
    await town.person("nat")
    town.forget()
    await town.plays("""
        nat>   one
        alice< :nat!~line@here PRIVMSG #lobby :one
        alice> CAP REQ server-time
        alice< :asynchat CAP alice ACK :server-time
        nat>   two
        alice< @time=2026-01-02T03:04:05.678Z :nat!~line@here PRIVMSG #lobby :two
        alice> CAP REQ :message-tags -server-time
        alice< @time=2026-01-02T03:04:05.678Z :asynchat CAP alice ACK :message-tags -server-time
        nat>   three
        alice< @msgid=… :nat!~line@here PRIVMSG #lobby :three
        alice> CAP REQ :-message-tags
        alice< :asynchat CAP alice ACK :-message-tags
        nat>   four
        alice< :nat!~line@here PRIVMSG #lobby :four
    """)


@pytest.mark.parametrize(
    ("capability", "line", "heard"),
    [
        ("", "PRIVMSG #lobby :hi", ":bob!~bob@here PRIVMSG #lobby :hi"),
        ("message-tags", "PRIVMSG #lobby :hi", "@msgid=… :bob!~bob@here PRIVMSG #lobby :hi"),
        ("server-time", "PART #lobby :bye", "@time=2026-01-02T03:04:05.678Z :bob!~bob@here PART #lobby :bye"),
        ("away-notify", "AWAY :tea", ":bob!~bob@here AWAY :tea"),
        ("", "AWAY :tea", None),
        ("message-tags", "@+typing=active TAGMSG #lobby", "@+typing=active :bob!~bob@here TAGMSG #lobby"),
        ("message-tags", "@+react=x TAGMSG #lobby", "@msgid=…;+react=x :bob!~bob@here TAGMSG #lobby"),
        ("", "@+typing=active TAGMSG #lobby", None),
        ("message-tags", "@+a=b;+c;d=e PRIVMSG #lobby x", "@msgid=…;+a=b;+c :bob!~bob@here PRIVMSG #lobby :x"),
        ("message-tags", r"@+a=\:\s\\ PRIVMSG #lobby x", r"@msgid=…;+a=\:\s\\ :bob!~bob@here PRIVMSG #lobby :x"),
        (
            "message-tags",
            "@+asynchat/key=0123456789abcdef PRIVMSG #lobby x",
            "@msgid=… :bob!~bob@here PRIVMSG #lobby :x",
        ),
    ],
)
async def test_a_listener_hears_what_its_capabilities_allow(
    town: Town, capability: str, line: str, heard: str | None
) -> None:
    await town.irc("alice", "#lobby", caps=capability)
    await town.irc("bob", "#lobby", caps="message-tags")
    town.forget()
    alice, bob = town.clients
    await bob.says(line)
    got = alice.hears()
    assert len(got) == (heard is not None)
    assert all(matches(each, heard or "") and "asynchat/key" not in each for each in got)


async def test_who_joins_is_told_of_with_account_and_name_if_wanted(town: Town) -> None:
    plain, rich = await town.irc("plain", "#lobby"), await town.irc("rich", "#lobby", caps="extended-join")
    town.forget()
    await town.irc("bob")
    await town.clients[2].says("JOIN #lobby")
    assert plain.hears() == [":bob!~bob@here JOIN #lobby"]
    assert rich.hears() == [":bob!~bob@here JOIN #lobby * :Bob"]


@pytest.mark.parametrize("tag", ["+\x1b[2J", "+", "+a b", "+ü", "+a\x07"])
async def test_a_tag_whose_name_is_none_is_not_handed_on(town: Town, tag: str) -> None:
    """IRCv3 message-tags, "Format": letters, digits, hyphens, a vendor and a slash."""
    alice = await town.irc("alice", "#lobby", caps="message-tags")
    bob = await town.irc("bob", "#lobby", caps="message-tags")
    alice.hears()
    await bob.says(f"@{tag}=v;+good=v PRIVMSG #lobby :x")
    heard = alice.hears()
    assert words(heard) in ([], ["PRIVMSG"])
    assert all(f"{tag}=v" not in line for line in heard)


@given(
    st.lists(st.sampled_from([*caps.OFFERED, *(f"-{name}" for name in caps.OFFERED), "x", "-x", "--batch"]), max_size=6)
)
def test_any_request_leaves_only_what_is_offered(wanted: list[str]) -> None:
    before = frozenset({caps.BATCH})
    after = caps.request(" ".join(wanted), before, dict.fromkeys(caps.OFFERED, ""))
    assert (after is None) is any(name.removeprefix("-") not in caps.OFFERED for name in wanted)
    assert after is None or after <= set(caps.OFFERED)
