"""How a run goes on, as a person sees it: a bar for all steps, and what each step gave."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from tests.bench.sample import Sample
from tests.bench.verdicts import tell_number
from tests.bench.works import BY_NAME

_WIDE = 160  # where nobody looks, nothing is wrapped


class ProgressView:
    """A bar on standard error, and a line for every sample.

    Drawn only when asked (`tick`), never by a thread of its own, which would measure itself.

    Args:
        steps: How many steps there will be.
    """

    def __init__(self, steps: int) -> None:
        self._console = Console(stderr=True, width=None if sys.stderr.isatty() else _WIDE)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            auto_refresh=False,
            disable=not self._console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=steps)
        self._ticks = 0

    def __enter__(self) -> ProgressView:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, what: str) -> None:
        """Say what is done now."""
        self._progress.update(self._bar, description=what, refresh=True)

    def tick(self) -> None:
        """Move the clock; called a hundred times a second, drawn once."""
        self._ticks += 1
        if self._ticks % 100 == 0:
            self._progress.refresh()

    def advance(self, steps: int = 1) -> None:
        """Count steps as done."""
        self._progress.advance(self._bar, steps)

    def report(self, sample: Sample) -> None:
        """Print what a work gave."""
        work = BY_NAME[sample.work]
        wrong = f"  {sample.errors} ERRORS: {sample.example!r}" if sample.errors else ""
        self._console.print(
            f"round {sample.round + 1}  {sample.system:23} {work.title:25} "
            f"{tell_number(sample.figure):>8} {work.unit:8}  {sample.calls:>7,} calls  "
            f"{sample.processor_us:>7,.0f} µs each{wrong}",
            markup=False,
            highlight=False,
        )

    def say(self, text: str) -> None:
        """Print a sentence."""
        self._console.print(text, markup=False, highlight=False)
