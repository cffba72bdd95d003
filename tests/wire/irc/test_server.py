"""The server tells of itself: VERSION TIME INFO ADMIN LINKS STATS HELP USERHOST ISON LIST ISUPPORT."""

from __future__ import annotations

import pytest

from asynchat.wire.irc.commands import COMMANDS
from tests.conversation import Town, words


@pytest.mark.parametrize(
    ("line", "heard"),
    [
        ("VERSION", [":asynchat 351 alice asynchat-0 asynchat :", *["005"] * 3]),
        ("TIME", [":asynchat 391 alice asynchat :Friday, 02 January 2026 03:04:05 UTC"]),
        ("INFO", ["371", ":asynchat 374 alice :End of /INFO list"]),
        ("ADMIN", [":asynchat 256 alice asynchat :Administrative info", ":asynchat 257 alice :asynchat"]),
        ("LINKS", [":asynchat 364 alice asynchat asynchat :0 asynchat", ":asynchat 365 alice * :End of /LINKS list"]),
        ("STATS u", [":asynchat 242 alice :Server Up 0 days 0:00:00", ":asynchat 219 alice u :End of STATS report"]),
        ("STATS x", [":asynchat 219 alice x :End of STATS report"]),
        ("STATS", [":asynchat 219 alice * :End of STATS report"]),
        ("STATS :", [":asynchat 219 alice * :End of STATS report"]),
        ("MOTD", [":asynchat 422 alice :There is no MOTD"]),
        ("ISON bob ALICE zed", [":asynchat 303 alice :alice"]),
        ("ISON :zed alice", [":asynchat 303 alice :alice"]),
        ("ISON zed", [":asynchat 303 alice :"]),
        ("ISON", ["461"]),
        ("USERHOST alice zed", [":asynchat 302 alice :alice=+~alice@here"]),
        ("USERHOST zed", [":asynchat 302 alice :"]),
        ("USERHOST", ["461"]),
        ("HELP nonsense", [":asynchat 524 alice nonsense :Help not found"]),
        ("HELP :two words", [":asynchat 524 alice two_words :Help not found"]),
    ],
)
async def test_a_question_is_answered_so(town: Town, line: str, heard: list[str]) -> None:
    alice = await town.irc("alice")
    await alice.says(line)
    answers = alice.hears()
    assert len(answers) == len(heard)
    for answer, expected in zip(answers, heard, strict=True):
        assert answer == expected if expected.startswith(":") else words([answer]) == [expected]


@pytest.mark.parametrize("command", ["VERSION", "TIME", "INFO", "ADMIN", "MOTD"])
@pytest.mark.parametrize(
    ("server", "known"),
    [("asynchat", True), ("ASYNCHAT", True), ("alice", True), ("ALICE", True), ("elsewhere", False), ("#a", False)],
)
async def test_there_is_one_server_and_others_are_not_known(town: Town, command: str, server: str, known: bool) -> None:
    alice = await town.irc("alice")
    await alice.says(f"{command} {server}")
    heard = alice.hears()
    assert (heard == [f":asynchat 402 alice {server} :No such server"]) is not known


async def test_the_time_it_runs_is_told(town: Town) -> None:
    alice = await town.irc("alice")
    town.now += 2 * 86_400 + 3 * 3600 + 4 * 60 + 5
    await alice.says("STATS u")
    assert alice.hears()[0] == ":asynchat 242 alice :Server Up 2 days 3:04:05"


@pytest.mark.parametrize("name", sorted(COMMANDS))
async def test_there_is_help_on_every_command(town: Town, name: str) -> None:
    alice = await town.irc("alice")
    await alice.says(f"HELP {name.lower()}")
    start, *lines, end = alice.hears()
    assert words([start, end]) == ["704", "706"]
    assert start.partition(" :")[2].startswith(f"{name}: ")
    assert len(start.partition(": ")[2]) > 1
    assert all(words([line]) == ["705"] for line in lines)


async def test_help_on_nothing_is_on_everything(town: Town) -> None:
    alice = await town.irc("alice")
    await alice.says("HELP")
    heard = alice.hears()
    assert len(heard) == len(COMMANDS) + 1
    assert all(len(line) <= 510 for line in heard)


@pytest.mark.parametrize("question", ["ISON", "USERHOST"])
async def test_a_name_asked_for_very_often_is_answered_on_lines_that_fit(town: Town, question: str) -> None:
    nick = "n" * 32
    client = await town.irc(nick)
    await town.irc("a")
    town.forget()
    await client.says(f"{question} " + " ".join(["a"] * 240), f"{question} " + " ".join([nick] * 14))
    assert all(len(line) <= 510 for line in client.hears())


# 005. (Modern IRC, "Feature Advertisement"; IRCv3 extended-isupport)


async def tokens(town: Town, line: str) -> dict[str, str]:
    client = await town.irc("asker", caps="batch draft/extended-isupport")
    await client.says(line)
    words_ = [word for each in client.hears() if " 005 " in each for word in each.partition(" :are")[0].split(" ")]
    return {name: value for name, _, value in (word.partition("=") for word in words_) if name.isupper()}


async def test_what_is_supported_can_be_asked_for(town: Town) -> None:
    client = town.connect("irc")
    await client.says("CAP REQ :batch draft/extended-isupport", "ISUPPORT")
    heard = client.hears()[1:]
    assert heard[0] == ":asynchat BATCH +b2 draft/isupport"
    assert all(line.startswith("@batch=b2 :asynchat 005 * ") for line in heard[1:-1])
    assert heard[-1] == ":asynchat BATCH -b2"
    assert await tokens(town, "ISUPPORT") == await tokens_again(town)


async def tokens_again(town: Town) -> dict[str, str]:
    await town.clients[-1].says("QUIT")
    return await tokens(town, "VERSION")


async def test_what_is_promised_is_so(town: Town) -> None:
    promised = await tokens(town, "VERSION")
    asker = town.clients[-1]
    assert promised["CHATHISTORY"] == str(town.house.most_history)
    assert promised["BOT"] in "B"
    assert {"WHOX", "UTF8ONLY", "SAFELIST", "EXCEPTS", "INVEX"} <= promised.keys()
    targets = dict(each.split(":") for each in promised["TARGMAX"].split(","))
    many = ",".join(f"#{number}" for number in range(int(targets["PRIVMSG"]) + 5))
    await asker.says(f"PRIVMSG {many} :x")
    assert words(asker.hears()).count("403") == int(targets["PRIVMSG"])
    topic = "x" * int(promised["TOPICLEN"])
    await asker.says("JOIN #a", f"TOPIC #a :{topic}", f"TOPIC #a :{topic}y")
    assert asker.hears()[-1].endswith(f" :{topic}")
    for longest, line in (("NICKLEN", "NICK {}"), ("CHANNELLEN", "JOIN #{}")):
        size = int(promised[longest]) - line.count("#")
        await asker.says(line.format("x" * size), line.format("x" * (size + 1)))
        assert words(asker.hears())[-1] in ("432", "403", "479")


# LIST. (Modern IRC, "LIST message"; ELIST)


async def rooms(town: Town) -> None:
    """#big with three people, made first; #small with one and a topic, an hour later; two secret rooms."""
    await town.irc("alice", "#big")
    await town.irc("bob", "#big", "#hidden")
    await town.irc("eve", "#big")
    town.now += 3600
    await town.clients[0].says("JOIN #small", "TOPIC #small :Tea", "JOIN #own", "MODE #own +s")
    await town.clients[1].says("MODE #hidden +s", "PRIVMSG #hidden :x")
    for client in town.clients:
        client.session.heard_at = town.now
    town.now += 600
    town.forget()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", "#big #small #own"),
        ("*", "#big #small #own"),
        ("#b*", "#big"),
        ("#SMALL", "#small"),
        ("#small,#big", "#big #small"),
        ("#hidden", ""),
        ("#h*,#big", "#big"),
        ("!#b*", "#small #own"),
        ("!#b*,!#o*", "#small"),
        ("#*,!#b*", "#small #own"),
        (">1", "#big"),
        ("<2", "#small #own"),
        (">1,#s*", ""),
        (">0,<3", "#small #own"),
        ("C>60", "#big"),
        ("C<60", "#small #own"),
        ("c<60", "#small #own"),
        ("T<60", "#small"),
        ("T>5", "#small"),
        ("T<5", ""),
        (">99999999999999999999", ""),
        ("<99999999999999999999", "#big #small #own"),
        (">x", ""),
        (">\u00b2", ""),
        ("C>", ""),
        ("!", "#big #small #own"),
        (",,", "#big #small #own"),
        ("#a elsewhere", ""),
    ],
)
async def test_a_list_has_the_rooms_that_fit_and_may_be_known_of(town: Town, asked: str, found: str) -> None:
    await rooms(town)
    alice = town.clients[0]
    await alice.says(f"LIST {asked}".strip())
    start, *lines, end = alice.hears()
    assert words([start, end]) == ["321", "323"]
    assert [line.split(" ")[3] for line in lines] == found.split()


async def test_a_row_has_the_number_of_people_and_the_topic(town: Town) -> None:
    await rooms(town)
    eve = town.clients[2]
    await eve.says("LIST")
    assert eve.hears()[1:-1] == [":asynchat 322 eve #big 3 :", ":asynchat 322 eve #small 1 :Tea"]


async def test_the_name_of_the_network_is_one_token_whatever_is_in_it(town: Town) -> None:
    """Values of 005 have spaces, `=` and backslashes as \\xHH. (Modern IRC, "RPL_ISUPPORT")"""
    town.house.network = r"our lab \o= 100%"
    alice = await town.irc("alice")
    await alice.says("VERSION")
    assert any(r" NETWORK=our\x20lab\x20\x5Co\x3D\x20100% " in line for line in alice.hears())


async def test_counts_are_told_whatever_the_server_is_called(town: Town) -> None:
    alice, _ = await town.irc("alice"), await town.irc("bob")
    town.house.name = "100%d"
    await alice.says("LUSERS")
    heard = alice.hears()
    assert heard[0] == ":100%d 251 alice :There are 2 users and 0 invisible on 1 servers"
    assert heard[-1] == ":100%d 266 alice 2 2 :Current global users 2, max 2"
