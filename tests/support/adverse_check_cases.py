"""Cases of the adverse data set: the scripts of the consistency check, mending what they can."""

# ruff: noqa: ARG005 - every case takes the same
from __future__ import annotations

import hashlib
from typing import Any

from runtime.store import check_commands as checks
from runtime.store import listing_commands as listing
from runtime.store.scripts import Command
from tests.support.adverse_cases import case
from tests.support.adverse_data import BATCH, RUNS, Adverse


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
    lambda d, r: checks.check_places("index", ["live"], _some(d, r, 200), **MENDING)
)
case("check_places", "200 turns of nothing")(
    lambda d, r: checks.check_places("keys", ["crowded", "crowd"], _turns(d, r), **MENDING)
)


def _turns(data: Adverse, run: int) -> list[str]:
    names = [f"nothing{run} {number}" for number in range(200)]
    data.command(
        "ZADD", data.key("keys", "crowded", "crowd"), *(w for name in names for w in (1, name))
    )
    return names


case("check_lanes", "200 of 200,000")(
    lambda d, r: checks.check_lanes(
        [("crowded", "crowd", f"k{at}") for at in range(100_000, 100_200)], **MENDING
    )
)


@case("check_counts", "200 functions with 10,000 leases")
def _check_functions(data: Adverse, run: int) -> Command[Any]:
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
def _check_batch(data: Adverse, run: int) -> Command[Any]:
    batch = data.batches[0]
    ids = data.connection.run(listing.read_member_ids(batch, start=0, most=BATCH))
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


case("request_check", "one")(lambda d, r: checks.ask_check(f"check{r}", repair=r == 1))
case("take_check", "one")(lambda d, r: checks.take_check("w", own_id=f"own{r}"))
case("save_check", "500 findings")(
    lambda d, r: checks.save_check(
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
