"""The table of `docs/reliability.md`: a row for each scenario, written by `make faults` itself.

A whole run replaces the page; a part of it replaces its own rows, which then say at which
commit they were run alone.
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.oracle import Verdict
from tests.faults.recovery import percentile
from tests.support.redis_server import redis_executable

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reliability.md"
MUTATIONS = Path(__file__).with_name("mutations.md")
HEAD = (
    "| scenario | calls | lost | unexpected | run again | recovery | goal | figures | held |",
    "|---|---|---|---|---|---|---|---|---|",
)


@dataclass(slots=True)
class Row:
    """One scenario: what was done, what must hold, and what was counted."""

    scenario: str = ""
    goal: str = ""
    figures: list[str] = field(default_factory=list)
    verdict: Verdict | None = None
    passed: bool = False
    failure: str = ""

    def begin(self, scenario: str, *, goal: str = "every call ends once") -> None:
        """Say what is done and what must hold."""
        self.scenario, self.goal = scenario, goal

    def report(self, figure: str) -> None:
        """Add a measured figure."""
        self.figures.append(figure)

    def judged(self, verdict: Verdict) -> Verdict:
        """Take over what the oracle counted, then fail unless it found every promise kept."""
        self.verdict = verdict
        verdict.require()
        return verdict

    def render(self) -> str:
        """Return the row in Markdown."""
        counted = ["", "", "", "", ""]
        if (v := self.verdict) is not None:
            times = v.recovery_s
            recovery = f"{percentile(times, 0.99):.1f} / {times[-1]:.1f} s" if times else ""
            counted = [
                *(f"{v.calls:,}", str(len(v.lost)), str(len(v.unexpected))),
                *(str(v.run_again), recovery),
            ]
        figures = "; ".join(self.figures)
        held = "yes" if self.passed else f"**no**: {self.failure}"
        cells = [self.scenario, *counted, self.goal, figures, held]
        return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def write_page(rows: list[Row], *, took_s: float) -> None:
    """Replace the page."""
    PAGE.write_text(render_page(rows, took_s=took_s), encoding="utf-8")


def replace_rows(rows: list[Row]) -> None:
    """Replace some rows of a page that is there; new scenarios wait for a whole run."""
    if not PAGE.exists():
        return
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for row in rows:
        row.report(f"run alone at {_commit()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
        first_cell = row.render().partition(" | ")[0]
        lines = [row.render() if line.partition(" | ")[0] == first_cell else line for line in lines]
    held = sum(line.endswith("| yes |") for line in lines)
    failed = sum("| **no**: " in line for line in lines)
    reported = f"- held: {held} of {held + failed} scenarios"
    lines = [reported if line.startswith("- held:") else line for line in lines]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def render_page(rows: list[Row], *, took_s: float) -> str:
    """Return the page: where the figures come from, what was judged, the table, the mutations."""
    lines = [
        "# Reliability",
        "",
        "Written by `make faults`: real processes, a real Redis, nothing simulated but the faults.",
        "",
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, in {took_s / 60:.0f} minutes",
        f"- commit: {_commit()}",
        f"- machine: {_machine()}",
        f"- held: {sum(row.passed for row in rows)} of {len(rows)} scenarios",
        "",
        "Every run of a function appends its id, attempt, process and time to a file: an outside",
        "witness. One oracle (`tests/faults/oracle.py`) compares that file with what callers were",
        "told and with what the system says in the end, in every row that counts calls:",
        "",
        "- each acknowledged id ends, in one status that never changes again; none is lost, and",
        "  there is none that nobody was told of;",
        "- the attempts in each record are the runs that were witnessed, none run twice;",
        "- a callback says what a poll says, and its `webhook-id` is the same on every attempt;",
        "- at rest every queue, lease and due set is empty, and every counter is back at zero.",
        "",
        "*Run again* counts runs beyond one per call: at-least-once, visible as a higher attempt.",
        "*Recovery* is the time from a kill to the next run of a call it cut short, p99 / max.",
        "",
        *HEAD,
        *(row.render() for row in rows),
        "",
        MUTATIONS.read_text(encoding="utf-8").rstrip() if MUTATIONS.exists() else "",
        "",
    ]
    return "\n".join(lines)


def _commit() -> str:
    words = ("git", "describe", "--always", "--dirty", "--exclude=*")
    answer = subprocess.run(words, cwd=ROOT, capture_output=True, check=False, text=True)
    return answer.stdout.strip() or "unknown"


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    server = subprocess.run(
        [redis_executable(), "--version"], capture_output=True, check=False, text=True
    )
    version = next((w[2:] for w in server.stdout.split() if w.startswith("v=")), "unknown")
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, Redis {version}"
    )
