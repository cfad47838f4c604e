"""The progress bar of `penstock bench`, on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class BenchView:
    """A progress bar, used as a context manager; shows nothing unless stderr is a terminal.

    Args:
        name: The function that is called.
        seconds: How long the run takes.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._progress: Progress | None = None
        self._bar: TaskID | None = None

    def __enter__(self) -> BenchView:
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415 - slow to import
            from rich.progress import Progress  # noqa: PLC0415

            # No refresh thread: it would use processor time that is being measured.
            self._progress = Progress(
                console=Console(stderr=True), transient=True, auto_refresh=False
            )
            self._bar = self._progress.add_task(self._name, total=self._seconds)
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, passed_s: float) -> None:
        """Show how much of the time has passed."""
        if self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, completed=passed_s, refresh=True)
