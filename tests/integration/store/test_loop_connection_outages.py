"""The connection of a worker's loop when Redis is away: all are told once, and it opens again."""

from __future__ import annotations

import select
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from runtime.errors import StoreError, StoreUnavailableError
from runtime.loop import Loop
from runtime.store.error_counters import REDIS_ERRORS
from runtime.store.loop_connection import LoopConnection
from tests.integration.store.on_loop import PING, Heard, kill_others
from tests.support.life import Life
from tests.support.loop_thread import turn_for, turn_until
from tests.support.redis_server import start_redis
from tests.support.redis_statistics import blocked
from tests.support.waiting import allowed, eventually


def test_when_the_connection_is_lost_all_are_told_once_and_the_next_call_opens_another(
    life: Life, loop: Loop, on_loop: LoopConnection, heard: Heard
):
    REDIS_ERRORS.take()
    on_loop.block(["k"], timeout_s=30, receive=heard.append)
    turn_until(loop, lambda: blocked(life))
    on_loop.run(PING, heard.append)
    on_loop.run_many([PING, PING], heard.append)
    loop.turn(0)

    kill_others(life)
    heard.wait(3)
    turn_for(loop, 0.02)

    assert len(heard) == 3
    assert all(isinstance(each, StoreUnavailableError) for each in heard)
    assert sum(REDIS_ERRORS.take().values()) >= 4
    on_loop.run(PING, heard.append)
    assert heard.wait(4)[3] == b"PONG"


def test_what_a_callback_asks_for_when_the_connection_is_lost_goes_over_the_next(
    life: Life, loop: Loop, on_loop: LoopConnection, heard: Heard
):
    on_loop.block(["k"], timeout_s=30, receive=lambda _: on_loop.run(PING, heard.append))
    turn_until(loop, lambda: blocked(life))

    kill_others(life)

    assert heard.wait() == [b"PONG"]


def test_where_nobody_listens_calls_are_told_so_and_a_later_one_finds_redis(
    tmp_path: Path, loop: Loop, heard: Heard
):
    on_loop = LoopConnection(f"unix://{tmp_path}/redis.sock", loop)
    on_loop.run(PING, heard.append)
    on_loop.block(["k"], timeout_s=1, receive=heard.append)
    first, second = heard.wait(2)
    assert isinstance(first, StoreUnavailableError)
    assert isinstance(second, StoreUnavailableError)
    assert "redis.sock" in str(first)

    server = start_redis(tmp_path)
    try:
        on_loop.run(PING, heard.append)
        assert heard.wait(3)[2] == b"PONG"
        on_loop.close()
    finally:
        server.kill()
        server.wait()


def test_where_no_thread_can_be_had_calls_are_told_so_and_a_later_one_finds_redis(
    on_loop: LoopConnection, heard: Heard, monkeypatch: pytest.MonkeyPatch
):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as shortage:
        shortage.setattr(threading.Thread, "start", refuse)
        on_loop.run(PING, heard.append)
        on_loop.run(PING, heard.append)
        assert heard == []

        first, second = heard.wait(2)

    assert "can't start new thread" in str(first)
    assert isinstance(second, StoreUnavailableError)
    on_loop.run(PING, heard.append)
    assert heard.wait(3)[2] == b"PONG"


@pytest.mark.parametrize("breaks", ["connection", "wait"])
def test_a_call_behind_a_wait_that_fails_is_told_of_once(
    life: Life, loop: Loop, on_loop: LoopConnection, heard: Heard, breaks: str
):
    if breaks == "wait":
        life.command("SET", "k", "no list")
    on_loop.block_and_run(["k"], PING, timeout_s=30, receive=heard.append)
    if breaks == "connection":
        turn_until(loop, lambda: blocked(life))
        kill_others(life)

    [failure] = heard.wait()
    turn_for(loop, 0.02)

    assert isinstance(failure, StoreError)
    assert len(heard) == 1


@pytest.mark.parametrize("is_open", [True, False])
def test_closing_tells_all_that_wait_once_and_the_next_call_opens_again(
    life: Life, loop: Loop, redis_url: str, *, is_open: bool
):
    heard = Heard(loop)
    made = LoopConnection(redis_url, loop)
    if is_open:
        made.run(PING, heard.append)
        heard.wait()
        heard.clear()
    before = life.command("CLIENT", "LIST").count(b" addr=")
    made.block(["k"], timeout_s=30, receive=heard.append)
    made.run(PING, heard.append)

    made.close()
    made.close()

    assert [type(each) for each in heard] == [StoreUnavailableError] * 2
    made.run(PING, heard.append)
    assert heard.wait(3)[2] == b"PONG"
    made.close()
    turn_for(loop, 0.05)
    expected = before - 1 if is_open else before
    eventually(lambda: life.command("CLIENT", "LIST").count(b" addr=") == expected)
    assert len(heard) == 3


def test_a_server_that_hangs_is_given_up_and_found_again(tmp_path: Path, loop: Loop):
    heard = Heard(loop)
    server = start_redis(tmp_path)
    on_loop = LoopConnection(f"unix://{tmp_path}/redis.sock", loop, timeout_s=0.2)
    try:
        on_loop.run(PING, heard.append)
        heard.wait()
        server.send_signal(signal.SIGSTOP)
        began_at = time.monotonic()
        on_loop.run(PING, heard.append)
        on_loop.run(PING, heard.append)
        heard.wait(3)
        took_s = time.monotonic() - began_at
        assert [type(each) for each in heard[1:]] == [StoreUnavailableError] * 2
        assert "no answer within 0.2 s" in str(heard[1])
        assert 0.2 <= took_s < allowed(2)

        on_loop.run(PING, heard.append)  # it connects, and nobody shakes hands
        assert isinstance(heard.wait(4)[3], StoreUnavailableError)
        server.send_signal(signal.SIGCONT)
        on_loop.run(PING, heard.append)
        assert heard.wait(5)[4] == b"PONG"
        on_loop.close()
    finally:
        server.kill()
        server.wait()


def test_a_wait_that_redis_answers_in_time_is_not_given_up(loop: Loop, redis_url: str):
    heard = Heard(loop)
    on_loop = LoopConnection(redis_url, loop, timeout_s=0.05)

    on_loop.block(["k"], timeout_s=0.3, receive=heard.append)

    assert heard.wait() == [None]
    on_loop.close()


def test_a_server_that_speaks_nonsense_is_left(
    loop: Loop, life: Life, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    heard = Heard(loop)
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    on_loop = LoopConnection(redis_url, loop)
    with monkeypatch.context() as patched:
        patched.setattr("runtime.store.loop_connection.connect", lambda *_: (ours, "nonsense"))
        on_loop.run(PING, heard.append)
        turn_until(loop, lambda: select.select([theirs], [], [], 0)[0])

    theirs.send(b"+PONG\r\n+PONG\r\n!what\r\n")
    on_loop.run(PING, heard.append)

    heard.wait(2)
    assert heard[0] == b"PONG"
    turn_for(loop, 0.02)
    on_loop.run(PING, heard.append)
    assert heard.wait(3)[2] == b"PONG"
    theirs.close()
    on_loop.close()


def test_opening_takes_no_turn_of_the_loop(loop: Loop):
    """A server that takes connections and does not answer holds up nothing else."""
    heard = Heard(loop)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        on_loop = LoopConnection(
            f"redis://127.0.0.1:{silent.getsockname()[1]}", loop, timeout_s=0.3
        )
        on_loop.run(PING, heard.append)
        ticks: list[float] = []

        def tick() -> None:
            ticks.append(loop.time())
            loop.call_later(0.01, tick)

        tick()
        [failure] = heard.wait()

    assert isinstance(failure, StoreUnavailableError)
    assert len(ticks) > 3  # it was waited for 0.3 s, and the loop turned meanwhile
    eventually(lambda: "connect" not in {thread.name for thread in threading.enumerate()})


def test_who_answers_the_handshake_as_no_redis_does_is_told_to_who_waits(loop: Loop):
    heard = Heard(loop)
    with socket.create_server(("127.0.0.1", 0)) as server:
        on_loop = LoopConnection(f"redis://127.0.0.1:{server.getsockname()[1]}", loop)
        on_loop.run(PING, heard.append)
        other, _ = server.accept()
        other.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        [failure] = heard.wait()
        other.close()

    assert isinstance(failure, StoreUnavailableError)
