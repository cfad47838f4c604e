"""Retention: what is past its time goes at the rate at which calls end, and leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from runtime.invocations.ids import new_invocation_id
from runtime.store.listing_commands import list_page
from runtime.store.metrics_commands import read_metrics
from runtime.store.retention_commands import find_indexes, mend_index, sweep
from tests.support.ending import end_at_a_rate, end_some
from tests.support.life import Life
from tests.support.upkeeping import keeping_up, sweeper
from tests.support.waiting import eventually


@contextmanager
def sweeping(url: str, count: int = 2) -> Iterator[None]:
    with ExitStack() as stack:
        for number in range(count):
            stack.enter_context(keeping_up(url, sweeper(f"w{number}")))
        yield


def overdue(life: Life) -> int:
    return life.connection.run(read_metrics([])).overdue_records


def keys_left(life: Life) -> list[bytes]:
    return sorted(life.command("KEYS", life.key("index", "*")) + life.command("KEYS", "*inv:*"))


def test_what_ends_and_what_goes_keep_step(life: Life, redis_url: str):
    with sweeping(redis_url):
        ended = end_at_a_rate(life.connection, per_s=2_000, for_s=4, ttl_ms=1_000)
        behind = overdue(life)
        kept = life.command("ZCARD", life.key("retention"))

        assert ended >= 4_000
        assert behind < 2 * 2_000
        assert kept < ended - 2_000
        eventually(lambda: life.command("ZCARD", life.key("retention")) == 0, within_s=10)
    assert keys_left(life) == []


def test_a_backlog_goes_in_slices_that_delay_nobody(life: Life, redis_url: str):
    for _ in range(200):
        end_some(life.connection, ttl_ms=1)
    eventually(lambda: overdue(life) == 10_000)
    life.command("CONFIG", "RESETSTAT")

    with sweeping(redis_url, count=3):
        eventually(lambda: overdue(life) == 0, within_s=20)

    stats = life.command("INFO", "commandstats").decode()
    [script] = [line for line in stats.splitlines() if line.startswith("cmdstat_evalsha:")]
    assert float(script.partition("usec_per_call=")[2].partition(",")[0]) < 5_000
    assert keys_left(life) == []


def test_a_turn_bounds_what_all_sweepers_take_together(life: Life):
    for _ in range(3):
        end_some(life.connection, ttl_ms=1)
    eventually(lambda: overdue(life) == 150)

    first = life.connection.run(sweep(most=100, turn_ms=60_000))
    second = life.connection.run(sweep(most=100, turn_ms=60_000))

    assert (first.count, first.is_others_turn) == (100, False)
    assert (second.count, second.is_others_turn) == (0, True)


def test_a_sweep_says_when_the_next_is_due(life: Life):
    assert life.connection.run(sweep()).next_due_ms is None

    end_some(life.connection, ttl_ms=60_000)

    next_due_ms = life.connection.run(sweep()).next_due_ms
    assert next_due_ms is not None
    assert 50_000 < next_due_ms <= 60_000


def listed_ids(life: Life, function: str = "") -> list[str]:
    page = life.connection.run(list_page(function=function, most=500))
    return [found for found, _ in page.records]


def mend_all(life: Life) -> int:
    dropped, cursor = 0, ""
    while cursor != "0":
        cursor, names = life.connection.run(find_indexes(life.connection.keys, cursor or "0"))
        for name in names:
            after, went = life.connection.run(mend_index(name, most=7))
            dropped += went
            while after:
                after, went = life.connection.run(mend_index(name, after=after, most=7))
                dropped += went
    return dropped


def test_ids_without_a_record_leave_every_index_and_no_other_does(life: Life):
    end_some(life.connection, ttl_ms=60_000)
    ended = listed_ids(life)
    waiting = [life.submit(tags=["t"], key=f"k{number}") for number in range(30)]
    later = [life.submit("g", delay_ms=60_000, tags=["t"]) for _ in range(20)]
    lost = {*waiting[::3], *later[::2], *ended[::4]}
    life.command("DEL", *[life.key("record", one) for one in lost])

    dropped = mend_all(life)

    expected = sorted({*waiting, *later, *ended} - lost, reverse=True)
    assert dropped == sum(3 if one in {*waiting, *later} else 2 for one in lost)
    assert listed_ids(life) == expected
    assert life.command("ZCARD", life.key("index", "tag:t")) == len(
        [one for one in expected if one in {*waiting, *later}]
    )
    assert mend_all(life) == 0


def test_the_indexes_of_an_earlier_version_are_taken_apart(life: Life, redis_url: str):
    ids = [life.submit(), life.submit(delay_ms=60_000)]
    end_some(life.connection, 5, ttl_ms=60_000)
    everything = listed_ids(life)
    gone = new_invocation_id()
    for name in ("live", "live:f", "scheduled", "scheduled:f"):
        life.command("DEL", life.key("index", name))
    for name in ("all", "fn:f"):
        for one in (*everything, gone):
            life.command("ZADD", life.key("index", name), 0, one)
    assert set(ids) <= set(everything)

    with sweeping(redis_url, count=1):
        eventually(lambda: not life.command("EXISTS", life.key("index", "all")))
    mend_all(life)

    assert listed_ids(life) == listed_ids(life, "f") == everything
    assert life.command("EXISTS", life.key("index", "fn:f")) == 0
