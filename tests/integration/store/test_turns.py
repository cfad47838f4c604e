"""Whose turn it is: fair, cheap to leave, whatever a clock says or an older release has written."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from runtime.errors import StoreError
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import cancel
from runtime.store.scripts import all_scripts
from runtime.store.submission_commands import submit
from runtime.store.system_commands import purge_queue
from runtime.worker.queue_cleanup import QueueCleanup
from tests.support.life import Life
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

MOST_MS = 10
MANY_KEYS = 200_000
_FILL = """
local P, queue, name, from, to, expires_at = KEYS[1], 'default', ARGV[1], ARGV[2], ARGV[3], ARGV[4]
for at = from, to do
  local id, key = string.format('00000000-0000-7000-8000-%012d', at), 'k' .. at
  local score = 4 * 4398046511104 + 1000000000000 + at
  redis.call('HSET', P .. 'inv:' .. id, 'function', name, 'queue', queue, 'created_at',
    1000000000000 + at, 'status', 'queued', 'version', 'v', 'arguments', '{}', 'key', key)
  if expires_at ~= '0' then
    redis.call('HSET', P .. 'inv:' .. id, 'expires_at', expires_at)
    redis.call('ZADD', P .. 'expiring', expires_at, id)
  end
  redis.call('ZADD', P .. 'q:default:lane:' .. name .. ':' .. key, score, id)
  redis.call('ZADD', P .. 'q:default:turns:' .. name, at, key)
end
redis.call('ZADD', P .. 'q:default:turns', 1, name)
redis.call('SADD', P .. 'queues', queue)
redis.call('HINCRBY', P .. 'q:default', 'waiting', to - from + 1)
redis.call('HINCRBY', P .. 'waiting', name, to - from + 1)
return to - from + 1
"""


def identifier(at: int) -> str:
    return f"00000000-0000-7000-8000-{at:012}"


def let_wait(life: Life, name: str, count: int, *, expires_at: int = 0) -> None:
    """Let so many calls wait, each under a fairness key of its own."""
    for start in range(0, count, 1_000):
        words = (_FILL, 1, life.connection.keys.prefix, name, start, start + 999, expires_at)
        life.command("EVAL", *words)


def times(life: Life, act: Callable[[], None]) -> dict[str, float]:
    """Return how long each kind of script took in Redis while `act` ran, in ms.

    Of several calls alike the quickest counts, as the machine may be busy with others; those below
    0.1 ms are left out.
    """
    names = {script.sha.encode(): script.name for script in all_scripts()}
    life.command("CONFIG", "SET", "slowlog-log-slower-than", 100)
    life.command("CONFIG", "SET", "slowlog-max-len", 1_000)
    life.command("SLOWLOG", "RESET")
    act()
    found: dict[str, list[float]] = {}
    for entry in life.command("SLOWLOG", "GET", -1):
        if entry[3][0].upper() == b"EVALSHA":
            found.setdefault(names[entry[3][1]], []).append(entry[2] / 1000)
    return {name: min(took) for name, took in found.items()}


@pytest.fixture(scope="module")
def long_line(tmp_path_factory) -> Iterator[Life]:
    with own_redis(tmp_path_factory.mktemp("turns")) as url:
        life = Life(BlockingConnection(url, timeout_s=60))
        yield life
        life.connection.close()


def test_with_200_000_fairness_keys_no_script_takes_long(long_line: Life):
    life = long_line
    let_wait(life, "f", MANY_KEYS, expires_at=1)
    life.beat()  # the scripts are known from now on

    def act() -> None:
        for at in range(150_000, 150_050):
            assert life.connection.run(cancel(identifier(at))) == "CANCELLED"
        for _ in range(10):
            life.beat()
            assert life.connection.run(purge_queue("default")) > 0
            life.claim(8)

    took = times(life, act)

    assert {name: ms for name, ms in took.items() if ms > MOST_MS} == {}
    assert took, "nothing was measured"


def test_fairness_keys_and_functions_take_turns_whatever_joins_meanwhile(life: Life):
    for name in ("a", "b"):
        for key in ("x", "y"):
            for _ in range(3):
                life.submit(name, key=key)

    seen = []
    for _ in range(8):
        [item] = life.claim(1).items
        seen.append(item.function)
        if len(seen) == 2:
            life.submit("c", key="z")

    assert seen == ["a", "b", "a", "b", "c", "a", "b", "a"]


def test_a_turn_is_kept_where_the_clock_is_put_back(life: Life):
    """Turns are counted: none comes from a clock."""
    for name in ("a", "b", "c"):
        for _ in range(2):
            life.submit(name)

    ring = life.command("ZRANGE", life.key("ring", "default"), 0, -1, "WITHSCORES")

    assert [int(score) for score in ring[1::2]] == [1, 2, 3]
    assert [life.claim(1).items[0].function for _ in range(6)] == ["a", "b", "c"] * 2


def as_release_0_1_left_it(life: Life, function: str, keys: list[str]) -> None:
    """Put a function's turns where that release had them."""
    for key in keys:
        life.command("RPUSH", life.key("old_keys", "default", function), key)
    life.command("RPUSH", life.key("old_ring", "default"), function)
    life.command("DEL", life.key("keys", "default", function))
    life.command("ZREM", life.key("ring", "default"), function)


def adopt_all(life: Life) -> None:
    """Put things in order, as the worker that publishes does."""
    housekeeper = QueueCleanup(life.connection, lambda: True)
    while housekeeper.step() < 1:
        pass


def test_lanes_of_the_release_before_are_adopted_and_none_is_left(life: Life):
    keys = [f"k{at}" for at in range(1_700)]
    for key in keys:
        life.submit("f", key=key)
    life.submit("g")
    as_release_0_1_left_it(life, "f", keys)
    as_release_0_1_left_it(life, "g", [""])
    assert life.claim(10).items == ()

    adopt_all(life)

    started = 0
    while items := life.claim(500).items:
        started += len(items)
    assert started == 1_701
    for name in ("old_ring", "ring"):
        assert life.command("EXISTS", life.key(name, "default")) == 0
    assert life.command("EXISTS", life.key("old_keys", "default", "f")) == 0


def test_a_step_takes_a_moment_however_much_is_to_be_adopted(life: Life):
    keys = [f"k{at}" for at in range(3_000)]
    for key in keys:
        life.submit("f", key=key)
    as_release_0_1_left_it(life, "f", keys)
    housekeeper = QueueCleanup(life.connection, lambda: True)

    steps = 0
    while life.command("EXISTS", life.key("old_keys", "default", "f")):
        before = life.command("LLEN", life.key("old_keys", "default", "f"))
        assert housekeeper.step() < 1
        assert before - life.command("LLEN", life.key("old_keys", "default", "f")) <= 1_000
        steps += 1

    assert steps >= 3
    assert len(life.claim(1_000).items) == 1_000


def test_a_function_at_its_limit_is_adopted_and_goes_on_when_it_may(life: Life):
    life.command("HSET", life.key("limits"), "f", "1 0 0")
    for key in ("x", "y"):
        life.submit("f", key=key)
    [first] = life.claim(5).items
    as_release_0_1_left_it(life, "f", ["y"])
    life.command("DEL", life.key("old_ring", "default"))  # held: it was not in the ring

    adopt_all(life)
    assert life.claim(5).items == ()
    life.settle(first)

    assert len(life.claim(5).items) == 1


def test_a_process_of_the_release_before_may_go_on_beside_this_one(life: Life):
    """It finds its lists emptied and its lanes taken from: both must be harmless here."""
    for key in ("x", "y"):
        life.submit("f", key=key)
    for key in ("x", "y"):
        life.command("DEL", life.key("lane", "default", "f", key))  # it has claimed them
    life.command("HSET", life.key("queue", "default"), "waiting", 0)

    assert life.claim(5).items == ()
    assert life.command("EXISTS", life.key("keys", "default", "f")) == 0


def test_calls_of_several_functions_join_the_same_turns(life: Life):
    life.connection.run(
        submit(function="f", queue="default", version="v", entries=[("a", b"{}", ())])
    )
    life.submit("g")

    assert [item.function for item in life.claim(2).items] == ["f", "g"]


@pytest.mark.parametrize("names", [("broken", "sound"), ("sound", "broken"), ("broken",)])
def test_a_lane_that_is_none_keeps_no_other_function_from_its_turn(
    life: Life, names: tuple[str, ...]
):
    for name in names:
        life.submit(name)
    life.command("DEL", life.key("lane", "default", "broken", ""))
    life.command("SET", life.key("lane", "default", "broken", ""), "no lane")

    with pytest.raises(StoreError):
        life.claim(5)

    life.submit("later")
    started = [item.function for item in life.claim(5).items]
    assert started == [*(name for name in names if name == "sound"), "later"]


def test_a_claim_that_ends_many_leaves_the_rest_where_it_waits(life: Life):
    """Where as many have expired as a claim may end, those behind them keep their places."""
    for name in ("a", "b"):
        for _ in range(120):
            life.submit(name, max_age_ms=1)
    for name in ("a", "b"):
        life.submit(name)
    eventually(lambda: all_expired(life))

    ended, started = 0, []
    for _ in range(4):
        claim = life.claim(200)
        ended += len(claim.expired)
        started += [item.function for item in claim.items]
        assert len(claim.expired) <= 100

    assert (ended, sorted(started)) == (240, ["a", "b"])
    assert life.command("HMGET", life.key("queue", "default"), "waiting", "running") == [b"0", b"2"]
    assert (
        life.command("EXISTS", life.key("ring", "default"), life.key("keys", "default", "a")) == 0
    )


def all_expired(life: Life) -> bool:
    latest = life.command("ZRANGE", life.key("expiring"), -1, -1, "WITHSCORES")
    seconds, microseconds = life.command("TIME")
    return int(seconds) * 1000 + int(microseconds) // 1000 >= int(latest[1])
