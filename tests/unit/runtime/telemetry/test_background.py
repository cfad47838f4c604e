"""Loops that shall live as long as their process, and crash."""

from __future__ import annotations

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from runtime.telemetry.background import CRASHES, lasting_task, lasting_thread
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def no_crashes_yet():
    CRASHES.take()
    yield
    CRASHES.take()


class Loop:
    """Crashes so often, then returns."""

    def __init__(self, crashes: int) -> None:
        self.left = crashes
        self.is_done = threading.Event()

    def run(self) -> None:
        if self.left:
            self.left -= 1
            raise RuntimeError(f"{self.left} left")
        self.is_done.set()

    async def run_as_task(self) -> None:
        self.run()


@pytest.mark.parametrize("crashes", [0, 1, 3])
def test_a_thread_that_crashes_is_begun_anew(crashes: int):
    loop = Loop(crashes)

    with capture_logs() as logs:
        thread = lasting_thread(loop.run, name="example", pause_s=0)
        thread.start()
        assert loop.is_done.wait(5)
        eventually(lambda: not thread.is_alive())

    assert CRASHES.take() == crashes
    assert [line["event"] for line in logs] == ["background_crashed"] * crashes


@pytest.mark.parametrize("crashes", [0, 1, 3])
def test_a_task_that_crashes_is_begun_anew(crashes: int):
    loop = Loop(crashes)

    async def scenario() -> None:
        await asyncio.wait_for(lasting_task(loop.run_as_task, name="example", pause_s=0), 5)

    with capture_logs() as logs:
        asyncio.run(scenario())

    assert CRASHES.take() == crashes
    assert [line["event"] for line in logs] == ["background_crashed"] * crashes


def test_a_task_that_is_cancelled_ends():
    async def scenario() -> None:
        task = lasting_task(lambda: asyncio.sleep(60), name="example")
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(scenario())

    assert CRASHES.take() == 0
