"""Messages for a program that takes them in a loop of its own."""

from __future__ import annotations

import asyncio
from collections import deque

from asynchat.client.incoming import Incoming


class Reading:
    """Hands on messages one by one. One is done with when the next one is asked for, or when all is over in order."""

    def __init__(self) -> None:
        self._offered: deque[tuple[Incoming, asyncio.Future[None]]] = deque()
        self._in_hand: asyncio.Future[None] | None = None
        self._some = asyncio.Event()
        self._ended = False
        self._declined = False

    def __aiter__(self) -> Reading:
        return self

    async def __anext__(self) -> Incoming:
        self.done()
        while not self._offered:
            if self._ended:
                raise StopAsyncIteration
            self._some.clear()
            await self._some.wait()
        message, self._in_hand = self._offered.popleft()
        return message

    async def offer(self, message: Incoming) -> None:
        """Hand on a message, and wait until it is done with."""
        if self._declined:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._offered.append((message, done))
        self._some.set()
        await done

    def done(self) -> None:
        """The message that was handed on last is done with."""
        if self._in_hand is not None and not self._in_hand.done():
            self._in_hand.set_result(None)
        self._in_hand = None

    def decline(self) -> None:
        """Nobody will ask: whatever comes is done with."""
        self._declined = True
        for _, done in self._offered:
            done.set_result(None)
        self._offered.clear()

    def end(self) -> None:
        """Hand on nothing more; what is not done with will not be."""
        self._ended = True
        for _, done in self._offered:
            done.cancel()
        self._offered.clear()
        if self._in_hand is not None:
            self._in_hand.cancel()
        self._some.set()
