"""A town for the tests of the domain: a hub and its people, over a journal that keeps nothing waiting."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from asynchat.chat import snapshot
from asynchat.chat.errors import Refused, StorageError
from asynchat.chat.events import Event, Role
from asynchat.chat.hub import Hub, Limits
from asynchat.chat.rooms import Audience
from asynchat.chat.sessions import Session
from asynchat.chat.users import User


class FakePending:
    """An event on its way through a `FakeJournal`; `audience` is who heard it."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.done = False
        self.refused: Refused | None = None
        self.audience: Audience | None = None

    def __await__(self) -> Generator[Any, None, Event]:
        raise AssertionError("nothing waits in these tests")


class FakeJournal:
    """Applies what is put at once; while `held`, at the end of the block, as one batch. `stored` is the log."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.stored: list[Event] = []
        self.waiting: list[FakePending] = []
        self.holding = False
        self.fails: Callable[[Event], bool] = lambda event: False

    def put(self, event: Event, via: Session | None) -> FakePending:
        pending = FakePending(event)
        self.waiting.append(pending)
        if not self.holding:
            self.release()
        return pending

    async def breathe(self) -> None:
        raise AssertionError("the hub never waits")

    def release(self) -> None:
        batch, self.waiting = self.waiting, []
        for pending in batch:
            if pending.event.kept and self.fails(pending.event):
                pending.refused = StorageError()
                self.hub.withdraw(pending.event)
            else:
                if pending.event.kept:
                    self.stored.append(pending.event)
                pending.audience = self.hub.apply(pending.event)
            pending.done = True

    @contextmanager
    def held(self) -> Iterator[None]:
        self.holding = True
        yield
        self.holding = False
        self.release()

    @contextmanager
    def failing(self) -> Iterator[None]:
        self.fails = lambda event: True
        yield
        self.fails = lambda event: False


class House:
    """A hub, its journal, and a few words for what tests do all the time."""

    def __init__(self, **limits: int) -> None:
        self.now_ms = 1_000
        self.hub = Hub(lambda: self.now_ms, Limits(**limits))
        self.journal = self.hub.journal = FakeJournal(self.hub)

    def enter(self, nick: str) -> User:
        pending = self.hub.enter(nick, "ident", "host", f"{nick}'s name")
        return self.hub.state.people[pending.event.by.user]

    def room_of(self, name: str, *nicks: str) -> tuple[User, ...]:
        """People who have entered a room, the first as its operator."""
        people = tuple(self.enter(nick) for nick in nicks)
        for user in people:
            self.hub.join(user, name)
        return people

    def roles(self, name: str) -> dict[str, Role]:
        return {user.nick: member.roles for user, member in self.hub.room(name).members.items()}

    def restarted(self) -> House:
        """Another house with what a snapshot of this one brings back."""
        other = House()
        snapshot.load(json.loads(json.dumps(snapshot.dump(self.hub.state))), other.hub.state)
        other.hub.begin_after(10_000)
        return other


def refused(code: str) -> Any:
    return pytest.raises(Refused, check=lambda refusal: refusal.code == code)
