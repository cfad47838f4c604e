"""The progress of a batch: one bar for rows sent and one for invocations finished.

The bars are drawn only if standard error is a terminal.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class BatchView:
    """The two bars, used as a context manager.

    Args:
        name: The function that is called.
        total: The number of rows.
    """

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._progress: Progress | None = None
        self._sending: TaskID | None = None
        self._finishing: TaskID | None = None

    def __enter__(self) -> BatchView:
        if sys.stderr.isatty():
            self._progress = _start_progress()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def show_id(self, batch_id: str) -> None:
        """Print the id of a batch as soon as it is accepted."""
        if self._progress is not None and sys.stdout.isatty():
            self._progress.console.out(batch_id, highlight=False)
        else:
            print(batch_id, flush=True)

    def show_sent(self, sent: int) -> None:
        """Show the number of accepted rows."""
        if self._progress is None:
            return
        if self._sending is None:
            self._sending = self._progress.add_task("sending", total=self._total, message="")
        self._progress.update(self._sending, completed=sent)

    def show_finished(self, finished: int, failed: int) -> None:
        """Show the number of finished invocations, and how many of them failed."""
        if self._progress is None:
            return
        if self._finishing is None:
            self._finishing = self._progress.add_task(self._name, total=self._total, message="")
        message = f"{failed:,} failed" if failed else ""
        self._progress.update(self._finishing, completed=finished, message=message)


def _start_progress() -> Progress:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("{task.fields[message]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,
        redirect_stderr=False,
    )
    progress.start()
    return progress
