"""Whose code the event loop of a runner executes: noted in the shared page before each callback.

Each step of a task, each timer and each reader is a callback that carries the context in which it
was made, and so its attempt. A death of the process, or a step that lasts too long, is thereby
known to be of just one of many attempts.
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
    """Notes the steps of one event loop.

    Args:
        loop: Of the class that asyncio brings; others have callbacks of their own kind.
        page: Where they are noted.
        on_exit: Called with SystemExit or KeyboardInterrupt of a callback, which asyncio would let
            end the loop.

    Attributes:
        current: The attempt whose code is executed, if `page` says that one is.
        is_fork: This process is a fork of the runner: it ends when the step of the fork does.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, page: RunnersPage, on_exit: OnExit) -> None:
        self._loop = loop
        self._page = page
        self._on_exit = on_exit
        self._factory: Any = None  # of tasks, if the file has set one
        self.current: ConcurrentAttempt | None = None
        self.is_fork = False

    @property
    def executing(self) -> ConcurrentAttempt | None:
        """The attempt whose code the event loop executes now."""
        return self.current if self._page.cells[EXECUTING] else None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Note what the loop runs meanwhile."""
        # There is no public way to be told of each callback. A test says so when a release of
        # Python runs them otherwise; nobody would be blamed then.
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

    def _choose_factory(self, factory: Any) -> None:  # noqa: ANN401 - as the loop's own takes it
        """Stand in for the loop's method: what a function chooses makes tasks that are noted."""
        if factory is not None and not callable(factory):
            raise TypeError("task factory must be a callable or None")
        if factory != self._make_task:
            self._factory = factory

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Any,  # noqa: ANN401 - whatever the factory of the file takes
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
        """Return what stands for Handle._run; written for speed, as each step takes it."""
        loop, page, count = self._loop, self._page, itertools.count(1).__next__
        cells = page.cells

        def run(handle: asyncio.Handle) -> None:
            attempt = handle._context.get(owner)  # type: ignore[attr-defined] # noqa: SLF001
            if type(attempt) is not ConcurrentAttempt or handle._loop is not loop:  # type: ignore[attr-defined] # noqa: SLF001
                plain(handle)
                return
            self.current = attempt
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
