"""A delivery whose record is damaged is not sent; it holds up no other, and people see it."""

from __future__ import annotations

import time

import pytest

from runtime.store import delivery_commands
from runtime.store.delivery_commands import STATUSES
from runtime.store.recovery_commands import read_quarantine
from tests.integration.callbacks.conftest import Sending
from tests.support.waiting import eventually

NEEDED = ("status", "invocation", "function", "outcome", "url")
LEASED = ("url", "step", "claimed_at")
MANY_MS = 60_000


def damage(sending: Sending, delivery_id: str, what: str) -> None:
    key = sending.life.key("delivery", delivery_id)
    if what == "type":
        sending.life.command("SET", key, "text")
    elif what == "numbers":
        sending.life.command("HSET", key, "attempt", "x", "step", "y", "claimed_at", "z")
    else:
        sending.life.command("HDEL", key, what)


def claim_deliveries(sending: Sending, *, lease_ms: int = MANY_MS) -> list[str]:
    call = delivery_commands.claim(free=64, limit=64, lease_ms=lease_ms, most_steps=10)
    return [one.id for one in sending.connection.run(call).items]


def check_set_aside(sending: Sending, hurt: str) -> None:
    quarantine = sending.connection.run(read_quarantine())
    assert [one.id for one in quarantine.latest] == [hurt]
    listed = sending.connection.run(
        delivery_commands.list_page(statuses=STATUSES, limit=9, before=None)
    )
    found = {one.delivery.id: one.delivery.status for one in listed}
    is_kept = sending.life.command("TYPE", sending.life.key("delivery", hurt)) == b"hash"
    assert found.pop(hurt, None) == ("failed" if is_kept else None)
    assert list(found.values()) == ["pending"] * 2
    read = sending.connection.run(delivery_commands.read(hurt))
    assert (read is not None and read.status == "failed") == is_kept
    for place in ("deliveries_due", "delivery_leases"):
        assert hurt.encode() not in sending.life.command("ZRANGE", sending.life.key(place), 0, -1)


@pytest.mark.parametrize("what", [*NEEDED, "type", "numbers"])
def test_one_that_is_due_holds_up_no_other(sending: Sending, what: str):
    first, hurt, last = sending.finish_many([f"http://{name}.example/" for name in "abc"])
    damage(sending, hurt, what)

    claimed = claim_deliveries(sending)

    assert sorted(claimed) == sorted((first, last))
    check_set_aside(sending, hurt)


@pytest.mark.parametrize("what", [*LEASED, "type", "numbers"])
def test_one_whose_sender_died_holds_up_no_other(sending: Sending, what: str):
    first, hurt, last = sending.finish_many([f"http://{name}.example/" for name in "abc"])
    ends_at = time.monotonic() + 0.001
    assert len(claim_deliveries(sending, lease_ms=1)) == 3
    damage(sending, hurt, what)
    eventually(lambda: time.monotonic() > ends_at)

    again = claim_deliveries(sending)

    assert sorted(again) == sorted((first, last))
    check_set_aside(sending, hurt)
