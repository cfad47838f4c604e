"""What a run's samples say of the goals."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from tests.bench.chart import draw_chart
from tests.bench.goals import OWN_GOALS, RATIO_GOALS, judge
from tests.bench.measuring import Sample
from tests.bench.page import write_page
from tests.bench.results import Results, Spread
from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.works import BY_NAME as WORKS


def sample(system: str, work: str, figure: float, *, number: int = 0, errors: int = 0) -> Sample:
    return Sample(
        round=number, system=system, work=work, figure=figure, calls=100, errors=errors, example="?"
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
            sample("penstock-process", "idle", 2),
            sample("celery-prefork", "idle", 8),
            sample("celery-threads", "idle", 16),
        ]
    )

    ratio = results.ratio("idle", "penstock-process", ("celery-prefork", "celery-threads"))

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
        v.goal: v.holds for v in judge(results, {"ready_s": Spread(middle=3, low=2, high=4)})
    }

    assert verdicts["`thread` ≥ 1.5 × Fastify + BullMQ"] is False  # noqa: RUF001 - for people
    assert verdicts["`process` ≥ 1 × Fastify + BullMQ"] is True  # noqa: RUF001 - for people
    assert verdicts["`up` is ready in ≤ 3 s"] is True
    assert verdicts["≤ 300 MB resident in all"] is None


def test_goals_name_systems_and_works_that_there_are():
    for goal in RATIO_GOALS:
        assert goal.work in WORKS
        assert {goal.ours, *goal.theirs} <= set(SYSTEMS)
    assert len({goal.name for goal in OWN_GOALS}) == len(OWN_GOALS)


def test_the_page_shows_errors_and_the_chart_every_system():
    results = Results(
        [sample("bullmq", "wait", 100, errors=3), sample("penstock-thread", "wait", 200)]
    )

    page = write_page(
        results, verdicts=judge(results, {}), own={}, machine={"cores": "2"}, told="x"
    )
    chart = draw_chart(results)

    assert "**3 errors**" in page
    assert "| bullmq | wait | 1 | 3 | `?` |" in page
    assert len(re.findall(r"\| not measured \|  \|$", page, re.MULTILINE)) > 10
    texts = [node.text for node in ET.fromstring(chart).iter("{http://www.w3.org/2000/svg}text")]
    assert texts[2:] == ["Penstock, thread", "200", "Fastify + BullMQ", "100"]
