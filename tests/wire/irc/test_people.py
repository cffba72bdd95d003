"""WHO WHOIS NICK LUSERS. (Modern IRC, "User-Based Queries")"""

from __future__ import annotations

import pytest

from tests.conversation import Town, words


async def three(town: Town) -> None:
    """alice, the operator of #a, and bob with voice in it; eve in no room."""
    await town.irc("alice", "#a", caps="multi-prefix")
    await town.irc("bob", "#a")
    await town.irc("eve")
    await town.clients[0].says("MODE #a +vv alice bob")
    town.forget()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("#a", ["#a ~alice here asynchat alice H@ :0 Alice", "#a ~bob here asynchat bob H+ :0 Bob"]),
        ("bob", ["#a ~bob here asynchat bob H+ :0 Bob"]),
        ("BOB", ["#a ~bob here asynchat bob H+ :0 Bob"]),
        ("e*", ["* ~eve here asynchat eve H :0 Eve"]),
        ("?ob", ["#a ~bob here asynchat bob H+ :0 Bob"]),
        ("zed", []),
        ("#z", []),
    ],
)
async def test_who_finds_people(town: Town, asked: str, found: list[str]) -> None:
    await three(town)
    eve = town.clients[2]
    await eve.says(f"WHO {asked}")
    end = f":asynchat 315 eve {asked} :End of WHO list"
    assert eve.hears() == [*(f":asynchat 352 eve {each}" for each in found), end]


async def test_who_shows_every_role_to_who_can_read_it_and_who_is_away(town: Town) -> None:
    await three(town)
    alice = town.clients[0]
    await alice.says("AWAY :tea", "WHO alice")
    assert alice.hears()[1] == ":asynchat 352 alice #a ~alice here asynchat alice G@+ :0 Alice"


async def test_whois_tells_what_is_known(town: Town) -> None:
    await three(town)
    alice, _, eve = town.clients
    await alice.says("AWAY :tea")
    await eve.says("WHOIS ALICE")
    assert eve.hears() == [
        ":asynchat 311 eve alice ~alice here * :Alice",
        ":asynchat 319 eve alice :@+#a",
        ":asynchat 312 eve alice asynchat :asynchat",
        ":asynchat 317 eve alice 0 1767323045 :seconds idle, signon time",
        ":asynchat 301 eve alice :tea",
        ":asynchat 318 eve alice :End of /WHOIS list",
    ]
    await eve.says("WHOIS asynchat eve", "WHOIS zed")
    assert words(eve.hears()) == ["311", "312", "338", "379", "317", "318", "401", "318"]


async def test_a_new_name_is_told_once_to_everybody_who_shares_a_room(town: Town) -> None:
    await three(town)
    await town.plays("""
        bob>   JOIN #b
        bob<   :bob!~bob@here JOIN #b
        bob<   :asynchat 353 bob = #b :@bob
        bob<   :asynchat 366 bob #b :End of /NAMES list
        alice> JOIN #b
        alice< :alice!~alice@here JOIN #b
        alice< :asynchat 353 alice = #b :@bob alice
        alice< :asynchat 366 alice #b :End of /NAMES list
        bob<   :alice!~alice@here JOIN #b
        alice> NICK al
        alice< :alice!~alice@here NICK al
        bob<   :alice!~alice@here NICK al
        alice> NICK al
        alice> NICK AL
        alice< :al!~alice@here NICK AL
        bob<   :al!~alice@here NICK AL
        eve>   NICK al
        eve<   :asynchat 433 eve al :Nickname is already in use
        eve>   NICK alice
        eve<   :eve!~eve@here NICK alice
        bob>   PRIVMSG alice :hi
        eve<   :bob!~bob@here PRIVMSG alice :hi
    """)


async def test_names_carry_masks_for_who_wants_them(town: Town) -> None:
    await three(town)
    eve = town.clients[2]
    await eve.says("CAP REQ :userhost-in-names multi-prefix", "NAMES #a", "NAMES #z", "NAMES")
    assert eve.hears()[1:] == [
        ":asynchat 353 eve = #a :@+alice!~alice@here +bob!~bob@here",
        ":asynchat 366 eve #a :End of /NAMES list",
        ":asynchat 366 eve #z :End of /NAMES list",
        ":asynchat 366 eve * :End of /NAMES list",
    ]


async def test_the_counts_are_right(town: Town) -> None:
    await three(town)
    alice, _, eve = town.clients
    await eve.ends()
    await alice.says("LUSERS")
    heard = alice.hears()
    assert ":asynchat 251 alice :There are 2 users and 0 invisible on 1 servers" in heard
    assert ":asynchat 254 alice 1 :channels formed" in heard
    assert ":asynchat 265 alice 2 3 :Current local users 2, max 3" in heard
