"""A town for every test of the wires."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conversation import Town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town() as town:
        yield town
