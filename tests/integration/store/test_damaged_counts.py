"""Counts that are no numbers stop nobody: each begins anew, and a check puts it right."""

from __future__ import annotations

import pytest

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import read_stats, read_waiting
from runtime.store.invocation_commands import cancel
from runtime.store.metrics_commands import read_metrics
from runtime.store.statistics_commands import read_clock, read_minute
from runtime.store.submission_commands import submit
from runtime.store.system_commands import purge_queue, read_queues
from tests.support.checking import check_all
from tests.support.life import Life

COUNTS = [
    (("waiting",), "f"),
    (("waiting",), "g"),
    *(
        (("queue", "default"), field)
        for field in ("waiting", "running", "turns", "claims", "purges")
    ),
    *((("stats",), field) for field in ("f:succeeded", "f:cancelled", "f:run:ms", "f:queue:1")),
]
WRONG = ["", "many", "1.5", "99999999999999999999"]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(("place", "field"), COUNTS, ids=str)
def test_a_count_that_is_no_number_stops_nobody(
    life: Life, connection: BlockingConnection, place, field, wrong
):
    waiting = [life.submit("f"), life.submit("g")]
    life.command("HSET", life.key(*place), field, wrong)

    waiting += [life.submit("f", key="k"), life.submit("g"), life.submit("f", max_waiting=99)]
    connection.run(
        submit(function="f", queue="default", version="v1", entries=[("plain", b"{}", ())])
    )
    [*cancelled, kept] = [life.submit("f") for _ in range(2)]
    connection.run(cancel(cancelled[0]))
    claimed = life.claim(3).items
    settled = [life.settle(item) for item in claimed]
    purged = connection.run(purge_queue("default"))
    life.beat()

    assert len(claimed) == 3
    assert settled == ["DONE"] * 3
    assert purged == len([*waiting, "plain", kept]) - 3
    assert set(connection.run(read_metrics(["f", "g"])).functions) == {"f", "g"}
    connection.run(read_stats(life.connection.keys))
    connection.run(read_waiting(life.connection.keys))
    connection.run(read_queues())
    life.submit("g")
    check_all(connection, repair=True)
    assert connection.run(read_waiting(life.connection.keys))["g"] == 1
    assert [queue.waiting for queue in connection.run(read_queues())] == [1]


def test_a_minute_with_a_count_that_is_no_number_counts_on(
    life: Life, connection: BlockingConnection
):
    for wrong in WRONG:
        minute = connection.run(read_clock()) // 60_000
        life.command("HSET", life.key("minute", str(minute)), "f:succeeded", wrong)
        life.submit("f")
        [item] = life.claim(1).items

        assert life.settle(item) == "DONE"
        connection.run(read_minute(minute, life.connection.keys))
