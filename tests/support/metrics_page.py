"""The table of docs/operations/metrics.md, made from the one table in `gateway.metrics.table`.

A test compares; `make docs` writes.
"""

from __future__ import annotations

from pathlib import Path

from gateway.metrics.table import METRICS
from tests.support.marked_table import replace_between

PAGE = Path(__file__).parents[2] / "docs/operations/metrics.md"
BEGIN = "<!-- metrics: written by `make docs` -->"
END = "<!-- end of metrics -->"


def render() -> str:
    """Return the table in Markdown."""
    rows = ["| metric | kind | labels | what it says |", "|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
        rows.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(rows)


def replace_table(text: str) -> str:
    """Return the document with the table between the marks as it should be."""
    return replace_between(BEGIN, END, render(), text)


if __name__ == "__main__":
    PAGE.write_text(replace_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
