"""Gateway processes die all the time; callers repeat with their key and get one invocation."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest

from tests.faults.deaths import repeating
from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged

PER_S = 200
FOR_S = 30
EVERY_S = 3


def kill_a_gateway(rig: Rig, chance: random.Random) -> None:
    """Kill a serving process; now and then the arbiter with all of them."""
    [arbiter] = rig.parts("gateway")
    serving = arbiter.children()
    rig.deaths.kill(arbiter if chance.random() < 0.2 or not serving else chance.choice(serving))


@pytest.mark.faults
@pytest.mark.timeout(150)
def test_a_key_makes_exactly_one_invocation_though_gateways_die(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"a gateway process killed every {EVERY_S} s under {PER_S} requests/s for {FOR_S} s; "
        "clients repeat with `Idempotency-Key`",
        goal="exactly one invocation per key",
    )
    chance = random.Random(2)
    with rigged(tmp_path, "--workers", "2", "--gateways", "3") as rig:
        callers = rig.callers("work", lambda n: {"number": n}, threads=16)

        strikes = repeating(EVERY_S, lambda: kill_a_gateway(rig, chance))
        with callers.calling(PER_S) as reported, strikes:
            threading.Event().wait(FOR_S)
        verdict = row.judged(decide(rig, reported))

        repeated = sum(bool(answer.refusals) for answer in reported)
        row.report(f"{rig.deaths.kills} kills, {repeated} calls repeated")
        assert repeated
        assert len({answer.id for answer in reported}) == len(reported) == len(verdict.records)
