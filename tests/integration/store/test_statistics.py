"""Counts and histograms, written in the step that ends an invocation."""

from __future__ import annotations

from importlib import resources

from runtime.invocations.statistics import quantile_ms, tallies_of
from runtime.store.metrics_commands import read_metrics
from runtime.store.statistics_commands import begin_of_step, read_clock, read_minute
from tests.support.life import Life


def statistics(life: Life, key: str) -> dict[str, int]:
    flat = life.command("HGETALL", key)
    return {n.decode(): int(v) for n, v in zip(flat[::2], flat[1::2], strict=True)}


def test_an_ending_is_counted_with_its_times_in_the_totals_and_in_its_minute(life: Life):
    for status in ("succeeded", "succeeded", "failed"):
        life.submit()
        life.settle(life.claim_one(), status)

    totals = statistics(life, life.key("stats"))

    assert (totals["f:succeeded"], totals["f:failed"]) == (2, 1)
    for kind in ("run", "queue"):
        counted = [
            n for name, n in totals.items() if name.startswith(f"f:{kind}:") and name[-1] != "s"
        ]
        assert sum(counted) == 3
        assert totals[f"f:{kind}:ms"] >= 0
    [minute] = life.command("KEYS", life.key("minute", "*"))
    lately = statistics(life, minute.decode())
    assert (lately["f:succeeded"], lately["f:failed"]) == (2, 1)
    for kind in ("run", "queue"):
        assert sum(n for name, n in lately.items() if name.startswith(f"f:{kind}:")) == 3
    assert life.command("PTTL", minute) > 24 * 3_600_000


def test_queue_time_is_that_of_the_first_attempt(life: Life):
    life.submit()
    life.settle(life.claim_one(), "retrying")
    life.settle(life.claim_one())

    totals = statistics(life, life.key("stats"))

    assert totals["f:retried"] == 1
    assert "f:queue:ms" not in totals
    assert totals["f:run:ms"] >= 0


def bounds_in_lua(life: Life, times_ms: list[float]) -> list[float]:
    """The step that counters.lua counts each time in."""
    text = (resources.files("runtime.store") / "lua/include/counters.lua").read_text()
    source = text.partition("-- add_counts(")[0]
    source += (
        "local found = {}\nfor i, ms in ipairs(ARGV) do tally_time(tostring(i), tonumber(ms))\n"
        "times[tostring(i)].ms = nil\nfor bound in pairs(times[tostring(i)]) do "
        "found[i] = '' .. bound end\nend\nreturn found"
    )
    return [float(bound) for bound in life.command("EVAL", source, 0, *map(str, times_ms))]


def test_the_steps_of_the_script_are_those_of_its_reader(life: Life):
    times_ms = [
        *range(1_200),
        *(
            edge * 10**power + off
            for power in range(1, 8)
            for edge in (10, 25, 50, 95)
            for off in (-1, 0, 1)
        ),
    ]

    for time_ms, bound in zip(times_ms, bounds_in_lua(life, times_ms), strict=True):
        begin = begin_of_step(bound)
        assert begin < time_ms <= bound or begin == time_ms == bound
        assert bound - begin <= 0.1 * begin + 1e-9


def test_a_clock_that_was_put_back_counts_as_no_time(life: Life):
    assert bounds_in_lua(life, [-5]) == [0]


def end_after(life: Life, ran_ms: int) -> None:
    life.submit()
    claimed = life.claim_one()
    began_ms = life.connection.run(read_clock()) - ran_ms
    life.command("HSET", life.key("record", claimed.id), "started_at", began_ms)
    life.settle(claimed)


def test_two_seconds_are_shown_as_two_seconds(life: Life):
    for _ in range(50):
        end_after(life, 2_000)
    now_ms = life.connection.run(read_clock())

    minutes = [life.connection.run(read_minute(now_ms // 60_000 - ago)) for ago in (0, 1)]
    tally = tallies_of(max(minutes, key=len))["f"]

    for share in (0.5, 0.95):
        shown = quantile_ms(tally.run, share)
        assert shown is not None
        assert abs(shown - 2_000) <= 200


def test_the_buckets_of_the_metrics_are_those_they_have_always_been(life: Life):
    for ran_ms in (0, 7, 2_000, 2_400, 2_600, 400_000):
        end_after(life, ran_ms)

    figures = life.connection.run(read_metrics(["f"]))

    counted = dict(zip(figures.bounds_ms, figures.functions["f"].run.counts, strict=False))
    assert figures.bounds_ms == (
        *(5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000),
    )
    assert {bound: n for bound, n in counted.items() if n} == {5: 1, 10: 1, 2_500: 2, 5_000: 1}
    assert figures.functions["f"].run.counts[-1] == 1
    assert figures.functions["f"].run.sum_ms >= 407_007
