"""What a scrape reads: the figures of one moment, whatever the history."""

from __future__ import annotations

from runtime.store.metrics_commands import SystemMetrics, add_errors, read_metrics
from tests.support.life import Life


def figures(life: Life, *functions: str) -> SystemMetrics:
    return life.connection.run(read_metrics(functions))


def test_endings_retries_and_losses_are_those_of_each_function(life: Life):
    for function, status in (
        *(("f", "succeeded"), ("f", "succeeded"), ("g", "failed")),
        *(("f", "retrying"), ("f", "lost")),
    ):
        life.submit(function)
        life.settle(life.claim_one(), status)

    read = figures(life, "f", "g", "never_called")

    f, g, never_called = (read.functions[name] for name in ("f", "g", "never_called"))
    assert (f.succeeded, f.failed, f.retried, f.lost) == (2, 0, 1, 1)
    assert (g.succeeded, g.failed) == (0, 1)
    assert never_called.run.sum_ms == sum(never_called.run.counts) == 0


def test_a_histogram_has_a_bucket_more_than_bounds_and_counts_every_ending(life: Life):
    for _ in range(3):
        life.submit()
        life.settle(life.claim_one())

    read = figures(life, "f")

    for histogram in (read.functions["f"].run, read.functions["f"].queue):
        assert len(histogram.counts) == len(read.bounds_ms) + 1
        assert sum(histogram.counts) == 3


def test_queues_and_workers_are_as_they_are_now(life: Life):
    life.submit()
    life.submit()
    life.submit(delay_ms=60_000)
    claimed = life.claim_one()
    life.beat(claimed)

    read = figures(life)

    [queue] = read.queues
    assert (queue.waiting, queue.scheduled, queue.running) == (1, 1, 1)
    assert queue.oldest_ms is not None
    assert queue.oldest_ms >= 0
    assert read.workers == 1


def test_deliveries_are_pending_until_they_end(life: Life):
    assert figures(life).oldest_delivery_ms is None

    life.submit(callback="http://127.0.0.1:9/ok")
    life.settle(life.claim_one())
    read = figures(life)

    assert read.pending_deliveries == 1
    assert read.oldest_delivery_ms is not None


def test_errors_of_redis_of_all_processes_add_up(life: Life):
    life.connection.run(add_errors({"unavailable": 2, "refused": 1}))
    life.connection.run(add_errors({"unavailable": 1}))

    totals = figures(life).totals

    assert totals["redis_errors_unavailable"] == 3
    assert totals["redis_errors_refused"] == 1
    assert totals["redis_errors_other"] == 0


def test_a_scrape_s_cost_does_not_grow_with_history(life: Life):
    commands = []
    for _ in range(2):
        for _ in range(40):
            life.submit()
            life.settle(life.claim_one())
        life.command("CONFIG", "RESETSTAT")
        figures(life, "f")
        text = life.command("INFO", "commandstats").decode()
        commands.append(
            {
                line.split(":")[0]: line.split("calls=")[1].split(",")[0]
                for line in text.splitlines()
                if "calls=" in line and "config" not in line and "info" not in line
            }
        )

    assert commands[0] == commands[1]
    assert "cmdstat_hgetall" not in commands[0]
