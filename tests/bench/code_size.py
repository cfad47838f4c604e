"""How many lines the project has, beside another checkout."""

from __future__ import annotations

from pathlib import Path

from tests.bench.installing import ROOT
from tests.bench.results import Spread, spread_of

_PACKAGES = ("gateway", "runtime")


def measure_code(before: Path) -> dict[str, Spread]:
    """Return our lines divided by those of the other checkout."""
    ratio = spread_of([count_lines(ROOT) / count_lines(before)])
    return {} if ratio is None else {"code_ratio": ratio}


def count_lines(checkout: Path) -> int:
    """Return how many lines of Python a checkout has, blank ones and comments included."""
    return sum(
        len(file.read_text(encoding="utf-8").splitlines())
        for package in _PACKAGES
        for file in (checkout / package).rglob("*.py")
    )
