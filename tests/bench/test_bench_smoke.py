"""A short run of the benchmark, without peers: it works, and every call is answered right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.works import BY_NAME as WORKS

SOME = ("accept", "drain")


@pytest.mark.timeout(300)  # ten seconds for some, on a machine that does nothing else
@pytest.mark.parametrize(
    ("systems", "works"),
    [
        (("penstock-thread", "echo"), SOME),
        pytest.param(
            ("penstock-process", "penstock-thread", "echo"), tuple(WORKS), marks=pytest.mark.faults
        ),
    ],
)
def test_every_work_is_measured_and_every_call_answered_right(
    tmp_path: Path, systems: tuple[str, ...], works: tuple[str, ...]
):
    code = main(
        [
            *("--rounds", "1", "--seconds", "0.4", "--backlog", "2000", "--callers", "32"),
            *("--only", ",".join(systems), "--output", str(tmp_path)),
            *("--work", ",".join(works)),
        ]
    )

    reported = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    figures = {(one["system"], one["work"]): one["figure"] for one in reported["samples"]}
    assert [one for one in reported["samples"] if one["errors"]] == []
    assert code == 0
    assert set(figures) == {
        (system, work) for system in systems for work in works if SYSTEMS[system].does(WORKS[work])
    }
    assert min(figures.values()) > 0
    assert "| accept |" in (tmp_path / "results.md").read_text(encoding="utf-8")
    assert (tmp_path / "chart.svg").stat().st_size > 1000
