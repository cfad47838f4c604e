"""The progress bar of `penstock bench`, on standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli.progress_bars import ProgressBars

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class BenchView(ProgressBars):
    """A progress bar.

    Args:
        name: The function that is called.
        seconds: How long the run takes.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._name = name
        self._seconds = seconds
        self._bar: TaskID | None = None

    def make(self) -> Progress:
        """Return the bar."""
        from rich.console import Console  # noqa: PLC0415 - slow to import
        from rich.progress import Progress  # noqa: PLC0415

        # No refresh thread: it would use processor time that is being measured.
        progress = Progress(console=Console(stderr=True), transient=True, auto_refresh=False)
        self._bar = progress.add_task(self._name, total=self._seconds)
        return progress

    def show(self, passed_s: float) -> None:
        """Show how much of the time has passed."""
        if self.progress is not None and self._bar is not None:
            self.progress.update(self._bar, completed=passed_s, refresh=True)
