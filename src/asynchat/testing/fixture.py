"""The pytest fixture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from asynchat.testing.thread import ThreadServer, thread_server


@pytest.fixture
def chat_server() -> Iterator[ThreadServer]:
    """A server on any port, in memory; its `url` is where clients connect to."""
    with thread_server() as server:
        yield server
