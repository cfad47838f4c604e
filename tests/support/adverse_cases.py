"""Every script with the largest arguments its callers give it, for the adverse data set.

A case is called several times with the number of the run, so that each run meets a part of the
set that none has touched.
"""

# ruff: noqa: ARG005 - every case takes the same
from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from runtime.invocations.identifiers import new_invocation_id
from runtime.registry.manifest import Manifest
from runtime.store import access_calls as access
from runtime.store import aftercare_calls as aftercare
from runtime.store import check_calls as checks
from runtime.store import delivery_calls as deliveries
from runtime.store import event_calls as events
from runtime.store import function_calls as functions
from runtime.store import invocation_calls as life
from runtime.store import listing_calls as listing
from runtime.store import metrics_calls as metrics
from runtime.store import schedule_calls as schedules
from runtime.store import submission_calls as submission
from runtime.store import system_calls as system
from runtime.store.scripts import Call
from tests.support.adverse_data import BATCH, HOUR_MS, RUNS, Adverse, Member

Case = Callable[[Adverse, int], Call[Any]]
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


def _claim(queue: str) -> Call[Any]:
    return life.claim(
        queue=queue, worker="alive", limit=PLACES, lease_ms=HOUR_MS, ahead=AHEAD, quick=["crowd"]
    )


case("claim_invocations", "among 1,000 functions")(lambda d, r: _claim("default"))
case("claim_invocations", "among 200,000 keys")(lambda d, r: _claim("crowded"))
case("claim_invocations", "where 10,000 have expired")(lambda d, r: _claim("late"))
case("claim_invocations", "where those of three functions have")(lambda d, r: _claim("lates"))


@case("settle_invocations", "endings of all kinds")
def _settle(data: Adverse, run: int) -> Call[Any]:
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
def _release(data: Adverse, run: int) -> Call[Any]:
    held = [(m.id, m.token, True) for m in _part(data.alive[1_000:], run, HELD)]
    return life.release(held, worker="alive")


def _beat(members: list[Member]) -> Call[Any]:
    return life.heartbeat(
        worker="alive",
        lease_ms=24 * HOUR_MS,
        worker_ttl_ms=24 * HOUR_MS,
        can_publish=True,
        details=b"{}",
        held=[(one.id, one.token) for one in members],
    )


case("heartbeat", "all that a worker has")(lambda d, r: _beat(_part(d.alive[2_000:], r, HELD)))


@case("heartbeat", "after a silence")
def _beat_after_silence(data: Adverse, run: int) -> Call[Any]:
    _let_leases_run_out(data)
    data.command("SET", data.key("pulse"), 1)
    return _beat(_part(data.alive[2_000:], run, HELD))


def _let_leases_run_out(data: Adverse) -> None:
    for start in range(0, len(data.dead), 500):
        past = [word for one in data.dead[start : start + 500] for word in (1, one.id)]
        data.command("ZADD", data.key("leases"), "XX", *past)
    data.command("DEL", data.key("patience"))


@case("look_after", "of the dead and the expired")
def _look_after(data: Adverse, run: int) -> Call[Any]:
    _let_leases_run_out(data)
    return aftercare.look_after(lease_ms=HOUR_MS)


case("recount_running", "10,000 leases")(lambda d, r: aftercare.recount_running())
case("read_quarantine", "the latest")(lambda d, r: aftercare.read_quarantine())


@case("set_aside", "one that runs")
def _set_aside(data: Adverse, run: int) -> Call[Any]:
    one = data.alive[-10 - run]
    return aftercare.set_aside(
        one.id, queue="default", function="held", worker="alive", reason="unreadable"
    )


case("submit_invocation", "one more key")(
    lambda d, r: submission.submit(
        invocation_id=new_invocation_id(),
        function="crowd",
        queue="crowded",
        key=f"new{r}",
        tags=[f"t{n}" for n in range(16)],
        max_age_ms=HOUR_MS,
        fields={"version": "v", "arguments": b"{}"},
    )
)
case("submit_plain", "eight together")(
    lambda d, r: submission.submit_plain(
        function="crowd",
        queue="crowded",
        version="v",
        entries=[(new_invocation_id(), b"{}") for _ in range(8)],
    )
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
case("commit_batch", "10,000 calls")(
    lambda d, r: submission.commit_batch(batch=d.batches[1 + r], size=BATCH)
)
case("read_batch", "a page far in")(
    lambda d, r: listing.read_batch(d.batches[0], start=BATCH - 500, most=GATEWAY_PAGE)
)
case("cancel_invocation", "one of 200,000 keys")(lambda d, r: life.cancel(d.crowd[150_000 + r]))
case("purge_queue", "of 1,000 functions")(lambda d, r: system.purge_queue("default"))
case("purge_queue", "of 200,000 keys")(lambda d, r: system.purge_queue("crowded"))
case("purge_queue", "of 10,000 in one lane")(lambda d, r: system.purge_queue("late"))
case("adopt_lanes", "of 200 functions")(
    lambda d, r: system.adopt_lanes("default", d.functions[: system.MOST_ADOPTING])
)
case("sweep", "a full part")(lambda d, r: system.sweep())
case("wake_worker", "whatever waits")(lambda d, r: life.wake("default"))
case("pause_queue", "and resume")(
    lambda d, r: system.pause_queue("default", is_paused=r + 1 < RUNS)
)
case("retire_worker", "one of many")(lambda d, r: life.retire_worker(f"w{r}"))
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
def _append(data: Adverse, run: int) -> Call[Any]:
    one = data.alive[-1]
    entries = [
        events.Entry(number=1 + run * 64 + n, kind="log", data=b"1" * 2_000) for n in range(64)
    ]
    return events.append_events(one.id, one.token, entries, worker="alive", most_bytes=100_000)


case("read_events", "all there is")(lambda d, r: events.read_events(d.alive[-1].id, gateway="g"))


case("claim_deliveries", "of 1,000 receivers")(
    lambda d, r: deliveries.claim(free=512, limit=64, lease_ms=1, most_steps=10)
)


@case("settle_delivery", "the last attempt")
def _settle_delivery(data: Adverse, run: int) -> Call[Any]:
    claim = deliveries.claim(free=512, limit=1, lease_ms=HOUR_MS, most_steps=10)
    [item] = data.line.run(claim).items
    return deliveries.settle(
        delivery_id=item.id,
        attempt=item.attempt,
        verdict="failed",
        retry_in_ms=0,
        pace="slow",
        entry=b"{}",
    )


def _some_delivery(data: Adverse, run: int) -> str:
    [found] = data.command("ZRANGE", data.key("deliveries", "pending"), 1000 + run, 1000 + run)
    return str(found.decode())


case("redeliver", "one")(lambda d, r: deliveries.redeliver(_some_delivery(d, r)))
case("read_delivery", "one")(lambda d, r: deliveries.read(_some_delivery(d, r)))
case("list_deliveries", "of any status")(
    lambda d, r: deliveries.list_page(
        statuses=["pending", "delivered", "failed", "stopped"], limit=GATEWAY_PAGE, before=None
    )
)


def _manifest(name: str) -> bytes:
    return Manifest(name=name, version="v", file="f.py").encode()


case("publish_function", "one of 1,000 anew")(
    lambda d, r: functions.publish_function(
        f"f00{r:02}",
        manifest=_manifest(f"f00{r:02}"),
        version=f"new{r}",
        source=b"1" * 100_000,
        schedule=("* * * * *", "UTC"),
    )
)
case("annotate_function", "one")(
    lambda d, r: functions.annotate_function(f"f01{r:02}", manifest=_manifest(f"new{r}"))
)
case("withdraw_function", "one of 1,000")(lambda d, r: functions.withdraw_function(f"f02{r:02}"))
case("create_schedule", "one more")(
    lambda d, r: schedules.create_schedule(
        f"more{r}", {"function": "f0001", "arguments": b"{}", "cron": "* * * * *", "paused": "0"}
    )
)
case("change_schedule", "one")(
    lambda d, r: schedules.change_schedule(f"s000{r + 1}", {"paused": "1"})
)
case("delete_schedule", "one")(lambda d, r: schedules.delete_schedule(f"s001{r + 1}"))
case("read_schedules", "a page")(lambda d, r: schedules.list_schedules(after="", most=GATEWAY_PAGE))
case("read_due_schedules", "100 of 1,000")(lambda d, r: schedules.read_agenda(most=100))
case("fire_schedule", "one")(
    lambda d, r: schedules.fire_schedule(
        f"s003{r + 1}", invocation_id=new_invocation_id(), shape=schedules.Shape(version="v")
    )
)


@case("tick_schedule", "all moments that one decision may bring")
def _tick(data: Adverse, run: int) -> Call[Any]:
    due = [one for one in data.line.run(schedules.read_agenda(most=100)).due if one.function]
    return schedules.tick_schedule(
        due[run + 1],
        since_ms=1,
        following_ms=10**14,
        shape=schedules.Shape(version="v"),
        moments=[
            *((at, "") for at in range(1, 101)),
            *((at, new_invocation_id()) for at in range(101, 201)),
        ],
    )


case("create_api_key", "one more")(
    lambda d, r: access.create_key(
        access.StoredKey(id=f"more{r}", name="n", digest="d", scopes=("admin",)),
        lifetime_ms=0,
        callback_secret="s",
        replaces_secret=True,
    )
)
case("revoke_api_key", "one of 500")(lambda d, r: access.revoke_key(f"key{r}"))
case("read_api_keys", "all")(lambda d, r: access.read_keys())
case("note_key_use", "100 keys")(lambda d, r: access.note_use([f"key{n}" for n in range(100)]))
case("open_session", "one")(lambda d, r: access.open_session("digest", "key9", longest_ms=HOUR_MS))
case("read_session", "one")(lambda d, r: access.find_session("digest"))


def _some(data: Adverse, run: int, count: int) -> list[str]:
    return data.crowd[run * count + 100_000 : (run + 1) * count + 100_000]


MENDING = {"repair": True}
case("check_invocations", "100 records")(
    lambda d, r: checks.compare_invocations(_some(d, r, checks.MOST_RECORDS), **MENDING)
)
case("check_invocations", "100 records in none of their places")(
    lambda d, r: checks.compare_invocations(_displaced(d, r), **MENDING)
)


def _displaced(data: Adverse, run: int) -> list[str]:
    found = _some(data, run + 10, checks.MOST_RECORDS)
    for at, one in enumerate(found, 100_000 + (run + 10) * checks.MOST_RECORDS):
        data.command("ZREM", data.key("lane", "crowded", "crowd", f"k{at}"), one)
        for name in ("live", "live:crowd"):
            data.command("ZREM", data.key("index", name), one)
    return found


case("check_places", "200 of an index")(
    lambda d, r: checks.compare_places("index", ["live"], _some(d, r, 200), **MENDING)
)
case("check_places", "200 turns of nothing")(
    lambda d, r: checks.compare_places("keys", ["crowded", "crowd"], _turns(d, r), **MENDING)
)


def _turns(data: Adverse, run: int) -> list[str]:
    names = [f"nothing{run} {number}" for number in range(200)]
    data.command(
        "ZADD", data.key("keys", "crowded", "crowd"), *(w for name in names for w in (1, name))
    )
    return names


case("check_lanes", "200 of 200,000")(
    lambda d, r: checks.compare_lanes(
        [("crowded", "crowd", f"k{at}") for at in range(100_000, 100_200)], **MENDING
    )
)


@case("check_counts", "200 functions with 10,000 leases")
def _check_functions(data: Adverse, run: int) -> Call[Any]:
    names = [*data.functions[:199], "held"]
    data.command("HINCRBY", data.key("waiting"), "held", 1)
    return checks.compare_functions(names, _leases(data), **MENDING)


def _leases(data: Adverse) -> dict[str, checks.Lease]:
    ids = data.command("ZRANGE", data.key("leases"), 0, checks.MOST_LEASES - 1)
    return {one.decode(): checks.Lease(function="held", queue="default") for one in ids}


case("check_counts", "a queue of 1,000 functions")(
    lambda d, r: checks.compare_queue("default", _leases(d), **MENDING)
)
case("check_counts", "a queue of 200,000 keys")(
    lambda d, r: checks.compare_queue("crowded", _leases(d), **MENDING)
)


@case("check_batch", "10,000 members")
def _check_batch(data: Adverse, run: int) -> Call[Any]:
    batch = data.batches[0]
    ids = data.line.run(listing.read_member_ids(batch, start=0, most=BATCH))
    statuses = dict.fromkeys(ids, "succeeded") | dict.fromkeys(ids[: checks.MOST_UNENDED], "queued")
    return checks.compare_batch(batch, statuses, **MENDING)


case("check_deliveries", "200")(
    lambda d, r: checks.compare_deliveries(_deliveries(d, r), **MENDING)
)


def _deliveries(data: Adverse, run: int) -> list[str]:
    first = 2_000 + 200 * run
    found = data.command("ZRANGE", data.key("deliveries", "pending"), first, first + 199)
    data.command("ZREM", data.key("deliveries_due"), *found)
    return [one.decode() for one in found]


case("check_receivers", "100")(lambda d, r: checks.compare_receivers(_receivers(d), **MENDING))


def _receivers(data: Adverse) -> list[str]:
    names = [hashlib.sha1(b"http://r%d.test/0" % at).hexdigest() for at in range(100)]
    for name in names:
        data.command("HSET", data.key("receiver", name), "in_flight", 1)
    return names


case("check_schedules", "200 that are never ticked")(
    lambda d, r: checks.compare_schedules(_schedules(d), **MENDING)
)


def _schedules(data: Adverse) -> list[str]:
    names = [f"s{at:04}" for at in range(400, 600)]
    data.command("ZREM", data.key("schedules_due"), *names)
    return names


case("ask_check", "one")(lambda d, r: checks.ask_check(f"check{r}", repair=r == 1))
case("take_check", "one")(lambda d, r: checks.take_check("w", own_id=f"own{r}"))
case("note_check", "500 findings")(
    lambda d, r: checks.note_check(
        "check0",
        "w",
        looked_at=1,
        is_last=r == RUNS - 1,
        findings=[
            checks.Finding(
                kind="stray", id=f"i{at}", actual="is", expected="should", is_repaired=True
            )
            for at in range(checks.MOST_NOTED)
        ],
    )
)
case("read_checks", "the last ten")(lambda d, r: checks.read_checks())
case("read_check", "1,000 findings")(lambda d, r: checks.read_check("check0"))
