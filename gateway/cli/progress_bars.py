"""Progress bars on standard error; the views of the commands that show progress build on them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress


class ProgressBars:
    """Bars, used as a context manager; there are none unless standard error is a terminal.

    Attributes:
        progress: rich's bars between the beginning and the end; otherwise None.
    """

    progress: Progress | None = None

    def make(self) -> Progress:
        """Return the bars of a view."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self.progress = self.make()
            self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.progress is not None:
            self.progress.stop()
            self.progress = None

    def print(self, text: str) -> None:
        """Print a result to standard output, above the bars if both are on one terminal."""
        if self.progress is not None and sys.stdout.isatty():
            self.progress.console.out(text, highlight=False)
        else:
            print(text, flush=True)
