"""Scripts with the largest arguments their callers give them, for the adverse data set.

Here those of invocations; `adverse_side_cases` has deliveries, functions, schedules and keys,
`adverse_check_cases` the consistency check.

A case is called several times with the number of the run, so that each run meets a part of the
set that none has touched.
"""

# ruff: noqa: ARG005 - every case takes the same
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runtime.invocations.ids import new_invocation_id
from runtime.store import event_commands as events
from runtime.store import invocation_commands as life
from runtime.store import listing_commands as listing
from runtime.store import metrics_commands as metrics
from runtime.store import recovery_commands as aftercare
from runtime.store import retention_commands as retention
from runtime.store import submission_commands as submission
from runtime.store import system_commands as queue_care
from runtime.store import system_commands as system
from runtime.store.scripts import Command
from tests.support.adverse_data import BATCH, HOUR_MS, RUNS, Adverse, Member

Case = Callable[[Adverse, int], Command[Any]]
PLACES, AHEAD, SETTLED = 256, 56, 64
"""The largest claim of a worker, what it takes ahead, and the largest group of its endings."""
HELD = PLACES + AHEAD
GATEWAY_PAGE, BULK_PAGE = 100, 250
STAGED = 500
CASES: dict[str, dict[str, Case]] = {}


def case(script: str, what: str) -> Callable[[Case], Case]:
    """Register a case of a script."""

    def register(function: Case) -> Case:
        CASES.setdefault(script, {})[what] = function
        return function

    return register


def _part(members: list[Member], run: int, size: int) -> list[Member]:
    return members[run * size : (run + 1) * size]


def _claim(queue: str) -> Command[Any]:
    rooms = {"crowd": AHEAD}
    return life.claim(
        queue=queue, worker="alive", limit=PLACES, lease_ms=HOUR_MS, ahead=AHEAD, rooms=rooms
    )


case("claim_invocations", "among 1,000 functions")(lambda d, r: _claim("default"))
case("claim_invocations", "among 200,000 keys")(lambda d, r: _claim("crowded"))
case("claim_invocations", "where 10,000 have expired")(lambda d, r: _claim("late"))
case("claim_invocations", "where those of three functions have")(lambda d, r: _claim("lates"))


@case("settle_invocations", "endings of all kinds")
def _settle(data: Adverse, run: int) -> Command[Any]:
    kinds = ("succeeded", "failed", "retrying", "lost", "cancelled")
    endings = [
        life.Settlement(
            id=one.id,
            token=one.token,
            status=kinds[at % len(kinds)],
            ttl_ms=HOUR_MS,
            retry_after_ms=1,
            result=b"1" * 1_000,
            error=b'{"type":"exception"}',
        )
        for at, one in enumerate(_part(data.alive, run, SETTLED))
    ]
    return life.settle(endings, worker="alive")


@case("release_invocations", "all that a worker has")
def _release(data: Adverse, run: int) -> Command[Any]:
    held = [(m.id, m.token, True) for m in _part(data.alive[1_000:], run, HELD)]
    return life.release(held, worker="alive")


def _beat(members: list[Member]) -> Command[Any]:
    return life.heartbeat(
        worker="alive",
        lease_ms=24 * HOUR_MS,
        worker_ttl_ms=24 * HOUR_MS,
        may_publish=1,
        details=b"{}",
        held=[(one.id, one.token) for one in members],
    )


case("heartbeat", "all that a worker has")(lambda d, r: _beat(_part(d.alive[2_000:], r, HELD)))


@case("heartbeat", "after a silence")
def _beat_after_silence(data: Adverse, run: int) -> Command[Any]:
    _let_leases_run_out(data)
    data.command("SET", data.key("pulse"), 1)
    return _beat(_part(data.alive[2_000:], run, HELD))


def _let_leases_run_out(data: Adverse) -> None:
    for start in range(0, len(data.dead), 500):
        past = [word for one in data.dead[start : start + 500] for word in (1, one.id)]
        data.command("ZADD", data.key("leases"), "XX", *past)
    data.command("DEL", data.key("patience"), data.key("pulse"))


@case("recover_invocations", "of the dead and the expired")
def _look_after(data: Adverse, run: int) -> Command[Any]:
    _let_leases_run_out(data)
    return aftercare.recover(lease_ms=HOUR_MS)


case("recount_running", "10,000 leases")(lambda d, r: aftercare.recount_running())
case("read_quarantine", "the latest")(lambda d, r: aftercare.read_quarantine())


@case("quarantine_invocation", "one that runs")
def _set_aside(data: Adverse, run: int) -> Command[Any]:
    one = data.alive[-10 - run]
    return aftercare.set_aside(
        one.id, queue="default", function="held", worker="alive", reason="unreadable"
    )


case("submit_invocations", "one more key")(
    lambda d, r: submission.submit(
        function="crowd",
        queue="crowded",
        version="v",
        entries=[(new_invocation_id(), b"{}", _everything(f"new{r}"))],
    )
)
case("submit_invocations", "eight together that ask for nothing")(
    lambda d, r: submission.submit(
        function="crowd",
        queue="crowded",
        version="v",
        entries=[(new_invocation_id(), b"{}", ()) for _ in range(8)],
    )
)
case("submit_invocations", "as many together as there may be, that ask for everything")(
    lambda d, r: submission.submit(
        function="crowd",
        queue="crowded",
        version="v",
        max_waiting=10**9,
        entries=[
            (new_invocation_id(), b"{}", _everything(f"new{r} {number}"))
            for number in range(submission.MOST_TOGETHER)
        ],
    )
)


def _everything(key: str) -> submission.Parts:
    return submission.parts_of(
        key=key,
        tags=[f"t{n}" for n in range(16)],
        max_age_ms=HOUR_MS,
        idempotency=submission.Idempotency(digest=key.replace(" ", "-"), body_digest="b"),
        pace=submission.Pace(caller="me", count=10**6, per_ms=1_000),
        retry_of=new_invocation_id(),
        is_repeatable=True,
        fields={"callback": "http://r1.test/1", "traceparent": "00-1", "caller": "me"},
    )


case("admit_batch", "a full one")(
    lambda d, r: submission.admit_batch(
        batch=new_invocation_id(), function="crowd", size=BATCH, max_waiting=10**6
    )
)
case("stage_batch", "a part")(
    lambda d, r: submission.stage_batch(
        batch=new_invocation_id(),
        function="b",
        queue="batch",
        version="v",
        entries=[(new_invocation_id(), b"1" * 1_000) for _ in range(STAGED)],
    )
)
case("commit_batch", "looks for 4,000 of 10,000")(
    lambda d, r: submission.commit_batch(batch=d.batches[1 + r], size=BATCH)
)


@case("commit_batch", "decides")
def _decide(data: Adverse, run: int) -> Command[Any]:
    batch = data.batches[1 + run]
    data.command("HSET", data.key("batch", batch), "seen", 6_000)
    return submission.commit_batch(batch=batch, size=BATCH)


case("join_batch", "1,000 of 10,000")(lambda d, r: submission.join_batch(d.batches[1]))
case("read_batch", "a page far in")(
    lambda d, r: listing.read_batch(d.batches[0], start=BATCH - 500, most=GATEWAY_PAGE)
)
case("cancel_invocation", "one of 200,000 keys")(lambda d, r: life.cancel(d.crowd[150_000 + r]))
case("order_workers", "all of them")(lambda d, r: system.order_workers("relock f.py"))
case("purge_queue", "of 1,000 functions")(lambda d, r: system.purge_queue("default"))
case("purge_queue", "of 200,000 keys")(lambda d, r: system.purge_queue("crowded"))
case("purge_queue", "of 10,000 in one lane")(lambda d, r: system.purge_queue("late"))
case("adopt_lanes", "of 200 functions")(
    lambda d, r: queue_care.adopt_lanes("default", d.functions[: queue_care.MOST_ADOPTING])
)
case("forget_queues", "of all")(
    lambda d, r: queue_care.forget_queues(["default"], functions=len(d.functions) + 1)
)
case("delete_expired", "a full slice")(lambda d, r: retention.sweep(turn_ms=1))
case("mend_index", "a part of what lives")(lambda d, r: retention.mend_index("live"))
case("wake_worker", "whatever waits")(lambda d, r: life.wake("default"))
case("pause_queue", "and resume")(
    lambda d, r: system.pause_queue("default", is_paused=r + 1 < RUNS)
)
case("deregister_worker", "one of many")(lambda d, r: life.retire_worker(f"w{r}"))
case("read_invocation", "one")(lambda d, r: life.read(d.crowd[7], lambda *reply: reply))
case("read_queues", "with 1,000 functions")(lambda d, r: system.read_queues())
case("read_workers", "all")(lambda d, r: system.read_workers())
case("read_metrics", "of 1,000 functions")(
    lambda d, r: metrics.read_metrics(d.functions[: metrics.MOST_FUNCTIONS])
)
case("read_function_metrics", "100 of 1,000")(
    lambda d, r: metrics.read_function_metrics(d.functions[-metrics.MOST_FUNCTIONS :])
)
case("add_errors", "of all kinds")(
    lambda d, r: metrics.add_errors({"unavailable": 1, "refused": 2, "other": 3})
)


def _page(**more: Any) -> Case:
    return lambda d, r: listing.list_page(**more, most=BULK_PAGE)


LIVE = ("queued", "running", "scheduled", "retrying")
case("list_invocations", "newest")(_page())
case("list_invocations", "of one function")(_page(function="crowd"))
case("list_invocations", "of a tag")(_page(tag="t"))
case("list_invocations", "of a tag and a function")(_page(function="crowd", tag="t"))
case("list_invocations", "of a rare tag among 200,000")(_page(function="crowd", tag="rare"))
case("list_invocations", "that ended")(_page(statuses=["succeeded"]))
case("list_invocations", "that wait")(_page(statuses=["queued"]))
case("list_invocations", "that run among those that wait")(_page(statuses=["running"]))
case("list_invocations", "that have not ended")(_page(statuses=LIVE))
case("list_invocations", "that have not ended, of one function")(
    _page(function="crowd", statuses=LIVE)
)


@case("append_events", "beyond what is kept")
def _append(data: Adverse, run: int) -> Command[Any]:
    one = data.alive[-1]
    entries = [
        events.Entry(number=1 + run * 64 + n, kind="log", data=b"1" * 2_000) for n in range(64)
    ]
    return events.append_events(one.id, one.token, entries, worker="alive", most_bytes=100_000)


case("read_events", "all there is")(lambda d, r: events.read_events(d.alive[-1].id, gateway="g"))
