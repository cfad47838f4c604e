"""A short run of the benchmark, without peers: it works, and every call is answered right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.works import WORKS

SOME = ("accept", "drain")
ALL = tuple(work.name for work in WORKS)


@pytest.mark.timeout(120)  # ten seconds for all, on a machine that does nothing else
@pytest.mark.parametrize("works", [SOME, pytest.param(ALL, marks=pytest.mark.faults)])
def test_every_work_is_measured_and_every_call_answered_right(
    tmp_path: Path, works: tuple[str, ...]
):
    code = main(
        [
            *("--rounds", "1", "--seconds", "0.4", "--backlog", "300"),
            *("--only", "penstock-thread,echo", "--output", str(tmp_path)),
            *("--work", ",".join(works)),
        ]
    )

    told = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    figures = {(one["system"], one["work"]): one["figure"] for one in told["samples"]}
    assert [one for one in told["samples"] if one["errors"]] == []
    assert code == 0
    assert set(figures) == {("penstock-thread", name) for name in works} | {("echo", "accept")}
    assert min(figures.values()) > 0
    assert "| accept |" in (tmp_path / "results.md").read_text(encoding="utf-8")
    assert (tmp_path / "chart.svg").stat().st_size > 1000
