"""The table of docs/settings.md, made from the one table in `runtime.settings`.

A test compares; `make docs` writes.
"""

from __future__ import annotations

from pathlib import Path

from runtime.settings import SETTINGS
from tests.support.marked_table import replace_between

PAGE = Path(__file__).parents[2] / "docs/settings.md"
BEGIN = "<!-- settings: written by `make docs` -->"
END = "<!-- end of settings -->"


def render() -> str:
    """Return the table in Markdown."""
    rows = ["| variable | default | what it does |", "|---|---|---|"]
    for name, setting in SETTINGS.items():
        default = _shown(setting.default)
        rows.append(f"| `PENSTOCK_{name.upper()}` | {default} | {setting.description} |")
    return "\n".join(rows)


def replace_table(text: str) -> str:
    """Return the document with the table between the marks as it should be."""
    return replace_between(BEGIN, END, render(), text)


def _shown(default: object) -> str:
    if default is None or default in {"", ()}:
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


if __name__ == "__main__":
    PAGE.write_text(replace_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
