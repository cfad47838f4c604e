"""Counts and histograms, written in the step that ends an invocation."""

from __future__ import annotations

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
    assert statistics(life, minute.decode()) == totals
    assert life.command("PTTL", minute) > 24 * 3_600_000


def test_queue_time_is_that_of_the_first_attempt(life: Life):
    life.submit()
    life.settle(life.claim_one(), "retrying")
    life.settle(life.claim_one())

    totals = statistics(life, life.key("stats"))

    assert totals["f:retried"] == 1
    assert "f:queue:ms" not in totals
    assert totals["f:run:ms"] >= 0
