"""Records in the shared page which attempt the event loop of a runner is executing.

Each step of a task, each timer and each reader is a callback, whose context names its attempt. The
attempt is written to the page before the callback runs. So a death of the process, or a step that
blocks the loop, is assigned to one of many attempts. Only the event loop's thread writes here.
"""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runtime.execution.concurrent_attempt import ConcurrentAttempt
from runtime.execution.output_attribution import owner
from runtime.processes.shared_page import EXECUTING, STEPS, RunnersPage

OnExit = Callable[[ConcurrentAttempt, BaseException], None]


class LoopAttribution:
    """Records the steps of one event loop.

    Args:
        loop: A selector event loop of asyncio; other loops have callbacks of their own kind.
        page: The shared page.
        on_exit: Called with the SystemExit or KeyboardInterrupt of a callback, which would
            otherwise end the loop.

    Attributes:
        current: The attempt that is executing, if `page` says that one is.
        is_fork: This process is a fork of the runner; it exits when the step that forked ends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, page: RunnersPage, on_exit: OnExit) -> None:
        self._loop = loop
        self._page = page
        self._on_exit = on_exit
        self._factory: Any = None  # the task factory of the file, if it has set one
        self.current: ConcurrentAttempt | None = None
        self.is_fork = False

    @property
    def executing(self) -> ConcurrentAttempt | None:
        """The attempt that the event loop is executing now, if any."""
        return self.current if self._page.cells[EXECUTING] else None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Record the loop's steps while the context is open."""
        # asyncio has no public hook for each callback. A test fails if a Python release runs them
        # in another way; without the hook no attempt would be found to be executing.
        plain = asyncio.Handle._run  # noqa: SLF001
        asyncio.Handle._run = self._noting(plain)  # type: ignore[method-assign, assignment] # noqa: SLF001
        self._factory = self._loop.get_task_factory()
        self._loop.set_task_factory(self._make_task)
        vars(self._loop)["set_task_factory"] = self._choose_factory
        try:
            yield
        finally:
            asyncio.Handle._run = plain  # type: ignore[method-assign] # noqa: SLF001
            del vars(self._loop)["set_task_factory"]
            self._loop.set_task_factory(self._factory)

    def _choose_factory(self, factory: Any) -> None:  # noqa: ANN401 - as in the loop's method
        """Replace the loop's method, so that tasks of the function's factory are recorded too."""
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        if factory != self._make_task:
            self._factory = factory

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Any,  # noqa: ANN401 - whatever the file's factory takes
        context: contextvars.Context | None = None,
        **options: Any,  # noqa: ANN401 - of later releases of Python
    ) -> asyncio.Future[Any]:
        if context is not None:
            options["context"] = context
        if self._factory is None:
            task: asyncio.Future[Any] = asyncio.Task(coro, loop=loop, **options)
        else:
            task = self._factory(loop, coro, **options)
        found = owner.get() if context is None else context.get(owner)
        if type(found) is ConcurrentAttempt and isinstance(task, asyncio.Task):
            found.note_task(task)
        return task

    def _noting(self, plain: Callable[[asyncio.Handle], None]) -> Callable[[asyncio.Handle], None]:
        """Return the replacement of Handle._run; optimised, as every step runs it."""
        loop, page, count = self._loop, self._page, itertools.count(1).__next__
        cells = page.cells

        def run(handle: asyncio.Handle) -> None:
            attempt = handle._context.get(owner)  # type: ignore[attr-defined] # noqa: SLF001
            if type(attempt) is not ConcurrentAttempt or handle._loop is not loop:  # type: ignore[attr-defined] # noqa: SLF001
                plain(handle)
                return
            self.current = attempt
            # The count first: a worker that reads in between sees no serial, rather than a new one
            # with the count of the step before.
            cells[STEPS] = count()
            cells[EXECUTING] = attempt.serial
            try:
                plain(handle)
            except (SystemExit, KeyboardInterrupt) as error:
                self._on_exit(attempt, error)
            finally:
                if self.is_fork:
                    os._exit(0)
                cells[EXECUTING] = 0

        return run
