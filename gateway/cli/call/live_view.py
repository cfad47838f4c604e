"""The live view of a call: a progress bar, its log lines and its items as they arrive.

Items go to standard output, everything else to standard error. The bar is drawn only if standard
error is a terminal. Used by `invoke --wait` and `logs -f`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gateway.cli.progress_bars import ProgressBars
from gateway.cli.tables import note
from penstock.client.event_stream import StreamedEvent

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class LiveView(ProgressBars):
    """Shows the events of one invocation.

    Args:
        name: The label of the progress bar.
        with_logs: Show log lines and emitted events.
        with_items: Show the items that a generator yields.
    """

    def __init__(self, name: str, *, with_logs: bool, with_items: bool) -> None:
        self._name = name
        self._with_logs = with_logs
        self._with_items = with_items
        self._bar: TaskID | None = None
        self._line = ""
        self.items: list[Any] = []  # those of the latest attempt that were shown

    def make(self) -> Progress:
        """Return the bar."""
        from rich.console import Console  # noqa: PLC0415 - slow to import
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[message]}", markup=False),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._bar = progress.add_task(self._name, total=None, message="")
        return progress

    def __exit__(self, *_: object) -> None:
        if self._line:
            self._print_log("\n")
        super().__exit__()

    def show(self, event: StreamedEvent) -> None:
        """Show one event."""
        if event.name == "status":
            self._show_status(event.value())
        elif event.name == "progress":
            self._show_progress(event.value())
        elif event.name == "log" and self._with_logs:
            self._print_log(event.value())
        elif event.name == "event" and self._with_logs:
            self._report(f"event: {one_line(event.value())}")
        elif event.name == "item" and self._with_items:
            self._show_item(event.value())

    def _show_status(self, value: dict[str, Any]) -> None:
        status, attempt = value.get("status"), value.get("attempt") or 0
        if status == "running":
            self.items.clear()
        if status == "retrying" and self._with_logs:
            error = value.get("error") or {}
            self._report(f"attempt {attempt} failed: {error.get('type')}: {error.get('message')}")
        if self.progress is not None and self._bar is not None:
            said = f", attempt {attempt}" if attempt > 1 else ""
            self.progress.update(self._bar, description=f"{self._name} {status}{said}", message="")

    def _show_progress(self, value: dict[str, Any]) -> None:
        if self.progress is not None and self._bar is not None:
            message = value.get("message") or ""
            if value.get("total") is None:
                message = f"{value.get('done')} {message}"
            done, total = value.get("done"), value.get("total")
            self.progress.update(self._bar, completed=done, total=total, message=message)

    def _show_item(self, item: Any) -> None:  # noqa: ANN401 - any JSON
        self.items.append(item)
        self.print(item if isinstance(item, str) else one_line(item))

    def _print_log(self, text: str) -> None:
        """Print whole lines; keep an incomplete one until the rest of it arrives."""
        *lines, self._line = (self._line + text).split("\n")
        if lines:
            self._report("\n".join(lines))

    def _report(self, text: str) -> None:
        if self.progress is not None:
            self.progress.console.out(text, highlight=False)
        else:
            note(text)


def one_line(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)
