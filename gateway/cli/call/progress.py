"""The progress of a batch: one bar for rows sent and one for invocations finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli.progress_bars import ProgressBars

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class BatchView(ProgressBars):
    """The two bars.

    Args:
        name: The function that is called.
        total: The number of rows.
    """

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._sending: TaskID | None = None
        self._finishing: TaskID | None = None

    def make(self) -> Progress:
        """Return the bars, which appear one by one."""
        from rich.console import Console  # noqa: PLC0415 - slow to import
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        return Progress(
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

    def show_sent(self, sent: int) -> None:
        """Show the number of accepted rows."""
        if self.progress is None:
            return
        if self._sending is None:
            self._sending = self.progress.add_task("sending", total=self._total, message="")
        self.progress.update(self._sending, completed=sent)

    def show_finished(self, finished: int, failed: int) -> None:
        """Show the number of finished invocations, and how many of them failed."""
        if self.progress is None:
            return
        if self._finishing is None:
            self._finishing = self.progress.add_task(self._name, total=self._total, message="")
        message = f"{failed:,} failed" if failed else ""
        self.progress.update(self._finishing, completed=finished, message=message)
