"""The oracle of the fault tests can say no: each of its judgements on tellings made up here."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.mutate import MUTATIONS, ROOT
from tests.faults.oracle import Verdict, misfit
from tests.faults.recovery import percentile, recoveries_s
from tests.faults.reliability_table import Row, render_page
from tests.faults.witness import Run, Witness


def run_of(attempt: int, *, pid: int = 1, began_s: float = 0.0) -> Run:
    return Run(id="a", attempt=attempt, pid=pid, began_s=began_s, ended_s=began_s + 1)


def record_of(*outcomes: str) -> dict[str, object]:
    attempts = [
        {"attempt": number, "outcome": outcome, "worker": "host-7"}
        for number, outcome in enumerate(outcomes, start=1)
    ]
    return {"attempt": len(outcomes), "attempts": attempts, "error": None}


@pytest.mark.parametrize(
    ("kept", "seen", "problem"),
    [
        (record_of("succeeded"), [run_of(1)], ""),
        (record_of("worker_lost", "succeeded"), [run_of(2)], ""),
        (record_of("worker_lost", "succeeded"), [run_of(1), run_of(2)], ""),
        (record_of("succeeded"), [run_of(1), run_of(1)], "attempt 1 was run 2 times"),
        (record_of("succeeded"), [], "attempt {1} left no trace"),
        (record_of("retrying", "succeeded"), [run_of(2)], "attempt {1} left no trace"),
        (record_of("succeeded"), [run_of(1), run_of(2)], "ran as attempt {2}, the record says 1"),
    ],
)
def test_attempts_in_the_record_must_be_the_runs_that_were_seen(kept, seen, problem):
    assert misfit(kept, seen, runs_per_attempt=1) == problem


def test_a_breach_fails_and_says_what_it_is():
    verdict = Verdict()
    verdict.breach("lost", [])
    verdict.require()

    verdict.breach("lost", ["a", "b"])

    with pytest.raises(AssertionError, match=r"lost: 2 \(a, b\)"):
        verdict.require()


def test_the_witness_tells_runs_that_ended_from_those_that_did_not(tmp_path: Path):
    file = tmp_path / "witness"
    file.write_text("+ a 1 7 1.0\n+ b 1 8 2.0\n- a 1 7 3.0\n+ a 1 7 4.0\n")

    seen = [(r.id, r.pid, r.began_s, r.ended_s) for r in Witness(file).runs()]

    assert seen == [("a", 7, 1.0, 3.0), ("b", 8, 2.0, None), ("a", 7, 4.0, None)]


def test_recovery_is_measured_from_the_kill_to_the_next_run():
    runs = {"a": [run_of(1, pid=5, began_s=1), run_of(3, began_s=9)]}
    records = {"a": record_of("worker_lost", "worker_lost", "succeeded")}

    times = recoveries_s(records, runs, {5: 2.0, 7: 6.0})

    assert times == [3.0, 7.0]  # the process of attempt 2, which left no trace, is its worker
    assert percentile(times, 0.99) == 7.0


def test_the_page_counts_what_held_and_shows_what_did_not():
    rows = [
        Row(scenario="calm", goal="peace", figures=["1 | 2"], passed=True),
        Row(scenario="storm", goal="peace", failure="it rained"),
    ]

    page = render_page(rows, took_s=60)

    assert "- held: 1 of 2 scenarios" in page
    assert "| calm |  |  |  |  |  | peace | 1 / 2 | yes |" in page
    assert "| storm |  |  |  |  |  | peace |  | **no**: it rained |" in page


@pytest.mark.parametrize(
    ("file", "text"), [edit[:2] for mutation in MUTATIONS for edit in mutation.edits]
)
def test_what_a_mutation_takes_out_is_there(file: str, text: str):
    assert text in (ROOT / file).read_text(encoding="utf-8")
