"""Fixtures of what runs on a worker's loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runtime.loop import Loop
from runtime.store.loop_connection import LoopConnection
from tests.integration.store.on_loop import Heard


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


@pytest.fixture
def on_loop(loop: Loop, redis_url: str) -> Iterator[LoopConnection]:
    made = LoopConnection(redis_url, loop)
    yield made
    made.close()


@pytest.fixture
def heard(loop: Loop) -> Heard:
    return Heard(loop)
