"""A Redis that is out of memory refuses whole scripts, never half of one."""

from __future__ import annotations

import pytest

from runtime.errors import StoreRefusedError
from tests.support.life import Life


def test_a_full_redis_refuses_and_nothing_is_half_done(life: Life):
    invocation_id = life.submit()
    life.command("CONFIG", "SET", "maxmemory", 1)
    try:
        with pytest.raises(StoreRefusedError):
            life.submit()
        with pytest.raises(StoreRefusedError):
            life.claim()
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    assert life.claim_one().id == invocation_id


def test_a_full_redis_takes_nothing_from_lanes_that_take_turns(life: Life):
    ids = [life.submit(name) for name in "abab"]
    life.submit("limited")
    life.command("HSET", life.key("limits"), "limited", "1 0 0")
    before = life.command("ZRANGE", life.key("ring", "default"), 0, -1)
    life.command("CONFIG", "SET", "maxmemory", 1)
    try:
        with pytest.raises(StoreRefusedError):
            life.claim(10)
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    assert life.command("ZRANGE", life.key("ring", "default"), 0, -1) == before
    assert {item.id for item in life.claim(10).items} > set(ids)


def test_a_result_refused_by_a_full_redis_can_be_written_later(life: Life):
    life.submit()
    claimed = life.claim_one()
    life.command("CONFIG", "SET", "maxmemory", 1)
    try:
        with pytest.raises(StoreRefusedError):
            life.settle(claimed)
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    assert life.settle(claimed) == "DONE"
