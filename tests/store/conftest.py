"""The engines, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asynchat.store import Log
from tests.store.author import ENGINES, Engine, opened


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return ENGINES[request.param]


@pytest.fixture
def surviving(engine: Engine) -> Engine:
    if not engine.survives:
        pytest.skip("nothing is left of it after its process")
    return engine


@pytest.fixture
async def log(engine: Engine, tmp_path: Path) -> AsyncIterator[Log]:
    async with opened(engine.make(tmp_path)) as log:
        yield log
