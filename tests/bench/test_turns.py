"""Which system does which work when, and in which size."""

from __future__ import annotations

from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.systems import SYSTEMS as ALL
from tests.bench.turns import turns_of_round
from tests.bench.works import WORKS


def test_every_work_of_a_size_is_done_in_one_turn_of_each_system_that_does_it():
    turns = list(turns_of_round(0, ALL, WORKS))

    done = [(turn.plan.name, work.name) for turn in turns for work in turn.works]
    assert len(done) == len(set(done))
    assert set(done) == {(p.name, w.name) for p in ALL for w in WORKS if p.does(w)}
    assert len({(turn.plan.name, turn.sizes) for turn in turns}) == len(turns)
    assert all(work.sizes == turn.sizes for turn in turns for work in turn.works)


def test_systems_take_turns_within_a_size_and_another_one_is_first_in_each_round():
    plans = [SYSTEMS[name] for name in ("penstock-process", "bullmq", "arq")]
    works = [work for work in WORKS if work.name in {"wait", "sleepers"}]

    rounds = [[turn.plan.name for turn in turns_of_round(n, plans, works)] for n in range(2)]

    assert rounds[0] == ["penstock-process", "bullmq", "arq"] * 2
    assert rounds[1] == ["bullmq", "arq", "penstock-process"] * 2


def test_only_accepting_comes_after_what_leaves_calls_behind():
    """A call with a callback is not drained: its system runs them while it does what follows."""
    for turn in turns_of_round(0, ALL, WORKS):
        kinds = [work.kind for work in turn.works]
        leaves = ["callback" in work.shown and not work.waits for work in turn.works]

        after = kinds[leaves.index(True) :] if any(leaves) else []

        assert set(after) <= {"accept"}, turn
