"""What calls and idling cost, counted on the Redis server and by the clock."""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.conftest import WEBHOOK_SECRET
from tests.support.monitoring import monitored
from tests.support.system import System
from tests.support.verifying_receiver import receiver_process
from tests.support.waiting import allowed, eventually

CALLS = 200
# Heartbeats and health looks that fall into the same seconds.
NOISE = 25
# Callbacks are queued work of their own.
DELIVERING = ("claim_deliveries", "settle_delivery", "read_invocation", "blpop")


@contextmanager
def workers_paused(system: System) -> Iterator[None]:
    """Freeze the worker processes, so that whatever Redis sees comes from the gateway."""
    workers = system.parts("worker")
    for worker in workers:
        worker.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in workers:
            worker.send_signal(signal.SIGCONT)


def stats(system: System) -> dict[str, int]:
    counts: dict[str, int] = system.http.get("/functions/hello").json()["stats"]
    return counts


def test_accepting_costs_one_round_trip_and_finishing_at_most_one(
    system: System, report: Callable[[str], None]
) -> None:
    system.call("hello", wait_s=10)
    before = stats(system)
    path = str(system.redis_socket)

    with monitored(path) as accepting, workers_paused(system):
        ids = [system.call("hello", name=f"n{number}").json()["id"] for number in range(CALLS)]
        eventually(lambda: accepting.seen["submit_invocations"] >= CALLS)
        accepted = accepting.seen.copy()  # before the workers go on
    with monitored(path) as running:
        eventually(lambda: stats(system)["succeeded"] >= before["succeeded"] + CALLS, every_s=0.5)

    report(f"{CALLS} calls accepted: {dict(accepted)}")
    report(f"{CALLS} calls run and finished: {dict(running.seen)}")
    assert accepted["submit_invocations"] == CALLS
    assert accepted.total() <= CALLS + NOISE
    assert running.seen["settle_invocations"] <= CALLS
    fetching = running.seen["claim_invocations"] + running.seen["script"]
    assert running.seen.total() - fetching <= CALLS + NOISE
    assert {system.invocation(one)["status"] for one in ids} == {"succeeded"}


def test_the_budget_holds_with_every_limit_and_option_in_use(
    system: System, report: Callable[[str], None], tmp_path: Path
) -> None:
    system.write(
        "measured",
        """
        from penstock import function

        @function(concurrency=50, rate="100000/s", max_waiting=100000)
        def measured(n: int) -> int:
            return n
        """,
    )
    eventually(lambda: system.call("measured", n=0, wait_s=10).status_code == 200, within_s=10)
    path = str(system.redis_socket)

    def call(number: int) -> None:
        answer = system.http.post(
            "/functions/measured?priority=7&key=k&tag=t&max_age=1h",
            json={"n": number},
            headers={"Idempotency-Key": f"measured-{number}", "X-Callback-Url": receiver.url},
        )
        assert answer.status_code == 202, answer.text
        assert "RateLimit" in answer.headers

    before = system.http.get("/functions/measured").json()["stats"]["succeeded"]
    with receiver_process(tmp_path, WEBHOOK_SECRET) as receiver:
        with monitored(path) as accepting, workers_paused(system):
            for number in range(CALLS):
                call(number)
            eventually(lambda: accepting.seen["submit_invocations"] >= CALLS)
            accepted = accepting.seen.copy()  # before the workers go on
        with monitored(path) as running:
            eventually(lambda: len(receiver.deliveries()) >= CALLS, every_s=0.2, within_s=20)
    after = system.http.get("/functions/measured").json()["stats"]["succeeded"]

    report(f"{CALLS} calls with all options accepted: {dict(accepted)}")
    report(f"{CALLS} calls with all options finished: {dict(running.seen)}")
    assert after - before == CALLS
    assert accepted["submit_invocations"] == CALLS
    assert accepted.total() <= CALLS + NOISE
    assert running.seen["settle_invocations"] <= CALLS
    apart = ("claim_invocations", "script", *DELIVERING)
    rest = running.seen.total() - sum(running.seen[name] for name in apart)
    assert rest <= CALLS + NOISE


def test_a_call_alone_costs_one_round_trip_to_accept_and_one_to_finish(
    system: System, report: Callable[[str], None]
) -> None:
    system.call("hello", wait_s=10)
    calls = 20

    with monitored(str(system.redis_socket)) as monitor:
        for _ in range(calls):
            assert system.call("hello", wait_s=10).status_code == 200
        eventually(lambda: monitor.seen["settle_invocations"] >= calls)

    report(f"{calls} calls one after the other: {dict(monitor.seen)}")
    assert monitor.seen["submit_invocations"] == calls
    assert monitor.seen["settle_invocations"] == calls


def test_an_idle_worker_process_sends_fewer_than_five_commands_a_second(
    system: System, report: Callable[[str], None]
) -> None:
    system.call("hello", wait_s=10)
    window_s = 8.0  # of four heartbeats, whenever it begins

    with monitored(str(system.redis_socket)) as idling:
        time.sleep(window_s)

    per_worker = idling.seen.total() / window_s / 2
    report(f"idle: {per_worker:.2f} commands/s per worker process, of all processes together")
    assert per_worker < 5


def test_one_call_on_an_idle_system_answers_at_once(
    system: System, report: Callable[[str], None]
) -> None:
    system.call("hello", wait_s=10)
    took_ms = []

    for _ in range(40):
        time.sleep(0.05)
        began_at = time.perf_counter()
        answer = system.call("hello", wait_s=10)
        took_ms.append((time.perf_counter() - began_at) * 1000)
        assert answer.status_code == 200

    report(
        f"idle call and wait: p50 {statistics.median(took_ms):.1f} ms, max {max(took_ms):.1f} ms"
    )
    assert statistics.median(took_ms) < allowed(0.04) * 1000
