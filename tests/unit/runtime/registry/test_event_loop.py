"""A thread's event loop serves its next call, whatever the call before has met."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from runtime.errors import OutOfTimeError
from runtime.registry import event_loop


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


def interrupt() -> None:
    raise KeyboardInterrupt


async def interrupted_at_its_end() -> None:
    """Return; before the loop learns that it may stop, something is raised in the loop itself."""
    asyncio.get_running_loop().call_soon(interrupt)


async def interrupted_while_it_waits() -> None:
    asyncio.get_running_loop().call_soon(interrupt)
    await asyncio.sleep(60)


async def cancelled_by_itself() -> None:
    raise asyncio.CancelledError


async def swallows_its_cancellation() -> None:
    with contextlib.suppress(BaseException):
        await asyncio.sleep(60)


@pytest.mark.parametrize("harm", [interrupted_at_its_end, interrupted_while_it_waits])
def test_a_call_after_one_that_was_interrupted_has_its_own_ending(harm):
    with pytest.raises(KeyboardInterrupt):
        event_loop.run(harm(), None)

    assert event_loop.run(answer(1), None) == 1


def test_what_an_interrupted_call_left_has_ended():
    left: list[asyncio.Task[None]] = []

    async def wait() -> None:
        await asyncio.sleep(60)

    async def harm() -> None:
        left.append(asyncio.current_task())
        left.append(asyncio.create_task(wait()))
        await interrupted_while_it_waits()

    with pytest.raises(KeyboardInterrupt):
        event_loop.run(harm(), None)

    assert [task.done() for task in left] == [True] * len(left)


def test_its_own_cancellation_is_what_a_call_has_raised():
    with pytest.raises(asyncio.CancelledError):
        event_loop.run(cancelled_by_itself(), None)

    assert event_loop.run(answer(2), None) == 2


def test_whoever_swallows_the_cancellation_is_out_of_time():
    with pytest.raises(OutOfTimeError, match=r"ran longer than 0.01 s"):
        event_loop.run(swallows_its_cancellation(), 0.01)

    assert event_loop.run(answer(3), 1) == 3
