"""One event loop for each thread, in which async functions are awaited.

The loop is kept between calls, so that clients bound to it stay usable. Tasks and asynchronous
generators that a call leaves running are cancelled and closed when it ends: otherwise they would
run during another call. If one of them does not end in time, its loop is set aside and never runs
again.
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

ENDING_LIMIT_S = 1.0  # how long tasks and generators may take to end when they are cancelled
T = TypeVar("T")
Generator = AsyncGenerator[Any, Any]
Tasks = set[asyncio.Task[Any]]
_mine = threading.local()
# Never removed: if these were garbage-collected, their `finally` blocks would run in another call.
_set_aside: list[object] = []


def run(coroutine: Coroutine[Any, Any, T], limit_s: float | None) -> T:
    """Run a coroutine in this thread's loop, and end everything that it leaves running.

    It runs in a copy of the caller's context; `asyncio.Runner` would use the context of its first
    run for all later ones.

    Raises:
        OutOfTimeError: `limit_s` has passed.
        BaseException: Whatever the coroutine raised.
    """
    holder = _holder_here()
    one = _Call(coroutine, limit_s)
    _mine.is_awaiting = True
    # A ThreadInterrupt may be raised at any point, also in asyncio's own code. Even if the call is
    # over by then, the loop may hold a request to stop, which would end the next call at once.
    is_whole = False
    try:
        holder.runner.run(one.run(), context=contextvars.copy_context())
        is_whole = True
    finally:
        _mine.is_awaiting = False
        if not is_whole or one.has_left:
            del _mine.holder
            _give_up(holder.runner.get_loop(), is_tried=one.has_left)
    return one.result()


def loop_here() -> asyncio.AbstractEventLoop:
    """Return this thread's loop, made if there is none, for callers that run it without `run`.

    All use the same loop, so clients that a function file has bound to it work for all of them.
    """
    return _holder_here().runner.get_loop()


def _other_tasks() -> Tasks:
    """Return all tasks of this loop except the current one."""
    tasks = asyncio.all_tasks()
    me = asyncio.current_task()
    if me is not None:
        tasks.discard(me)
    return tasks


async def end_all(
    opened: list[weakref.ref[Generator]], find_tasks: Callable[[], Tasks] = _other_tasks
) -> bool:
    """End the tasks and generators that a call has left; return whether all ended in time.

    The limit is `ENDING_LIMIT_S`.

    Args:
        opened: The asynchronous generators that the call has begun.
        find_tasks: Returns the call's tasks except the current one; by default all of the loop's.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ENDING_LIMIT_S
    while True:  # a task may start new tasks while it is being cancelled
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


def watch_generators(note: Callable[[Generator], None]) -> None:
    """Call `note` with each asynchronous generator that is begun; the loop restores the hooks."""
    pass_on = sys.get_asyncgen_hooks().firstiter

    def begin(generator: Generator) -> None:
        note(generator)
        if pass_on is not None:
            pass_on(generator)

    sys.set_asyncgen_hooks(firstiter=begin)


def is_awaiting() -> bool:
    """Whether this thread is in `run`."""
    return getattr(_mine, "is_awaiting", False)


def has_set_aside() -> bool:
    """Whether any task in this process did not end in time."""
    return bool(_set_aside)


class _Holder:
    """A runner whose event loop is closed when its thread ends."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        weakref.finalize(self, _close, self.runner.get_loop())


class _Call(Generic[T]):
    """A coroutine that fails after its time limit, even if it swallows the cancellation."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], limit_s: float | None) -> None:
        self.has_left = False
        self._coroutine = coroutine
        self._limit_s = limit_s
        self._opened: list[weakref.ref[Generator]] = []
        self._returned: list[T] = []
        self._error: BaseException | None = None

    async def run(self) -> None:
        """Run the coroutine and keep how it ended.

        So whatever comes out of the loop itself has cut short asyncio's own work.
        """
        watch_generators(lambda generator: self._opened.append(weakref.ref(generator)))
        limit = asyncio.timeout(self._limit_s)
        try:
            async with limit:
                self._returned.append(await self._coroutine)
        except BaseException as error:  # noqa: BLE001 - `result` raises it
            self._error = error
        self.has_left = not await end_all(self._opened)
        if limit.expired():
            self._error = OutOfTimeError(f"ran longer than {self._limit_s:g} s")

    def result(self) -> T:
        """Return what the coroutine returned, or raise what it raised."""
        error, self._error = self._error, None
        if error is not None:
            try:
                raise error
            finally:
                del error  # else its traceback would refer to itself
        return self._returned[0]


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
    with contextlib.suppress(RuntimeError):  # it is running in a task, which is cancelled as well
        await generator.aclose()


def _report(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    """Log the exception of a task that nobody awaits, now, so that it goes to this call's log."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        text = "a task that the call left running raised an exception when it was cancelled"
        loop.call_exception_handler({"message": text, "exception": error, "task": task})


def _give_up(loop: asyncio.AbstractEventLoop, *, is_tried: bool) -> None:
    """Cancel what is left in a loop, wait a bounded time for it to end, and close the loop."""
    loop.set_exception_handler(lambda *_: None)
    tasks = asyncio.all_tasks(loop)
    if tasks and not is_tried:
        for task in tasks:
            task.cancel()
        for _ in range(2):  # a request to stop, left over from the call, ends the first at once
            with contextlib.suppress(Exception, SystemExit, KeyboardInterrupt):
                loop.run_until_complete(_ended(loop, tasks))
                break
    if left := asyncio.all_tasks(loop):
        _set_aside.append((loop, left))
    _close(loop)


def _ended(loop: asyncio.AbstractEventLoop, tasks: Tasks) -> asyncio.Future[None]:
    """Return a future that is done when these tasks are, or after `ENDING_LIMIT_S`.

    Not a task, as `asyncio.wait` needs one: the call that is ending would cancel it.
    """
    ended = loop.create_future()
    left = {task for task in tasks if not task.done()}

    def finish() -> None:
        if not ended.done():
            ended.set_result(None)

    def note(task: asyncio.Task[Any]) -> None:
        left.discard(task)
        if not left:
            finish()

    for task in tuple(left):
        task.add_done_callback(note)
    if not left:
        finish()
    loop.call_later(ENDING_LIMIT_S, finish)
    return ended


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Close the loop without waiting for busy threads of its executor."""
    with contextlib.suppress(RuntimeError):
        loop.close()
