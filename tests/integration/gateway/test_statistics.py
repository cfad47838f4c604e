"""The statistics of the last minutes, from settled invocations to the view of callers."""

from __future__ import annotations

import asyncio
from collections import Counter

from gateway.live.statistics_cache import StatisticsCache
from gateway.resources.statistics import statistics_view
from runtime.store.async_connection import AsyncConnection
from tests.support.life import Life


class Counted(AsyncConnection):
    """A connection that counts what is asked of it."""

    def __init__(self, url):
        super().__init__(url)
        self.asked = Counter()

    async def run(self, call):
        self.asked[call.words[0]] += 1
        return await super().run(call)


def settle_some(life: Life) -> None:
    for function, status in (("a", "succeeded"), ("a", "failed"), ("b", "succeeded")):
        life.submit(function)
        life.settle(life.claim_one(), status)


def test_what_ended_is_in_the_last_minute_by_function(redis_url, connection):
    settle_some(Life(connection))

    async def view():
        store = AsyncConnection(redis_url)
        found = statistics_view(*await StatisticsCache(store).read(5))
        await store.close()
        return found

    shown = asyncio.run(view())

    # The minute may have turned between the endings and the reading.
    assert sum(point["ended"] for point in shown["points"]) == 3
    assert len(shown["points"]) == 5
    assert shown["total"]["failure_rate"] == round(1 / 3, 4)
    assert [one["name"] for one in shown["functions"]] == ["a", "b"]
    assert [(one["name"], one["failed"]) for one in shown["failing"]] == [("a", 1)]
    assert 0 <= shown["total"]["run_ms"]["p50"] <= shown["total"]["run_ms"]["p95"]


def test_minutes_that_are_over_are_read_once(redis_url, connection):
    settle_some(Life(connection))

    async def ask():
        store = Counted(redis_url)
        minutes = StatisticsCache(store)
        await minutes.read(60)
        first = store.asked["HGETALL"]
        await minutes.read(60)
        await minutes.read(30)
        await store.close()
        return first, store.asked["HGETALL"] - first

    first, later = asyncio.run(ask())

    assert first == 60
    assert later <= 4


def test_a_long_span_is_shown_in_steps_that_stay_where_they_are(redis_url, connection):
    async def read():
        store = AsyncConnection(redis_url)
        found = await StatisticsCache(store).read(1440)
        await store.close()
        return found

    current, minutes = asyncio.run(read())
    now, later = statistics_view(current, minutes), statistics_view(current + 1, minutes)

    assert now["step_minutes"] == 12
    assert len(now["points"]) <= 121
    moments = [{point["at"] for point in view["points"]} for view in (now, later)]
    assert len(moments[0] & moments[1]) >= 119
