"""Fixtures of whole workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.worker.working import Working
from tests.support.life import Life


@pytest.fixture
def work(life: Life, redis_url: str, tmp_path: Path) -> Iterator[Callable[..., Working]]:
    """Start workers on one folder of functions, with settings of their own."""
    folder = tmp_path / "functions"
    folder.mkdir()
    with ExitStack() as stack:  # which stops all of them, whatever one of them raises

        def make(**settings: object) -> Working:
            working = Working(life, redis_url, folder, **settings)
            working.start()
            stack.callback(working.stop)
            return working

        yield make
