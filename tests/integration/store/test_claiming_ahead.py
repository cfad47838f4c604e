"""A claim takes functions that have room of their own ahead of its limit; nobody loses a turn."""

from __future__ import annotations

from collections import Counter

import pytest

from runtime.store.invocation_commands import Claimed, Settlement, settle
from runtime.store.system_commands import pause_queue
from tests.support.life import Life


def taken(life: Life, limit: int, *, ahead: int, **rooms: int) -> str:
    """What a claim took: the functions' names, which have one letter here, in a row."""
    items = life.claim(limit, ahead=ahead, rooms=rooms).items
    return "".join(item.function for item in items)


def test_a_function_with_room_alone_is_taken_ahead_at_once_and_in_order(life: Life):
    ids = [life.submit("q") for _ in range(7)]

    first = life.claim(2, ahead=3, rooms={"other": 9, "q": 9})
    second = life.claim(2, ahead=3, rooms={"q": 10})

    assert [item.id for item in first.items] == ids[:5]
    assert first.remaining_lanes == 1
    assert [item.id for item in second.items] == ids[5:]
    assert second.remaining_lanes == 0


def test_nothing_is_taken_ahead_that_is_not_named(life: Life):
    for name in "abc" * 3:
        life.submit(name)

    claim = life.claim(3, ahead=8, rooms={"ab": 9, "b.a": 9, "": 9})

    assert [item.function for item in claim.items] == ["a", "b", "c"]
    assert claim.remaining_lanes == 3


def test_of_a_function_no_more_is_taken_ahead_than_it_has_room_for(life: Life):
    for name in "abc" * 5:
        life.submit(name)

    claim = life.claim(3, ahead=9, rooms={"a": 2, "b": 1})

    assert "".join(item.function for item in claim.items) == "abcaba"
    assert claim.remaining_lanes == 3


def test_of_a_function_that_has_no_room_at_all_none_is_taken(life: Life):
    for name in "abc" * 3:
        life.submit(name)

    claim = life.claim(4, ahead=9, rooms={"a": 0})

    assert "".join(item.function for item in claim.items) == "bcbc"
    assert claim.remaining_lanes == 3


def test_of_a_function_alone_no_more_is_taken_ahead_than_it_has_room_for(life: Life):
    ids = [life.submit("a") for _ in range(6)]

    claim = life.claim(1, ahead=9, rooms={"a": 3})

    assert [item.id for item in claim.items] == ids[:4]
    assert claim.remaining_lanes == 1


@pytest.mark.parametrize("has_company", [False, True])
def test_what_goes_ahead_keeps_within_the_limits_of_its_function(life: Life, *, has_company: bool):
    life.command("HSET", life.key("limits"), "c", "3 0 0", "r", "0 2 60000")
    for name in ("cr" if has_company else "c") * 9:
        life.submit(name)

    claim = life.claim(0, ahead=20, rooms={"c": 9, "r": 9})

    counts = Counter(item.function for item in claim.items)
    assert counts == ({"c": 3, "r": 1} if has_company else {"c": 3})
    assert claim.remaining_lanes == 0, "both are held, as both have used up their limits"
    assert life.command("SCARD", life.key("running", "c")) == 3


def test_those_with_room_use_up_the_limit_first(life: Life):
    for name in "qqqs":
        life.submit(name)

    assert taken(life, 2, ahead=1, q=9) == "qsq"


def test_who_is_passed_over_keeps_the_turn(life: Life):
    for name in "abqcpd":
        life.submit(name)
        life.submit(name)

    assert taken(life, 1, ahead=3, q=9, p=9) == "aqpq"

    assert taken(life, 3, ahead=0) == "bcd"


def test_what_is_left_because_it_has_no_room_counts_and_wakes_somebody(life: Life):
    life.submit("slow")
    life.submit("slow")
    life.command("DEL", life.key("wake", "default"))

    claim = life.claim(1, ahead=10, rooms={"quick": 9})

    assert (len(claim.items), claim.remaining_lanes) == (1, 1)
    assert life.command("LLEN", life.key("wake", "default")) == 1


def test_many_without_room_do_not_make_a_claim_long(life: Life):
    names = [f"s{n}" for n in range(200)]
    for name in names:
        life.submit(name)
    life.submit("q")

    claim = life.claim(1, ahead=5, rooms={"q": 10})

    assert [item.function for item in claim.items] == names[:1]
    assert claim.remaining_lanes == 200
    assert [item.function for item in life.claim(200).items] == [*names[1:], "q"]


def test_fairness_keys_take_turns_ahead_too(life: Life):
    for key in ("loud", "loud", "loud", "calm"):
        life.submit("q", key=key)
    calm = life.submit("q", key="calm")

    claim = life.claim(1, ahead=3, rooms={"q": 10})

    assert len(claim.items) == 4
    assert claim.remaining_lanes == 1
    assert calm in [item.id for item in claim.items]


def test_a_paused_queue_says_so(life: Life):
    life.submit()
    life.connection.run(pause_queue("default", is_paused=True))

    paused = life.claim(5, ahead=5, rooms={"f": 5})
    life.connection.run(pause_queue("default", is_paused=False))
    resumed = life.claim()

    assert (paused.is_paused, paused.remaining_lanes, paused.items) == (True, 0, ())
    assert (resumed.is_paused, len(resumed.items)) == (False, 1)


def test_of_calls_that_were_lost_before_one_goes_ahead_at_a_time(life: Life):
    ids = [life.submit("q") for _ in range(8)]
    lost = life.claim(6)
    life.connection.run(settle([lost_one(item) for item in lost.items], worker="w1"))

    first = life.claim(2, ahead=10, rooms={"q": 10})
    second = life.claim(0, ahead=10, rooms={"q": 10})

    assert [item.id for item in first.items] == [*ids[:3], *ids[6:]]
    assert first.remaining_lanes == 1
    assert [item.id for item in second.items] == ids[3:4]
    assert [item.id for item in life.claim(5).items] == ids[4:6]
    assert life.command("HGET", life.key("queue", "default"), "waiting") == b"0"
    assert life.command("HGET", life.key("waiting"), "q") == b"0"


def lost_one(item: Claimed) -> Settlement:
    return Settlement(id=item.id, token=item.token, status="lost", ttl_ms=60_000)
