"""For the tests of programs that chat: a server in a thread, people who say and hear text, and a pytest fixture.

    from asynchat.testing import Person, thread_server

    def test_my_bot_greets():
        with thread_server() as server, Person(server.url, "alice") as alice:
            start_my_bot(server.url)
            alice.say("hello bot")
            assert alice.hear("hello") == ("bot", "hello alice")

With `pytest_plugins = ["asynchat.testing"]` in a conftest.py there is a fixture `chat_server`, a server for each test.
In a test that is a coroutine `async with asynchat.Server(port=0)` does without a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asynchat.testing.heard import Heard
from asynchat.testing.person import Person
from asynchat.testing.thread import ThreadServer, thread_server

if TYPE_CHECKING:
    from asynchat.testing.fixture import chat_server as chat_server

__all__ = ["Heard", "Person", "ThreadServer", "thread_server"]  # no fixture: `import *` must do without pytest


def __getattr__(name: str) -> object:
    """The fixture is made when pytest looks for it, so that other tests do not pay for pytest. (PEP 562)"""
    if name == "chat_server":
        from asynchat.testing.fixture import chat_server

        return chat_server
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "chat_server"]
