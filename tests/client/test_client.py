"""What a client does when its connection is lost, with servers that are scripted to the byte."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from asynchat.chat.errors import Refused
from asynchat.client.errors import Lost, NotAcknowledged, Unreachable
from asynchat.client.notices import Back, Reconnecting
from asynchat.client.patience import Patience
from asynchat.client.registration import Identity
from asynchat.client.show import talk
from asynchat.client.talker import Talker
from asynchat.client.url import Url
from asynchat.wire.irc.message import Message
from tests.client.clock import Clock
from tests.client.scripted import ALL, BEGAN, CUT, Answers, Scripted, batch, welcome

AT_ONCE = Patience(draw=lambda: 0.0, sleep=lambda _: asyncio.sleep(0))


@contextlib.asynccontextmanager
async def alice(*connections: Answers, **options: object) -> AsyncIterator[tuple[Talker, Scripted]]:
    async with Scripted(*connections) as server:
        url = Url("127.0.0.1", server.port)
        given = {"reconnect": True, "patience": AT_ONCE} | options
        async with Talker(url, Identity(name="alice"), **given) as client:  # type: ignore[arg-type]
            yield client, server


async def heard_until(client: Talker, text: str) -> list[object]:
    """Notices, and who said what, up to something that was said."""
    found: list[object] = []
    async for heard in client:
        if not isinstance(heard, Message):
            found.append(heard)
        elif (said := talk(heard)) is not None:
            found.append((heard.source.partition("!")[0], said[1]))
            if said[1] == text:
                return found
    raise AssertionError(found)


def line(number: int, text: str, *, by: str = "bob", to: str = "#lobby") -> str:
    return f"@time=2026-01-01T00:00:{number:02}.000Z;msgid={number} :{by}!u@h PRIVMSG {to} :{text}"


async def test_what_was_missed_comes_between_the_notice_and_the_present() -> None:
    first = welcome() | {"PRIVMSG": f"{line(11, 'one')}\n{CUT}"}
    again = welcome() | {
        "JOIN ": f"{welcome()['JOIN ']}\n{line(14, 'four')}",
        "CHATHISTORY AFTER #lobby msgid=10 2": batch("{label}", line(11, "one"), line(12, "two")),
        "CHATHISTORY AFTER #lobby msgid=12 2": batch("{label}", line(13, "three"), line(14, "four")),
        "PRIVMSG": f"@label={{label}} {line(15, 'hello', by='alice')[1:]}".replace(" time", ";time"),
    }
    async with alice(first, again) as (client, server):
        await client.join("#lobby")
        client.start_sending("#lobby", "hello")
        everything = await heard_until(client, "hello")
    talk_ = [("bob", "one"), Reconnecting(0.0), Back(3), ("bob", "two"), ("bob", "three"), ("bob", "four")]
    assert everything == [*talk_, ("alice", "hello")]
    keys = [each.split(" ")[0] for heard in server.heard for each in heard if " PRIVMSG " in each]
    assert len(keys) == 2
    key = {tag for tags in keys for tag in tags[1:].split(";") if tag.startswith("+asynchat/key=")}
    assert len(key) == 1
    assert len(key.pop().removeprefix("+asynchat/key=")) >= 34


async def test_a_cut_between_two_lines_of_one_message_loses_neither() -> None:
    rest = ":bob!u@h PRIVMSG #lobby :its {}"
    whole = [line(12, "its first"), rest.format("second"), rest.format("third")]
    first = welcome() | {"PRIVMSG": f"{line(11, 'before')}\n{whole[0]}\n{whole[1]}\n{whole[2][:-3]}{CUT}"}
    again = welcome() | {"CHATHISTORY AFTER #lobby msgid=11 2": batch("{label}", *whole, line(13, "next"))}
    async with alice(first, again) as (client, _):
        await client.join("#lobby")
        client.start_sending("#lobby", "hello")
        everything = await heard_until(client, "next")
    texts = [each[1] for each in everything if isinstance(each, tuple)]
    assert texts == ["before", "its first", "its second", "its third", "next"]


async def test_ones_own_line_whose_echo_was_lost_is_handed_on_as_its_echo() -> None:
    """It is not counted as missed, and bears no mark of the past: who typed it sees it already."""
    again = welcome() | {
        "PRIVMSG": "@label={label};msgid=11 :srv ACK",
        "CHATHISTORY AFTER #lobby msgid=10 2": batch(
            "{label}", line(11, "hello", by="alice"), line(12, "over the other device", by="alice")
        ),
    }
    async with alice(welcome() | {"PRIVMSG": CUT}, again) as (client, _):
        await client.join("#lobby")
        assert await client.send("#lobby", "hello") == ["11"]
        found: list[Message | Back | Reconnecting] = []
        async for heard in client:
            if isinstance(heard, Back) or (isinstance(heard, Message) and talk(heard)):
                found.append(heard)
                if len(found) == 3:
                    break
    assert found[0] == Back(1)
    assert ["batch" in heard.tags for heard in found[1:] if isinstance(heard, Message)] == [False, True]


async def test_private_talk_is_fetched_too_also_from_who_began_meanwhile() -> None:
    first = welcome() | {"PRIVMSG": f"{line(11, 'psst', to='alice')}\n{CUT}"}
    targets = [f":srv CHATHISTORY TARGETS {name} 2026-01-01T00:00:13.000Z" for name in ("#lobby", "bob")]
    more = [":srv CHATHISTORY TARGETS eve 2026-01-01T00:00:14.000Z"]
    again = welcome() | {
        "CHATHISTORY TARGETS timestamp=2026-01-01T00:00:01.000Z": batch("{label}", *targets),
        "CHATHISTORY TARGETS timestamp=2026-01-01T00:00:13.000Z": batch("{label}", *more),
        f"CHATHISTORY AFTER bob timestamp={BEGAN}": batch(
            "{label}", line(11, "psst", to="alice"), line(12, "are you there?", to="alice")
        ),
        f"CHATHISTORY AFTER eve timestamp={BEGAN}": batch("{label}", line(13, "hi from eve", by="eve", to="alice")),
    }
    async with alice(first, again) as (client, _):
        client.start_sending("bob", "hello")
        everything = await heard_until(client, "hi from eve")
    dms = [("bob", "are you there?"), ("eve", "hi from eve")]
    assert everything == [("bob", "psst"), Reconnecting(0.0), Back(2), *dms]


@pytest.mark.parametrize(
    ("caps", "software"),
    [
        pytest.param("", "ircd-2.11", id="no capabilities"),
        pytest.param("server-time batch", "ircd-2.11", id="no labels"),
        pytest.param(ALL, "ergo-2.13", id="labels, but no keys"),
    ],
)
async def test_with_other_servers_nothing_is_said_twice(caps: str, software: str) -> None:
    strange = welcome(caps=caps, software=software) | {"JOIN ": ":{nick}!u@h JOIN {first}"}
    async with alice(strange | {"PRIVMSG": CUT}, strange | {"PRIVMSG": ""}) as (client, server):
        (said,) = client.start_sending("#lobby", "perhaps")
        with pytest.raises(NotAcknowledged, match="perhaps"):
            await client.answer(said)
        client.start_sending("#lobby", "and on")
        while len(server.said("PRIVMSG")) < 2:
            assert isinstance(await anext(aiter(client)), Message | Reconnecting | Back)
            await asyncio.sleep(0)
    assert server.said("PRIVMSG") == ["PRIVMSG #lobby perhaps", "PRIVMSG #lobby :and on"]


async def test_without_history_nobody_can_tell_what_was_missed() -> None:
    poor = welcome(caps="message-tags labeled-response")
    async with alice(poor | {"PRIVMSG": CUT}, poor | {"PRIVMSG": f"@label={{label}} {line(9, 'x', by='alice')}"}) as (
        client,
        _,
    ):
        client.start_sending("bob", "hello")
        notices = [heard async for heard in until_back(client)]
    assert notices == [Reconnecting(0.0), Back(None)]


async def until_back(client: Talker) -> AsyncIterator[object]:
    async for heard in client:
        if not isinstance(heard, Message):
            yield heard
            if isinstance(heard, Back):
                return


async def test_a_room_whose_entering_was_cut_is_entered_over_the_next_connection() -> None:
    again = welcome() | {"CHATHISTORY BEFORE #lobby msgid=10 2": batch("{label}", line(9, "the past"))}
    async with alice(welcome() | {"JOIN ": CUT}, again) as (client, server):
        await client.join("#lobby")
        assert (await heard_until(client, "the past"))[-2:] == [Back(0), ("bob", "the past")]
    assert server.said("JOIN") == ["JOIN #lobby"] * 2


async def test_a_server_that_falls_silent_is_left_for_the_next_connection() -> None:
    silent = welcome() | {"PRIVMSG": "", "PING": ""}
    again = welcome() | {"PRIVMSG": "@label={label};msgid=11 :srv ACK"}
    async with alice(silent, again, timeout_s=0.5) as (client, server):
        assert await client.send("bob", "hello") == ["11"]
    assert len(server.heard) == 2


TAKEN = ":srv 433 * alice :in use"


async def test_the_name_that_its_dead_session_holds_is_asked_for_until_it_is_free() -> None:
    held = dict.fromkeys(("CAP END",), TAKEN)
    free = {"PING": welcome()["PING"], "CHATHISTORY ": welcome()["CHATHISTORY "], "JOIN ": welcome()["JOIN "]}

    class Later(dict[str, str]):
        """Free when it is asked for the fourth time."""

        asked = 0

        def __getitem__(self, said: str) -> str:
            if said == "NICK":
                self.asked += 1
                return "" if self.asked == 1 else welcome()["CAP END"] if self.asked == 4 else TAKEN
            return super().__getitem__(said)

    again = Later(welcome() | held | free | {"NICK": ""})
    async with alice(welcome() | {"PRIVMSG": CUT}, again) as (client, server):
        await client.join("#lobby")
        client.start_sending("#lobby", "hello")
        assert [heard async for heard in until_back(client)][-1] == Back(0)
        assert client.nick == "alice"
    assert server.said("NICK") == ["NICK alice"] * 5


async def test_a_name_that_is_not_given_back_is_done_without() -> None:
    again = welcome() | {"CAP END": TAKEN, "NICK alice": TAKEN, "NICK alice2": welcome()["CAP END"]}
    async with alice(welcome() | {"PRIVMSG": CUT}, again) as (client, server):
        client.start_sending("bob", "hello")
        assert [heard async for heard in until_back(client)][-1] == Back(0)
        assert client.nick == "alice2"
    assert len(server.said("NICK alice")) >= AT_ONCE.asks


async def test_at_first_another_name_is_taken_at_once() -> None:
    only = welcome() | {"CAP END": TAKEN, "NICK alice2": welcome()["CAP END"]}
    async with alice(only) as (client, server):
        assert client.nick == "alice2"
    assert server.said("NICK") == ["NICK alice", "NICK alice2"]


async def test_who_is_not_wanted_any_more_does_not_come_again() -> None:
    again = welcome() | {"CAP END": ":srv 464 * :wrong password"}
    async with alice(welcome() | {"PRIVMSG": CUT}, again) as (client, server):
        (said,) = client.start_sending("bob", "hello")
        with pytest.raises(Lost):
            await client.answer(said)
        assert [heard async for heard in until_back(client)] == [Reconnecting(0.0)]
        assert isinstance(client.ended_by, Refused)
        assert client.unsent == []
        with pytest.raises(Lost):
            await client.join("#lobby")
    assert len(server.heard) == 2


async def test_without_reconnect_the_end_is_the_end() -> None:
    async with alice(welcome() | {"PRIVMSG": f"ERROR :go away\n{CUT}"}, reconnect=False) as (client, server):
        (said,) = client.start_sending("bob", "hello")
        with pytest.raises(NotAcknowledged):
            await client.answer(said)
        assert [heard async for heard in until_back(client)] == []
        assert str(client.ended_by) == "go away"
        with pytest.raises(Lost):
            client.start_sending("bob", "hello?")
    assert len(server.heard) == 1
    assert "draft/chathistory" not in server.said("CAP REQ")[0]


async def test_a_room_that_was_left_is_not_entered_again() -> None:
    first = welcome() | {"PART": ":{nick}!u@h PART {last}", "PRIVMSG": CUT}
    async with alice(first, welcome() | {"PRIVMSG": ""}) as (client, server):
        await client.join("#lobby")
        await client.join("#dev", "sesame")
        client.write("PART", "#lobby")
        client.start_sending("#dev", "hello")
        assert [heard async for heard in until_back(client)][-1] == Back(0)
    assert server.said("JOIN")[2:] == ["JOIN #dev sesame"]


async def test_it_is_tried_for_a_while_until_the_server_is_up() -> None:
    async with Scripted(welcome()) as gone:
        port = gone.port
    pauses = 0

    async def sleep(_: float) -> None:
        nonlocal pauses
        pauses += 1
        if pauses == 3:
            await later.__aenter__()

    later = Late(port, welcome())
    url = Url("127.0.0.1", port)
    async with Talker(url, Identity(name="alice"), wait_s=20, patience=Patience(sleep=sleep)) as client:
        assert client.nick == "alice"
    await later.__aexit__()
    with pytest.raises(Unreachable):
        await Talker(url, Identity(name="alice"), wait_s=0).__aenter__()


class Late(Scripted):
    """One on a port that is known before."""

    def __init__(self, port: int, *connections: Answers) -> None:
        super().__init__(*connections)
        self.port = port

    async def __aenter__(self) -> Late:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        return self


async def test_who_hears_that_some_of_it_is_stored_waits_longer_for_the_rest() -> None:
    clock = Clock()
    async with alice(welcome() | {"PRIVMSG": ""}, reconnect=False, timeout_s=10.0) as (client, server):
        said = client.start_sending("bob", "one\ntwo\nthree")
        rest = asyncio.create_task(client.answer(said[-1]))
        for label, stored in enumerate(said[:2], 1):
            await clock.move(9)
            server.say(f"@label={label};msgid={label} :srv ACK")
            await client.answer(stored)
        await clock.move(9)
        assert not rest.done()
        await clock.move(2)
        with pytest.raises(NotAcknowledged, match="in time"):
            await rest


async def test_a_message_of_many_lines_may_take_its_time_for_each_hundred() -> None:
    clock = Clock()
    caps = f"{ALL} draft/multiline=max-bytes=65536,max-lines=1000"
    async with alice(welcome(caps=caps), reconnect=False, timeout_s=10.0) as (client, _):
        (said,) = client.start_sending("bob", "\n".join(["x"] * 300))
        answer = asyncio.create_task(client.answer(said))
        await clock.move(39)
        assert not answer.done()
        await clock.move(4)
        with pytest.raises(NotAcknowledged):
            await answer


async def test_a_long_text_is_said_bit_by_bit_and_drained_when_most_of_it_is_sent() -> None:
    acknowledged = welcome() | {"PRIVMSG": "@label={label};msgid=1 :srv ACK"}
    async with alice(acknowledged, reconnect=False) as (client, server):
        said = client.start_sending("bob", "\n".join(map(str, range(1000))))
        assert len(server.said("PRIVMSG")) < 1000
        await client.drained()
        for each in said:
            await client.answer(each)
    assert server.said("PRIVMSG") == [f"PRIVMSG bob {number}" for number in range(1000)]
