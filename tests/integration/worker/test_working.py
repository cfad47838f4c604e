"""A worker at its limits goes on."""

from __future__ import annotations

from collections.abc import Callable

from runtime.invocations.statuses import Status
from tests.integration.worker.working import Working
from tests.support.life import Life
from tests.support.waiting import eventually

NAP = """
    import asyncio
    from runtime import function

    @function
    async def nap(s: float) -> str:
        await asyncio.sleep(s)
        return "slept"
"""
Work = Callable[..., Working]


def statuses(life: Life, ids: list[str]) -> list[Status]:
    return [life.read(one).status for one in ids]


def test_who_has_held_as_many_as_may_be_claims_again_at_once(life: Life, work: Work):
    working = work(max_in_flight=2)
    working.write("nap", NAP)
    ids = [life.submit("nap", arguments=b'{"s":0.02}') for _ in range(6)]
    working.worker._heartbeat._interval_s = 60.0  # it would look then

    eventually(lambda: statuses(life, ids) == [Status.SUCCEEDED] * 6, within_s=3)
