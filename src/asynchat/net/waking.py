"""Waking sessions: the timer wheel's turn for conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Container

from asynchat.net.conversation import Conversation
from asynchat.net.wheel import TICK_S, Wheel
from asynchat.wire.session import NEVER


class Waker:
    """Has the session of each of the `conversations` woken at its `wake_at`, never while it is at work."""

    def __init__(self, loop: asyncio.AbstractEventLoop, conversations: Container[Conversation]) -> None:
        self._conversations = conversations
        self._wheel: Wheel[Conversation] = Wheel(loop, self._due)

    def schedule(self, conversation: Conversation) -> None:
        """Have its session woken when it wants to be."""
        when = conversation.session.wake_at
        if when < NEVER and not conversation.session.closing:
            conversation.due = when
            self._wheel.put(conversation, when)

    def close(self) -> None:
        """Wake nobody any more."""
        self._wheel.close()

    def _due(self, conversation: Conversation, now: float) -> None:
        if conversation.due > now + TICK_S or conversation not in self._conversations:
            return  # it was put for a later time as well
        conversation.due = NEVER
        if conversation.session.wake_at > now:
            self.schedule(conversation)
        elif not conversation.wake(now):
            conversation.due = now + 2 * TICK_S
            self._wheel.put(conversation, conversation.due)
