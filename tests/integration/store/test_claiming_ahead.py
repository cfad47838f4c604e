"""A claim takes quick functions ahead of its limit, and nobody loses a turn by it."""

from __future__ import annotations

from runtime.store.invocation_calls import Claimed, Settlement, settle
from runtime.store.system_calls import pause_queue
from tests.support.life import Life


def taken(life: Life, limit: int, *, ahead: int, quick: str) -> str:
    """What a claim took: the functions' names, which have one letter here, in a row."""
    items = life.claim(limit, ahead=ahead, quick=quick.split()).items
    return "".join(item.function for item in items)


def test_a_quick_function_alone_is_taken_ahead_at_once_and_in_order(life: Life):
    ids = [life.submit("q") for _ in range(7)]

    first = life.claim(2, ahead=3, quick=["other", "q"])
    second = life.claim(2, ahead=3, quick=["q"])

    assert [item.id for item in first.items] == ids[:5]
    assert first.remaining_lanes == 1
    assert [item.id for item in second.items] == ids[5:]
    assert second.remaining_lanes == 0


def test_nothing_is_taken_ahead_that_is_not_named_or_has_a_limit(life: Life):
    life.command("HSET", life.key("limits"), "c", "9 0 0", "r", "0 100 1000")
    for name in "abcr" * 3:
        life.submit(name)

    claim = life.claim(4, ahead=8, quick=["c", "r", "ab", "b.a"])

    assert [item.function for item in claim.items] == ["a", "b", "c", "r"]
    assert claim.remaining_lanes == 4


def test_quick_ones_use_up_the_limit_first(life: Life):
    for name in "qqqs":
        life.submit(name)

    assert taken(life, 2, ahead=1, quick="q") == "qsq"


def test_who_is_passed_over_keeps_the_turn(life: Life):
    for name in "abqcpd":
        life.submit(name)
        life.submit(name)

    assert taken(life, 1, ahead=3, quick="q p") == "aqpq"

    assert taken(life, 3, ahead=0, quick="") == "bcd"


def test_what_is_left_because_it_is_not_quick_counts_and_wakes_somebody(life: Life):
    life.submit("slow")
    life.submit("slow")
    life.command("DEL", life.key("wake", "default"))

    claim = life.claim(1, ahead=10, quick=["quick"])

    assert (len(claim.items), claim.remaining_lanes) == (1, 1)
    assert life.command("LLEN", life.key("wake", "default")) == 1


def test_many_that_are_not_quick_do_not_make_a_claim_long(life: Life):
    names = [f"s{n}" for n in range(200)]
    for name in names:
        life.submit(name)
    life.submit("q")

    claim = life.claim(1, ahead=5, quick=["q"])

    assert [item.function for item in claim.items] == names[:1]
    assert claim.remaining_lanes == 200
    assert [item.function for item in life.claim(200).items] == [*names[1:], "q"]


def test_fairness_keys_take_turns_ahead_too(life: Life):
    for key in ("loud", "loud", "loud", "calm"):
        life.submit("q", key=key)
    calm = life.submit("q", key="calm")

    claim = life.claim(1, ahead=3, quick=["q"])

    assert len(claim.items) == 4
    assert claim.remaining_lanes == 1
    assert calm in [item.id for item in claim.items]


def test_a_paused_queue_says_so(life: Life):
    life.submit()
    life.line.run(pause_queue("default", is_paused=True))

    paused = life.claim(5, ahead=5, quick=["f"])
    life.line.run(pause_queue("default", is_paused=False))
    resumed = life.claim()

    assert (paused.is_paused, paused.remaining_lanes, paused.items) == (True, 0, ())
    assert (resumed.is_paused, len(resumed.items)) == (False, 1)


def test_of_calls_that_were_lost_before_one_goes_ahead_at_a_time(life: Life):
    ids = [life.submit("q") for _ in range(8)]
    lost = life.claim(6)
    life.line.run(settle([lost_one(item) for item in lost.items], worker="w1"))

    first = life.claim(2, ahead=10, quick=["q"])
    second = life.claim(0, ahead=10, quick=["q"])

    assert [item.id for item in first.items] == [*ids[:3], *ids[6:]]
    assert first.remaining_lanes == 1
    assert [item.id for item in second.items] == ids[3:4]
    assert [item.id for item in life.claim(5).items] == ids[4:6]
    assert life.command("HGET", life.key("queue", "default"), "waiting") == b"0"
    assert life.command("HGET", life.key("waiting"), "q") == b"0"


def lost_one(item: Claimed) -> Settlement:
    return Settlement(id=item.id, token=item.token, status="lost", ttl_ms=60_000)
