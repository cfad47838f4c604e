"""A short run of the benchmark, without peers: it works, and every call is answered right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.packages import Counts, Package, measure_packages
from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.works import BY_NAME as WORKS
from tests.support.wheel_index import make_companions, make_index, only_pip

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


@pytest.mark.timeout(300)
@pytest.mark.faults
def test_functions_with_packages_are_measured_beside_uv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "companions").mkdir()
    index = make_index(tmp_path / "index", make_companions(tmp_path / "companions"))
    for name, value in only_pip(index, tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))  # a variable of this machine would win
    demo = Package(requirement="demo==1.0", module="demo", expression="f'{demo.VERSION} {value}'")
    nowhere = Package(requirement="nowhere-to-be-had", module="nowhere", expression="''")
    said: list[str] = []

    own = measure_packages(
        lambda: None,
        said.append,
        small=demo,
        large=nowhere,
        counts=Counts(turns=1, calls=3, cold=1, edits=1, builds=1),
    )

    assert len(said) == 1
    assert said[0].startswith("nowhere-to-be-had is left out: ")
    ratios = {name for name in own if name.endswith("_ratio")}
    assert ratios == {f"packages_{name}_ratio" for name in ("warm", "edit", "cold", "build")}
    assert min(spread.middle for spread in own.values()) > 0
