"""Fixtures of whole workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.worker.working import Working
from tests.support.life import Life


@pytest.fixture
def work(life: Life, redis_url: str, tmp_path: Path) -> Iterator[Callable[..., Working]]:
    """Start workers on one folder of functions, with settings of their own."""
    folder = tmp_path / "functions"
    folder.mkdir()
    made: list[Working] = []

    def make(**settings: object) -> Working:
        made.append(Working(life, redis_url, folder, **settings))
        made[-1].start()
        return made[-1]

    yield make
    for working in made:
        working.stop()
