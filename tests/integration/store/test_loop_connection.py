"""The connection of a worker's loop: every call is answered once and in order."""

from __future__ import annotations

import time

import pytest

from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.loop import Loop
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import claim
from runtime.store.loop_connection import LoopConnection
from runtime.store.system_commands import read_queues
from runtime.telemetry.background import CRASHES
from tests.integration.store.on_loop import PING, Heard, call
from tests.support.life import Life
from tests.support.loop_thread import turn_until
from tests.support.redis_statistics import blocked
from tests.support.waiting import allowed, eventually


def test_calls_go_out_together_and_are_answered_in_order(on_loop: LoopConnection, heard: Heard):
    for number in range(100):
        on_loop.run(call("ECHO", number), heard.append)
    on_loop.run_many([call("ECHO", "a"), PING], heard.append)

    heard.wait(101)

    assert heard[:100] == [b"%d" % number for number in range(100)]
    assert heard[100] == [b"a", b"PONG"]


def test_nothing_is_answered_before_the_caller_has_returned(on_loop: LoopConnection, heard: Heard):
    on_loop.run(PING, heard.append)
    heard.wait()

    on_loop.run(PING, heard.append)

    assert len(heard) == 1
    heard.wait(2)


def test_scripts_that_redis_does_not_know_are_run_all_the_same(
    life: Life, on_loop: LoopConnection, heard: Heard
):
    life.submit()
    life.command("SCRIPT", "FLUSH")
    claiming = claim(queue="default", worker="w1", limit=1, lease_ms=10_000)

    on_loop.run_many([read_queues(), PING, claiming], heard.append)
    [[queues, pong, claimed]] = heard.wait()

    assert [queue.name for queue in queues] == ["default"]
    assert (pong, len(claimed.items)) == (b"PONG", 1)


def test_an_error_reply_is_ours_and_harms_no_other_call(on_loop: LoopConnection, heard: Heard):
    on_loop.run(call("GET"), heard.append)
    on_loop.run(PING, heard.append)
    on_loop.run_many([PING, call("GET"), call("NONSENSE")], heard.append)

    error, pong, many = heard.wait(3)

    assert type(error) is StoreError
    assert "wrong number of arguments" in str(error)
    assert pong == b"PONG"
    assert "wrong number of arguments" in str(many), "the first failure"


def test_a_full_redis_is_told_as_a_refusal(life: Life, on_loop: LoopConnection, heard: Heard):
    life.command("CONFIG", "SET", "maxmemory", 1)
    try:
        on_loop.run(call("SET", "k", "v"), heard.append)
        [refused] = heard.wait()
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    assert isinstance(refused, StoreRefusedError)


def test_who_hears_and_raises_harms_no_other_answer(on_loop: LoopConnection, heard: Heard):
    CRASHES.take()

    def fail(_: object) -> None:
        raise ValueError("broken")

    on_loop.run(PING, fail)
    on_loop.run(PING, heard.append)

    assert heard.wait() == [b"PONG"]
    assert CRASHES.take() == 1


def test_waiting_ends_with_a_value_with_time_or_with_nothing(
    life: Life, on_loop: LoopConnection, heard: Heard
):
    on_loop.block(["j", "k"], timeout_s=0.01, receive=heard.append)
    assert heard.wait() == [None]

    on_loop.block(["j", "k"], timeout_s=5, receive=heard.append)
    life.command("RPUSH", "k", "v")
    assert heard.wait(2)[1] == ("k", b"v")

    life.command("SET", "k", "no list")
    on_loop.block(["k"], timeout_s=5, receive=heard.append)
    assert "WRONGTYPE" in str(heard.wait(3)[2])


@pytest.mark.parametrize("is_known", [True, False])
def test_a_call_behind_a_wait_is_run_by_redis_when_the_wait_ends(
    life: Life, loop: Loop, on_loop: LoopConnection, heard: Heard, *, is_known: bool
):
    claiming = claim(queue="default", worker="w1", limit=1, lease_ms=10_000)
    wake = [life.key("wake", "default")]

    on_loop.block_and_run(wake, claiming, timeout_s=0.01, receive=heard.append)
    assert heard.wait()[0].items == ()
    if not is_known:
        life.command("SCRIPT", "FLUSH")
    on_loop.block_and_run(wake, claiming, timeout_s=5, receive=heard.append)
    turn_until(loop, lambda: blocked(life))
    life.submit()

    assert len(heard.wait(2)[1].items) == 1


def test_finishing_ends_a_wait_at_once_and_the_next_call_opens_another_connection(
    life: Life, loop: Loop, on_loop: LoopConnection, heard: Heard
):
    on_loop.block(["k"], timeout_s=30, receive=heard.append)
    turn_until(loop, lambda: blocked(life))
    began_at = time.monotonic()

    on_loop.finish()
    on_loop.run(PING, heard.append)

    heard.wait(2)
    assert time.monotonic() - began_at < allowed(2)
    assert b"PONG" in heard
    assert sum(isinstance(each, StoreUnavailableError) for each in heard) == 1
    eventually(lambda: blocked(life) == 0)
    on_loop.finish()
    on_loop.finish()


def test_a_reply_that_is_on_its_way_comes_although_the_line_has_finished(
    life: Life, loop: Loop, on_loop: LoopConnection, heard: Heard
):
    on_loop.block(["k"], timeout_s=30, receive=heard.append)
    turn_until(loop, lambda: blocked(life))
    life.command("RPUSH", "k", "v")
    assert life.command("EXISTS", "k") == 0, "Redis has given it away"
    on_loop.run(call("RPUSH", "j", "asked for in the same turn"), heard.append)

    on_loop.finish()

    assert heard.wait(2) == [("k", b"v"), 1]
    assert life.command("LLEN", "j") == 1


def test_a_wait_that_was_not_sent_yet_is_ended_too(life: Life, loop: Loop, redis_url: str):
    heard = Heard(loop)
    opening = LoopConnection(redis_url, loop)
    opening.block_and_run(["k"], PING, timeout_s=30, receive=heard.append)
    opening.run(call("RPUSH", "j", "v"), heard.append)

    opening.finish()

    heard.wait(2, within_s=2)
    assert 1 in heard
    assert blocked(life) == 0
    opening.close()


def test_large_calls_and_answers_pass_while_others_are_answered(
    loop: Loop, on_loop: LoopConnection, redis_url: str
):
    heard = Heard(loop)
    large = "x" * 20_000_000
    on_loop.run(call("SET", "large", large), heard.append)
    for _ in range(3):
        on_loop.run(call("GET", "large"), heard.append)

    heard.wait(4, within_s=10)

    assert [len(each) for each in heard[1:]] == [len(large)] * 3
    other = BlockingConnection(redis_url)
    assert other.run(call("STRLEN", "large")) == len(large)
    other.close()
