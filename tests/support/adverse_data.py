"""One adverse data set: what an outage, a large customer and a careless hand leave in one Redis.

200,000 fairness keys, 20,000 calls that have expired, 10,000 leases of which half have run out,
1,000 functions, 1,000 schedules, 5,000 deliveries, histories that are due for the sweep, records
with each field missing in turn beside healthy ones, a manifest of another release. Tests run
every script against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from runtime.invocations.ids import new_invocation_id
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.store import scripts
from runtime.store.access_commands import StoredKey, create_key
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from runtime.store.invocation_commands import Claimed, Settlement, claim, heartbeat, settle
from runtime.store.redis_keys import spell_out_keys
from runtime.store.schedule_commands import create_schedule
from runtime.store.scripts import Command, Script
from runtime.store.submission_commands import (
    MOST_TOGETHER,
    commit_batch,
    join_batch,
    parts_of,
    stage_batch,
    submit,
)

FAIRNESS_KEYS = 200_000
EXPIRED = 20_000
LEASES = 10_000
FUNCTIONS = 1_000
SCHEDULES = 1_000
DELIVERIES = 5_000
RECEIVERS = 1_000
HISTORY = 5_000
BATCH = 10_000
API_KEYS = 500
WORKERS = 100
HOUR_MS = 3_600_000
RUNS = 3
"""So often a test runs a script on what is large, each time on a part that no run has touched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An invocation of the set; `lacks` is the field that was taken from its record, or ''."""

    id: str
    token: int = 0
    lacks: str = ""


@dataclass(slots=True, kw_only=True)
class Adverse:
    """The set: how to reach it, and what of it tests name."""

    connection: BlockingConnection
    crowd: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    dead: list[Member] = field(default_factory=list)
    alive: list[Member] = field(default_factory=list)
    wounded: int = 0
    batches: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)

    def command(self, *words: str | int | bytes) -> Any:
        return self.connection.run(Command(words, lambda reply: reply))

    def key(self, name: str, *parts: str) -> str:
        return self.connection.keys.build(name, *parts)


def build(connection: BlockingConnection) -> Adverse:
    """Write the set into an empty Redis; what must be claimed comes before what crowds it out."""
    data = Adverse(connection=connection)
    _add_bystanders(data)
    _add_leases(data)
    _add_history(data)
    _add_functions(data)
    _add_crowd(data)
    _add_late(data)
    return data


def run_all(
    connection: BlockingConnection, calls: Iterable[Command[Any]], *, at_once: int = 500
) -> list[Any]:
    replies: list[Any] = []
    part: list[Command[Any]] = []
    for call in calls:
        part.append(call)
        if len(part) == at_once:
            replies += connection.run_many(part)
            part.clear()
    return replies + connection.run_many(part)


def _plain(data: Adverse, function: str, queue: str, count: int) -> list[str]:
    ids = [new_invocation_id() for _ in range(count)]
    for start in range(0, count, MOST_TOGETHER):
        entries = [(one, b"{}", ()) for one in ids[start : start + MOST_TOGETHER]]
        data.connection.run(submit(function=function, queue=queue, version="v", entries=entries))
    return ids


def claim_all(data: Adverse, queue: str, worker: str, *, lease_ms: int) -> list[Claimed]:
    found: list[Claimed] = []
    while True:
        got = data.connection.run(claim(queue=queue, worker=worker, limit=64, lease_ms=lease_ms))
        found += got.items
        if not got.remaining_lanes:
            return found


def _members(claimed: Iterable[Claimed]) -> list[Member]:
    return [Member(id=one.id, token=one.token) for one in claimed]


def _add_leases(data: Adverse) -> None:
    _plain(data, "held", "default", LEASES // 2)
    data.dead = _members(claim_all(data, "default", "dead", lease_ms=1))
    _plain(data, "held", "default", LEASES // 2)
    data.alive = _members(claim_all(data, "default", "alive", lease_ms=24 * HOUR_MS))


def wish_for(function: str, queue: str, **more: Any) -> tuple[str, Command[Any]]:
    one = new_invocation_id()
    call_options = {"key": "k", "priority": 6, "max_age_ms": HOUR_MS, "tags": ("t",), **more}
    entry = (one, b"{}", parts_of(**call_options))
    return one, submit(function=function, queue=queue, version="v", entries=[entry])


def _add_history(data: Adverse) -> None:
    """Ended calls with a tag: most are past their retention, some have a callback to be sent."""
    for count, call_options in ((HISTORY, {}), (DELIVERIES, {"callback": b"http://r%d.test/%d"})):
        calls = []
        for at in range(count):
            url = {n: text % (at % RECEIVERS, at % 3) for n, text in call_options.items()}
            calls.append(wish_for("past", "past", key="", fields=url)[1])
        run_all(data.connection, calls)
        claimed = claim_all(data, "past", "alive", lease_ms=HOUR_MS)
        for start in range(0, len(claimed), 32):
            data.connection.run(
                settle(
                    [
                        Settlement(
                            id=c.id, token=c.token, status="succeeded", ttl_ms=1, result=b"1"
                        )
                        for c in claimed[start : start + 32]
                    ],
                    worker="alive",
                )
            )


def _add_functions(data: Adverse) -> None:
    """Each has one call that waits; every third may run one at a time, every fifth is at it."""
    data.functions = [f"f{at:04}" for at in range(FUNCTIONS)]
    calls: list[Command[Any]] = []
    for at, name in enumerate(data.functions):
        manifest = encode_manifest(Manifest(name=name, version="v", file=f"{name}.py"))
        limits = "1 0 0" if at % 3 == 0 else ""
        calls.append(
            publish_function(name, manifest=manifest, version=name, source=b"", limits=limits)
        )
        calls.append(wish_for(name, "default", key="", max_age_ms=0)[1])
    run_all(data.connection, calls)
    for name in data.functions[::15]:
        data.command("SADD", data.key("running", name), "somebody")
    data.command(
        "HSET", data.key("functions"), "zz", b'{"name":"zz","version":"a","file":"z","options":5}'
    )


def _add_late(data: Adverse) -> None:
    """Half of them of a function that has its queue for itself, half of three that take turns."""
    half = EXPIRED // 2
    call_options = [wish_for("late", "late", key="", max_age_ms=1) for _ in range(half)]
    call_options += [wish_for(f"late{at % 3}", "lates", key="", max_age_ms=1) for at in range(half)]
    data.late = [one for one, _ in call_options]
    run_all(data.connection, (call for _, call in call_options))


def _add_crowd(data: Adverse) -> None:
    """One function whose callers give each call a key of its own; some have waited too long."""
    data.crowd = [new_invocation_id() for _ in range(FAIRNESS_KEYS)]
    script = _create_many()
    for start in range(0, FAIRNESS_KEYS, 1_000):
        words: list[str | int] = []
        for at, one in enumerate(data.crowd[start : start + 1_000], start):
            words += (one, f"k{at}", 1 if at % 40 == 0 else 0)
        data.connection.run(Command(tuple(words), lambda reply: reply, script))


def _create_many() -> Script:
    """Creates many in one script, placed by the store's own include: 200,000 within seconds."""
    body = """
        local now = now_ms()
        for at = 1, #ARGV, 3 do
          redis.call('HSET', key_record(ARGV[at]), 'function', 'crowd', 'queue', 'crowded',
            'created_at', now, 'status', 'queued', 'version', 'v', 'arguments', '{}')
          give_place(ARGV[at], now, {
            function_name = 'crowd', queue = 'crowded', key = ARGV[at + 1], priority = 5,
            max_age_ms = ARGV[at + 2] ~= '0' and tonumber(ARGV[at + 2]) or nil,
          })
          if at % 300 == 1 then write_created('crowded', 'crowd') end
        end
        write_created('crowded', 'crowd')
        return 'OK'
    """
    parts = [
        "local P = KEYS[1]",
        *scripts.read_includes(["clock", "create_invocation"]).values(),
        body,
    ]
    source = spell_out_keys("\n".join(parts))
    return Script("create_many", (), source, hashlib.sha1(source.encode()).hexdigest())


def _add_bystanders(data: Adverse) -> None:
    """Batches, schedules of which each twentieth lacks a field, API keys and workers."""
    for _ in range(RUNS + 1):
        batch = new_invocation_id()
        data.batches.append(batch)
        for start in range(0, BATCH, 500):
            entries = [(new_invocation_id(), b"{}") for _ in range(min(500, BATCH - start))]
            data.connection.run(
                stage_batch(batch=batch, function="b", queue="batch", version="v", entries=entries)
            )
    commit = commit_batch(batch=data.batches[0], size=BATCH)
    while data.connection.run(commit).reception == "PART":
        pass
    while data.connection.run(join_batch(data.batches[0])):
        pass
    lacking = ("function", "arguments", "cron", "timezone", "revision", "since", "source")
    schedule = {"arguments": b"{}", "cron": "* * * * *", "timezone": "UTC", "paused": "0"}
    for at in range(SCHEDULES):
        fields = {"function": "f0000", "overlap": "1", "catch_up": "0", **schedule}
        data.connection.run(create_schedule(f"s{at:04}", fields))
        if at % 20 == 0:
            key = data.key("schedule", f"s{at:04}")
            data.command("HDEL", key, lacking[at // 20 % len(lacking)])
    for at in range(API_KEYS):
        api_key = StoredKey(id=f"key{at}", name=f"n{at % 50}", digest="d", scopes=("admin",))
        data.connection.run(
            create_key(api_key, lifetime_ms=0, callback_secret="s", replaces_secret=False)
        )
    for at in range(WORKERS):
        data.connection.run(
            heartbeat(
                worker=f"w{at}",
                lease_ms=HOUR_MS,
                worker_ttl_ms=24 * HOUR_MS,
                may_publish=1,
                details=b"{}",
                held=[],
            )
        )
