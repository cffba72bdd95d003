"""What waits to be taken: a message at a time, or all that came together."""

from __future__ import annotations

from asynchat.client.heard import Heard, size_of
from asynchat.client.notices import Back
from asynchat.wire.irc.message import Message

ONE, TWO, THREE, FOUR = (Message("PRIVMSG", ["#lobby", text]) for text in ("one", "two", "three", "four"))


async def test_messages_are_taken_one_by_one_or_together() -> None:
    heard = Heard()
    for item in ([ONE, TWO, THREE], Back(0), [FOUR]):
        heard.put(item)
    assert await heard.next() is ONE
    assert await heard.next_run() == [TWO, THREE]
    assert await heard.next_run() == Back(0)
    assert await heard.next() is FOUR
    heard.end()
    assert await heard.next() is None
    assert await heard.next_run() is None


async def test_as_long_as_one_message_of_several_is_not_taken_there_is_something() -> None:
    heard = Heard()
    heard.put([ONE, TWO])
    assert heard.size == size_of([ONE, TWO]) == size_of([ONE]) + size_of([TWO])
    await heard.next()
    assert heard.size
    await heard.next()
    assert not heard.size
