"""Receivers of callbacks that behave badly, and senders that die before they note an answer."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.faults.oracle import decide
from tests.faults.reliability_table import Row
from tests.faults.rig import Rig, rigged
from tests.support.receiver import Received, Receiver, receiving, status
from tests.support.waiting import eventually

EACH = 20
BUSY_S = 8
# Those that fail until they are mended; they are tried twice before that.
BAD = ("/status/503", "/hang", "/reset", "/drip", "/redirect", f"/busy/{BUSY_S}")
# Those whose answer ends the matter, and how.
FINAL = {
    "/ok": "delivered",
    "/endless": "delivered",
    "/bomb": "delivered",
    "/status/410": "stopped",
}
ADDRESSES = [f"{kind}/{number}" for kind in (*BAD, *FINAL) for number in range(EACH)]


def deliveries(rig: Rig, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Return the delivery of each call, by the call's id."""
    return {one: rig.system.http.get(f"/deliveries/dlv_{one}").json() for one in ids}


def make_due(rig: Rig) -> None:
    """Let the time of every waiting delivery have come, instead of waiting for hours."""
    due = rig.redis.key("deliveries_due")
    for one in rig.redis.command("ZRANGE", due, 0, -1):
        rig.redis.command("ZADD", due, "XX", 0, one)
    rig.redis.command("RPUSH", rig.redis.key("delivery_wake"), "1")


def moments(receiver: Receiver) -> dict[str, list[float]]:
    """Return when each address was asked."""
    found: dict[str, list[float]] = defaultdict(list)
    for request in list(receiver.requests):
        found[request.path].append(request.at_s)
    return found


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_bad_receivers_get_every_result_once_they_are_mended(tmp_path: Path, row: Row) -> None:
    row.begin(
        f"{EACH} callbacks each to receivers that fail, hang, reset, drip, redirect, answer 429, "
        "410, a GiB, a compressed bomb",
        goal="each delivered or stopped, attempts as received, `webhook-id` the same",
    )
    with receiving() as receiver, rigged(tmp_path, "--workers", "2") as rig:
        callers = rig.callers(
            "work",
            lambda n: {"number": n},
            headers=lambda n: {"X-Callback-Url": receiver.url(ADDRESSES[n])},
        )
        reported = callers.make(len(ADDRESSES))
        bad = [address for address in ADDRESSES if address.startswith(BAD)]

        eventually(
            lambda: all(len(moments(receiver)[address]) >= 2 for address in bad),
            within_s=90,
            every_s=0.5,
        )
        waits_s = [m[1] - m[0] for a, m in moments(receiver).items() if a.startswith("/busy")]
        for address in bad:
            receiver.behave(address, status(200))
        pending = rig.redis.key("deliveries", "pending")
        eventually(
            lambda: make_due(rig) or not rig.redis.command("ZCARD", pending),
            within_s=60,
            every_s=1,
        )
        verdict = decide(rig, reported, receiver=receiver)

        came = Counter(request.headers["x-call-id"] for request in receiver.requests)
        found = deliveries(rig, {answer.id for answer in reported})
        ended = {a: found[t.id]["status"] for t in reported if (a := address_of(t.key))}
        row.report(f"{len(receiver.requests)} requests for {len(reported)} deliveries")
        row.judged(verdict)
        assert {one: len(delivery["attempts"]) for one, delivery in found.items()} == came
        assert {a for a, how in ended.items() if how == "stopped"} == {
            address for address in ADDRESSES if address.startswith("/status/410")
        }
        assert set(ended.values()) == {"delivered", "stopped"}
        assert set(moments(receiver)) == set(ADDRESSES)  # no redirect was followed
        assert min(waits_s) >= BUSY_S


def address_of(key: str) -> str:
    """Return the address that the call with this key named."""
    return ADDRESSES[int(key.rpartition("-")[2])]


@pytest.mark.faults
@pytest.mark.timeout(120)
def test_a_sender_that_dies_after_the_answer_delivers_again_under_the_same_id(
    tmp_path: Path, row: Row
) -> None:
    row.begin(
        f"every sender killed between the 200 of {EACH} receivers and its note of them",
        goal="each delivered again, under the same `webhook-id`",
    )
    with receiving() as receiver, rigged(tmp_path, "--workers", "2") as rig:
        loop_of, answer_now, answered = [], asyncio.Event(), []

        async def answer_to_the_doomed(request: Received, writer: asyncio.StreamWriter) -> None:
            loop_of.append(asyncio.get_running_loop())
            await answer_now.wait()
            await status(200)(request, writer)
            await writer.drain()
            answered.append(request.path)

        addresses = [f"/ok/{number}" for number in range(EACH)]
        for address in addresses:
            receiver.behave(address, answer_to_the_doomed, status(200))
        callers = rig.callers(
            "work",
            lambda n: {"number": n},
            headers=lambda n: {"X-Callback-Url": receiver.url(addresses[n])},
        )

        reported = callers.make(EACH)
        eventually(lambda: len(receiver.requests) == EACH, within_s=10)
        senders = rig.parts("worker")
        for sender in senders:
            sender.suspend()
        loop_of[0].call_soon_threadsafe(answer_now.set)
        eventually(lambda: len(answered) == EACH)
        for sender in senders:
            rig.deaths.kill(sender)
        pending = rig.redis.key("deliveries", "pending")
        eventually(lambda: not rig.redis.command("ZCARD", pending), within_s=60, every_s=0.5)
        verdict = row.judged(decide(rig, reported, receiver=receiver))

        found = deliveries(rig, {answer.id for answer in reported})
        row.report(f"{len(receiver.requests)} requests for {EACH} deliveries")
        assert len(receiver.requests) == 2 * EACH
        assert {
            tuple((a["status_code"], a["error"]) for a in delivery["attempts"])
            for delivery in found.values()
        } == {((None, "the sender stopped"), (200, None))}
        assert verdict.run_again == 0
