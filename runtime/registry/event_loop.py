"""The event loop of a thread: runs what one call awaits, and ends what that call leaves in it.

The loop stays from call to call, so that clients bound to it do. Tasks and asynchronous
generators do not: they would go on in somebody else's call. What refuses to end is set aside
with its loop, which never runs again.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Generic, TypeVar

from runtime.errors import OutOfTimeError

ENDING_LIMIT_S = 1.0  # for what a call has left, to end when it is cancelled
T = TypeVar("T")
Generator = AsyncGenerator[Any, Any]
Tasks = set[asyncio.Task[Any]]
_mine = threading.local()
# Kept for good: were they collected, their `finally` blocks would run in somebody else's call.
_set_aside: list[object] = []


def run(coroutine: Coroutine[Any, Any, T], limit_s: float | None) -> T:
    """Run in this thread's loop, in a copy of this call's context; the loop would keep the first.

    Raises:
        OutOfTimeError: `limit_s` has passed.
    """
    holder = _holder_here()
    one = _Call(coroutine, limit_s)
    _mine.is_awaiting = True
    try:
        return holder.runner.run(one.run(), context=contextvars.copy_context())
    finally:
        _mine.is_awaiting = False
        if not one.is_over or one.has_left:
            del _mine.holder
            _give_up(holder.runner.get_loop(), is_tried=one.has_left)


def loop_here() -> asyncio.AbstractEventLoop:
    """Return this thread's loop, made if there is none; for whoever runs it otherwise than `run`.

    So clients that a file has bound to it serve its functions however they are run.
    """
    return _holder_here().runner.get_loop()


def _other_tasks() -> Tasks:
    """Return all tasks of this loop but the one that asks."""
    tasks = asyncio.all_tasks()
    me = asyncio.current_task()
    if me is not None:
        tasks.discard(me)
    return tasks


async def end_all(
    opened: list[weakref.ref[Generator]], find_tasks: Callable[[], Tasks] = _other_tasks
) -> bool:
    """End what a call has left, within `ENDING_LIMIT_S`; False when some of it refuses.

    Args:
        opened: The asynchronous generators that it has begun.
        find_tasks: Returns its tasks without the one that asks; by default all of this loop.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ENDING_LIMIT_S
    while True:
        tasks = find_tasks()
        closers = {loop.create_task(_end(generator)) for generator in _alive(opened)}
        if not tasks and not closers:
            return True
        for task in tasks:
            task.cancel()
        done, _ = await asyncio.wait(tasks | closers, timeout=deadline - loop.time())
        for task in done:
            _report(loop, task)
        if loop.time() >= deadline:
            return False


def is_awaiting() -> bool:
    """Whether this thread is in `run`."""
    return getattr(_mine, "is_awaiting", False)


def has_set_aside() -> bool:
    """Whether something in this process has refused to end."""
    return bool(_set_aside)


class _Holder:
    """Closes its event loop when the thread that owns it ends."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        weakref.finalize(self, _close, self.runner.get_loop())


class _Call(Generic[T]):
    """A coroutine that ends when its time is up, whatever it makes of being cancelled."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], limit_s: float | None) -> None:
        self.is_over = False
        self.has_left = False
        self._coroutine = coroutine
        self._limit_s = limit_s
        self._opened: list[weakref.ref[Generator]] = []

    async def run(self) -> T:
        self._watch_generators()
        limit = asyncio.timeout(self._limit_s)
        try:
            async with limit:
                return await self._coroutine
        finally:
            self.has_left = not await end_all(self._opened)
            self.is_over = True
            if limit.expired():
                raise OutOfTimeError(f"ran longer than {self._limit_s:g} s")

    def _watch_generators(self) -> None:
        """Note which generators are begun; when the loop stops, it takes the hooks back."""
        pass_on = sys.get_asyncgen_hooks().firstiter

        def note(generator: Generator) -> None:
            self._opened.append(weakref.ref(generator))
            if pass_on is not None:
                pass_on(generator)

        sys.set_asyncgen_hooks(firstiter=note)


def _holder_here() -> _Holder:
    holder: _Holder | None = getattr(_mine, "holder", None)
    if holder is None or holder.runner.get_loop().is_closed():
        holder = _mine.holder = _Holder()
    return holder


def _alive(opened: list[weakref.ref[Generator]]) -> list[Generator]:
    found = [generator for one in opened if (generator := one()) is not None]
    opened.clear()
    return found


async def _end(generator: Generator) -> None:
    with contextlib.suppress(RuntimeError):  # a task runs it, and is cancelled as well
        await generator.aclose()


def _report(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    """Log an exception that nobody else will: now, while it is this call's log."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        text = "a task that the call left running failed when it was cancelled"
        loop.call_exception_handler({"message": text, "exception": error, "task": task})


def _give_up(loop: asyncio.AbstractEventLoop, *, is_tried: bool) -> None:
    """Let what is in a loop run to its end if it will, in bounded time; then forget the loop."""
    loop.set_exception_handler(lambda *_: None)
    tasks = asyncio.all_tasks(loop)
    if tasks and not is_tried:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(Exception, SystemExit, KeyboardInterrupt):
            loop.run_until_complete(asyncio.wait(tasks, timeout=ENDING_LIMIT_S))
    if left := asyncio.all_tasks(loop):
        _set_aside.append((loop, left))
    _close(loop)


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Give up its descriptors; threads of its executor that are busy are not waited for."""
    with contextlib.suppress(RuntimeError):
        loop.close()
