"""Documents are tested: tables, diagrams and lists in them say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.cli.errors import ExitCode
from gateway.cli.main import COMMANDS
from runtime.invocations.status import MOVES
from runtime.sdk.option_types import FunctionOptions, RetryOptions
from tests.support.settings_table import PAGE as SETTINGS_PAGE
from tests.support.settings_table import replace_table

ROOT = Path(__file__).parents[2]
ARCHITECTURE = ROOT / "ARCHITECTURE.md"
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    if "node_modules" not in path.parts
)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_FIRST_CELL = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
_EDGE = re.compile(r"^ +(\w+) --> (\w+): (.+)$", re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Return what a link may point to within a document, as forges name its headings."""
    text = _FENCED.sub("", document.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w -]", "", heading.strip().lower()).replace(" ", "-")
        for heading in _HEADING.findall(text)
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path):
    dead = []
    for place, anchor in _LINK.findall(document.read_text(encoding="utf-8")):
        target = (document.parent / place).resolve() if place else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(f"{place}#{anchor}")

    assert dead == []


def test_the_page_s_table_of_settings_is_current():
    text = SETTINGS_PAGE.read_text(encoding="utf-8")

    assert replace_table(text) == text, "run `make docs`"


def test_the_page_of_commands_names_every_command_and_exit_code():
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")

    assert [c.name for c in COMMANDS if f"penstock {c.name}" not in text] == []
    assert [code for code in ExitCode if f"| {int(code)} | " not in text] == []


def test_the_page_of_a_function_has_a_row_for_every_option():
    text = (ROOT / "docs/write-a-function.md").read_text(encoding="utf-8")

    rows = set(_FIRST_CELL.findall(text))

    assert {*FunctionOptions.__annotations__, *RetryOptions.__annotations__} - rows == set()


def test_the_diagram_of_statuses_is_the_table_of_moves():
    edges = _EDGE.findall(ARCHITECTURE.read_text(encoding="utf-8"))

    drawn = {(start, end): cause for start, end, cause in edges}

    assert drawn == {(str(start), str(end)): cause for (start, end), cause in MOVES.items()}


def test_the_map_names_every_package():
    text = ARCHITECTURE.read_text(encoding="utf-8")
    packages = [
        path.parent.relative_to(ROOT)
        for top in ("gateway", "runtime")
        for path in sorted((ROOT / top).rglob("__init__.py"))
    ]

    assert [str(p) for p in packages if f"{p.name}/" not in text] == []
    assert len(text.splitlines()) < 300


def test_every_decision_follows_the_format():
    for path in sorted((ROOT / "docs/decisions").glob("[0-9]*.md")):
        text = path.read_text(encoding="utf-8")

        assert re.match(r"# .+\n", text), f"{path.name}: begin with a title"
        for heading in ("## Context", "## Decision", "## Consequences"):
            assert f"\n{heading}\n" in text, f"{path.name}: lacks {heading}"
