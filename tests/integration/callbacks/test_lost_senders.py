"""Senders and Redis die in mid-delivery: nothing is lost, a late word is refused."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from runtime.callbacks.deliverer import Deliverer
from runtime.store import delivery_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.integration.callbacks.conftest import SECRET, Sending
from tests.support.receiver import Receiver, receiving, status
from tests.support.redis_server import start_redis
from tests.support.waiting import eventually

SENDER = """
import sys
from runtime.callbacks.deliverer import Deliverer
from runtime.callbacks.ssrf_guard import Policy
from runtime.callbacks.config import DeliveryRules
from runtime.callbacks.signing import parse_secret
from threading import Event, Thread
url, secret = sys.argv[1:]
rules = DeliveryRules(
    secrets=(parse_secret(secret),), policy=Policy(allow_loopback=True), lease_ms=1_000, idle_s=1
)
Deliverer(url, rules).start()
Event().wait()
"""


@contextmanager
def sender_process(url: str):
    """Run a deliverer in a process of its own; kill it at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", SENDER, url, SECRET],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_sender_killed_before_its_note_leaves_the_delivery_to_another(
    sending: Sending, receiver: Receiver
):
    with sender_process(sending.url) as sender:

        async def kill_then_take(request, writer):
            os.kill(sender.pid, signal.SIGKILL)
            await status(200)(request, writer)

        receiver.behave("/ok", kill_then_take, status(200))
        delivery_id = sending.finish(receiver.url("/ok"))
        eventually(lambda: sender.poll() is not None, within_s=10)

    with sending.deliverer(idle_s=1):
        delivery = sending.until(delivery_id, "delivered")

    first, second = [json.loads(entry) for entry in delivery.attempts]
    assert (first["error"], first["status_code"]) == ("the sender stopped", None)
    assert second["status_code"] == 200
    assert [request.headers["webhook-id"] for request in receiver.requests] == [delivery_id] * 2


def test_a_sender_that_lost_its_lease_is_refused(sending: Sending, receiver: Receiver):
    answered = asyncio.Event()

    async def slow(request, writer):
        await answered.wait()
        await status(500)(request, writer)

    async def quick(request, writer):
        await status(200)(request, writer)
        answered.set()

    receiver.behave("/ok", slow, quick)
    delivery_id = sending.finish(receiver.url("/ok"))

    with sending.deliverer(lease_ms=300, total_s=5, idle_s=0.5):
        delivery = sending.until(delivery_id, "delivered")
        eventually(lambda: receiver.open_now == 0)

    errors = [json.loads(entry)["error"] for entry in delivery.attempts]
    assert errors == ["the sender stopped", None]
    assert sending.read(delivery_id) == delivery


def test_a_late_settlement_changes_nothing(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok"))
    claim = delivery_commands.claim(free=9, limit=9, lease_ms=1, most_steps=9)
    eventually(lambda: sending.connection.run(claim).items)
    [again] = eventually(lambda: sending.connection.run(claim).items)

    answer = sending.connection.run(
        delivery_commands.settle(
            delivery_id=delivery_id,
            attempt=again.attempt - 1,
            next_status="delivered",
            retry_in_ms=0,
            pace="quick",
            entry=b"{}",
        )
    )

    assert answer == "LOST"
    assert sending.read(delivery_id).status == "pending"


def test_a_delivery_that_kills_every_sender_fails_at_last(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok"))
    claim = delivery_commands.claim(free=9, limit=9, lease_ms=1, most_steps=3)

    def claim_until_ended() -> bool:
        sending.connection.run(claim)
        return sending.read(delivery_id).status == "failed"

    eventually(claim_until_ended)

    assert len(sending.read(delivery_id).attempts) == 3


def test_what_ends_while_redis_is_away_is_settled_when_it_is_back(tmp_path):
    asked, gone = Event(), Event()

    async def answer_when_redis_is_gone(request, writer):
        asked.set()
        await asyncio.to_thread(gone.wait, 10)
        await status(200)(request, writer)

    with receiving() as receiver, ExitStack() as stack:
        receiver.behave("/ok", answer_when_redis_is_gone)
        connection = BlockingConnection(f"unix://{tmp_path / 'redis.sock'}")
        stack.callback(connection.close)
        sending = Sending(f"unix://{tmp_path / 'redis.sock'}", connection)
        with durable_redis(tmp_path):
            delivery_id = sending.finish(receiver.url("/ok"))
            stack.enter_context(sending.deliverer(lease_ms=30_000, total_s=15))
            eventually(asked.is_set)
        connection.close()
        gone.set()
        eventually(lambda: receiver.open_now == 0)
        with hanging_up(tmp_path / "redis.sock") as calls:
            eventually(lambda: len(calls) >= 4)  # it has tried to settle, in vain
        stack.enter_context(durable_redis(tmp_path))

        delivery = sending.until(delivery_id, "delivered")
        sending.until(sending.finish(receiver.url("/ok/later")), "delivered")

    assert len(delivery.attempts) == 1
    assert len(receiver.at("/ok")) == 1


@contextmanager
def hanging_up(path: Path):
    """Listen where Redis was and hang up on everybody; yield what came, to be counted."""
    path.unlink(missing_ok=True)
    calls: list[bool] = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            with suppress(OSError):
                while True:
                    listener.accept()[0].close()
                    calls.append(True)

        thread = Thread(target=answer, daemon=True)
        thread.start()
        yield calls
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
    path.unlink()


@contextmanager
def durable_redis(folder: Path):
    """Run a Redis that keeps what it was told, and kill it."""
    server = start_redis(folder, "--appendonly", "yes", "--appendfsync", "always")
    try:
        yield
    finally:
        server.kill()
        server.wait()


def test_a_full_redis_begins_no_attempt(sending: Sending, receiver: Receiver):
    delivery_id = sending.finish(receiver.url("/ok"))
    # It waits in its lane already: what is left to do needs no memory, but its note would.
    sending.connection.run(delivery_commands.claim(free=0, limit=0, lease_ms=1, most_steps=9))
    sending.connection.run(Command(("CONFIG", "SET", "maxmemory", "1"), bytes))
    try:
        with sending.deliverer():
            time.sleep(0.5)
            assert not receiver.requests
            sending.connection.run(Command(("CONFIG", "SET", "maxmemory", "0"), bytes))
            sending.until(delivery_id, "delivered")
    finally:
        sending.connection.run(Command(("CONFIG", "SET", "maxmemory", "0"), bytes))

    assert len(receiver.requests) == 1


def test_stopping_twice_and_starting_twice_is_safe(sending: Sending):
    deliverer = Deliverer(sending.url, sending.rules())
    deliverer.start()
    deliverer.start()

    deliverer.stop()
    deliverer.stop()


def test_a_deliverer_stops_at_once_when_redis_never_was(tmp_path, sending: Sending):
    deliverer = Deliverer(f"unix://{tmp_path}/nobody.sock", sending.rules())
    deliverer.start()
    [thread] = [one for one in threading.enumerate() if one.name == "deliverer"]

    deliverer.stop()

    assert not thread.is_alive()
