"""What was said is kept until it is acknowledged, and sent again under the same key."""

from __future__ import annotations

import asyncio

import pytest

from asynchat.chat.errors import BadMessage, Refused
from asynchat.client.connection import Answer
from asynchat.client.errors import Lost, NotAcknowledged
from asynchat.client.outbox import KEY_TAG, OTHERS, OURS, Outbox, Saying
from asynchat.wire.irc.message import Message


class Wire:
    """A connection of which a test sees what is asked, and answers it."""

    multiline = None

    def __init__(self, *, keeps_keys: bool = True) -> None:
        self.asked: list[tuple[Message, Answer]] = []
        self.keeps_keys = keeps_keys

    def ask(self, message: Message) -> Answer:
        answer: Answer = asyncio.get_running_loop().create_future()
        self.asked.append((message, answer))
        return answer

    @property
    def texts(self) -> list[str]:
        return [message.params[-1] for message, _ in self.asked]

    @property
    def keys(self) -> list[str]:
        return [message.tags[KEY_TAG] for message, _ in self.asked]

    def store(self, index: int, msgid: str) -> None:
        self.asked[index][1].set_result([Message("301", ["me", "bob", "away"]), Message("ACK", tags={"msgid": msgid})])

    def lose(self) -> None:
        for _, answer in self.asked:
            if not answer.done():
                answer.set_exception(Lost("gone"))


def send_all(outbox: Outbox, wire: Wire) -> None:
    outbox.send(wire)  # type: ignore[arg-type]


async def test_what_is_not_acknowledged_is_sent_again_in_order_under_its_key() -> None:
    outbox, first, second = Outbox(), Wire(), Wire()
    sayings = [outbox.add("#lobby", text)[0] for text in ("one", "two", "three")]
    send_all(outbox, first)
    first.store(1, "12")
    first.lose()
    outbox.lost(keeps_keys=True)
    outbox.add("#lobby", "four")
    send_all(outbox, second)
    assert second.texts == ["one", "three", "four"]
    assert second.keys[:2] == [first.keys[0], first.keys[2]]
    for index in range(3):
        second.store(index, str(index))
    assert (await sayings[1].stored).tags["msgid"] == "12"
    assert (await sayings[2].stored).tags["msgid"] == "1"
    assert len(outbox) == 0


async def test_keys_are_long_and_nobody_elses() -> None:
    one, other, wire = Outbox(), Outbox(), Wire()
    for outbox in (one, other):
        outbox.add("#lobby", "hello")
        outbox.add("#lobby", "hello\nall")
        send_all(outbox, wire)
    assert len(set(wire.keys)) == 6
    assert all(len(key) >= 34 for key in wire.keys)


@pytest.mark.parametrize(
    ("text", "keys"),
    [("one", ["mine"]), ("one\ntwo\n\nthree", ["mine/1", "mine/2", "mine/3"]), ("", [])],
)
async def test_a_key_that_is_given_is_numbered_if_there_are_several_lines(text: str, keys: list[str]) -> None:
    outbox, wire = Outbox(), Wire()
    outbox.add("#lobby", text, key="mine")
    send_all(outbox, wire)
    assert wire.keys == keys


async def test_without_keys_what_was_on_its_way_fails_and_what_was_not_waits() -> None:
    outbox, wire, again = Outbox(), Wire(), Wire()
    (flying,) = outbox.add("#lobby", "perhaps")
    send_all(outbox, wire)
    (waiting,) = outbox.add("#lobby", "surely")
    wire.lose()
    outbox.lost(keeps_keys=False)
    with pytest.raises(NotAcknowledged, match="perhaps"):
        await flying.stored
    send_all(outbox, again)
    assert again.texts == ["surely"]
    assert not waiting.stored.done()


async def test_what_is_refused_is_not_sent_again() -> None:
    outbox, wire = Outbox(), Wire()
    (saying,) = outbox.add("#lobby", "hello")
    send_all(outbox, wire)
    wire.asked[0][1].set_exception(Refused("404", "no"))
    outbox.lost(keeps_keys=True)
    with pytest.raises(Refused):
        await saying.stored
    assert len(outbox) == 0


async def test_at_the_end_everything_fails() -> None:
    outbox, wire = Outbox(), Wire()
    sayings: list[Saying] = outbox.add("#lobby", "one\ntwo")
    send_all(outbox, wire)
    sayings += outbox.add("#lobby", "three")
    outbox.fail(Lost("closed"))
    for saying in sayings:
        with pytest.raises(Lost):
            await saying.stored
    assert len(outbox) == 0


@pytest.mark.parametrize(("keeps_keys", "most"), [(True, OURS), (False, OTHERS)], ids=["ours", "another"])
async def test_few_are_on_their_way_at_once_and_the_others_have_their_turn_in_order(
    *, keeps_keys: bool, most: int
) -> None:
    wire = Wire(keeps_keys=keeps_keys)
    outbox = Outbox(lambda: send_all(outbox, wire))
    texts = [str(number) for number in range(1000)]
    sayings = outbox.add("#lobby", "\n".join(texts))
    send_all(outbox, wire)
    assert wire.texts == texts[:most]
    assert outbox.holds_back is sayings[0]
    wire.store(1, "2")
    await sayings[1].stored
    assert wire.texts == texts[: most + 1]
    for index, saying in enumerate(sayings):
        if index != 1:
            wire.store(index, "1")
            await saying.stored
            assert len(wire.asked) <= index + 2 + most
    assert wire.texts == texts
    assert outbox.holds_back is None


async def test_what_waits_for_its_turn_goes_over_the_next_connection_behind_what_was_on_its_way() -> None:
    first, second = Wire(), Wire()
    outbox = Outbox(lambda: send_all(outbox, second))
    texts = [str(number) for number in range(2 * OURS)]
    outbox.add("#lobby", "\n".join(texts))
    send_all(outbox, first)
    first.store(0, "1")
    first.lose()
    outbox.lost(keeps_keys=True)
    assert second.texts == []
    send_all(outbox, second)
    assert second.texts == texts[1 : OURS + 1]


async def test_what_cannot_be_written_is_not_kept() -> None:
    outbox = Outbox()
    with pytest.raises(BadMessage):
        outbox.add("two words", "hello")
    assert len(outbox) == 0


async def test_a_name_that_is_too_long_for_a_line_leaves_some_room_for_text() -> None:
    outbox = Outbox()
    (said,) = outbox.add("#" + "x" * 600, "hello")
    assert said.text == "hello"
    assert len(outbox.add("#" + "x" * 600, "日本" * 40, action=True)) > 1
