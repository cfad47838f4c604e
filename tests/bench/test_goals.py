"""What a run's samples say of the goals."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from tests.bench.chart import draw_chart
from tests.bench.goals import BEFORE_GOALS, FIGURE_GOALS, OWN_GOALS, RATIO_GOALS
from tests.bench.machine import pinned_versions
from tests.bench.page import write_page
from tests.bench.results import Results, Spread
from tests.bench.sample import Sample
from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.verdicts import decide, judge_before
from tests.bench.works import BY_NAME as WORKS


def sample(system: str, work: str, figure: float, *, number: int = 0, **more: float) -> Sample:
    return Sample(
        round=number, system=system, work=work, figure=figure, calls=100, example="?", **more
    )


def test_a_ratio_is_taken_within_each_round_and_to_the_best_of_several():
    results = Results(
        [
            sample("penstock-process", "accept", 1000, number=0),
            sample("penstock-process", "accept", 4000, number=1),
            sample("celery-prefork", "accept", 100, number=0),
            sample("celery-threads", "accept", 50, number=0),
            sample("celery-prefork", "accept", 200, number=1),
            sample("celery-threads", "accept", 250, number=1),
        ]
    )

    ratio = results.ratio("accept", "penstock-process", ("celery-prefork", "celery-threads"))

    assert ratio == Spread(middle=13, low=10, high=16)


def test_of_times_the_shortest_is_the_best():
    results = Results(
        [
            sample("penstock-process", "lone", 2),
            sample("celery-prefork", "lone", 8),
            sample("celery-threads", "lone", 16),
        ]
    )

    ratio = results.ratio("lone", "penstock-process", ("celery-prefork", "celery-threads"))

    assert ratio == Spread(middle=0.25, low=0.25, high=0.25)


def test_a_goal_holds_is_missed_or_was_not_measured():
    results = Results(
        [
            sample("penstock-thread", "wait", 149),
            sample("penstock-process", "wait", 101),
            sample("bullmq", "wait", 100),
        ]
    )

    verdicts = {
        v.goal: v.holds for v in decide(results, {"ready_s": Spread(middle=3, low=2, high=4)})
    }

    assert verdicts["`thread` ≥ 1.5 × Fastify + BullMQ"] is False  # noqa: RUF001 - for people
    assert verdicts["`process` ≥ 1 × Fastify + BullMQ"] is True  # noqa: RUF001 - for people
    assert verdicts["`up` is ready in ≤ 3 s"] is True
    assert verdicts["≤ 300 MB resident in all"] is None


def test_processor_time_and_memory_are_better_the_less_they_are():
    results = Results(
        [
            sample("penstock-process", "sleepers", 950, processor_us=60, memory_mb=390),
            sample("bullmq", "sleepers", 900, processor_us=50, memory_mb=200),
            sample("arq", "sleepers", 940, processor_us=10, memory_mb=100),
        ]
    )

    verdicts = {(v.work, v.goal): (v.measured, v.holds) for v in decide(results, {})}
    beside_the_best = results.ratio(
        "sleepers", "penstock-process", ("bullmq", "arq"), part="processor_us"
    )

    assert beside_the_best == Spread(middle=6, low=6, high=6)
    title = WORKS["sleepers"].title
    assert verdicts[(title, "`process` ≥ 1 × the best peer")] == ("1.01 ×", True)  # noqa: RUF001
    assert verdicts[(title, "`process` ≤ 1 × BullMQ, processor time")] == ("1.20 ×", False)  # noqa: RUF001
    assert verdicts[(title, "`process` ≥ 900 calls/s")] == ("950", True)
    memory = "`process` ≤ 400 MB held by all processes together"
    assert verdicts[(title, memory)] == ("390", True)


def test_the_commit_before_is_a_system_beside_which_goals_are_judged():
    results = Results(
        [
            sample("penstock-process", "drain", 140),
            sample("penstock-process-before", "drain", 100),
            sample("penstock-process", "steady", 1100),
            sample("penstock-process-before", "steady", 1000),
        ]
    )
    own = {"code_ratio": Spread(middle=0.7, low=0.7, high=0.7)}

    holds = {(v.work, v.goal): v.holds for v in judge_before(results, own)}

    drain, steady = "drain what waits", "400 calls a second"
    assert holds[drain, "`process` ≥ 0.98 × the commit before"] is True  # noqa: RUF001
    assert holds[steady, "`process` ≤ 1.02 × the commit before"] is False  # noqa: RUF001
    assert holds[drain, "`thread` ≥ 0.98 × the commit before"] is None  # noqa: RUF001
    assert [held for (work, _), held in holds.items() if work == "code"] == [True]


def test_a_strict_bound_is_itself_too_much():
    four = Spread(middle=4, low=4, high=4)
    own = {"commands_per_worker_s": four, "threads_per_worker": four}

    verdicts = {v.goal: v.holds for v in decide(Results([]), own)}

    assert verdicts["< 4 Redis commands/s for each worker process"] is False
    assert verdicts["≤ 4 threads in each worker process"] is True


def test_goals_name_works_and_systems_that_do_them():
    for goal in (*RATIO_GOALS, *BEFORE_GOALS):
        assert SYSTEMS[goal.ours].does(WORKS[goal.work])
        for name in goal.theirs:
            assert SYSTEMS[name].does(WORKS[goal.their_work or goal.work]), (goal, name)
    for goal in FIGURE_GOALS:
        assert SYSTEMS[goal.ours].does(WORKS[goal.work])
    assert len({goal.name for goal in OWN_GOALS}) == len(OWN_GOALS)


def test_the_page_shows_errors_and_the_chart_every_system():
    results = Results(
        [sample("bullmq", "wait", 100, errors=3), sample("penstock-thread", "wait", 200)]
    )

    page = write_page(
        results, verdicts=decide(results, {}), own={}, machine={"cores": "2"}, reported="x"
    )
    chart = draw_chart(results)

    assert "**3 errors**" in page
    assert "| bullmq | wait | 1 | 3 | `?` |" in page
    assert len(re.findall(r"\| not measured \|  \|$", page, re.MULTILINE)) > 10
    texts = [node.text for node in ET.fromstring(chart).iter("{http://www.w3.org/2000/svg}text")]
    assert texts[2:] == ["Penstock, thread", "200", "Fastify + BullMQ", "100"]


def test_what_functions_that_wait_cost_has_a_table_of_its_own():
    results = Results(
        [
            sample("penstock-process", "sleepers", 950, processor_us=60, memory_mb=390, errors=2),
            sample("celery-threads", "slow-http", 480, processor_us=1700),
            sample("penstock-process", "wait", 5000),
        ]
    )

    page = write_page(results, verdicts=[], own={}, machine={}, reported="x")

    waiting = page[page.index("## Functions that wait") : page.index("## Goals")]
    assert "| Penstock, process | 950, **2 errors** | 390 | 60.0 |  |  |" in waiting
    assert "| FastAPI + Celery, threads |  |  |  | 480 | 1,700 |" in waiting
    figures = page[page.index("## Figures") : page.index("## Processor time")]
    assert "asleep" not in figures


def test_the_page_tells_the_versions_of_all_peers():
    names = {SYSTEMS[name].folder for name in SYSTEMS if SYSTEMS[name].kind == "peer"}

    assert names <= set(pinned_versions())
    assert all(pinned_versions().values())


def test_what_packages_cost_is_told_beside_uv_and_judged():
    own = {
        "packages_cold_ratio": Spread(middle=0.3, low=0.2, high=0.4),
        "packages_cold_ms": Spread(middle=20, low=19, high=22),
        "packages_cold_beside_ms": Spread(middle=67, low=66, high=70),
        "packages_server_mib": Spread(middle=23.5, low=23.5, high=23.5),
    }

    verdicts = decide(Results([]), own)
    page = write_page(Results([]), verdicts=verdicts, own=own, machine={}, reported="x")

    judged = {v.goal: v.holds for v in verdicts if v.work == "packages" and v.holds is not None}
    assert sorted(judged.values()) == [False, True]
    cold = "| a cold call, small | 20.0 (19.0 to 22.0) | `uv run --script` | 67.0 (66.0 to 70.0) |"
    assert f"{cold} 0.30 (0.20 to 0.40) |  |  |" in page
    assert "takes 23.5 MiB" in page
    assert "with pandas preloaded (not measured)" in page


def test_a_page_without_packages_says_nothing_of_them():
    page = write_page(Results([]), verdicts=[], own={}, machine={}, reported="x")

    assert "packages" not in page
