"""Attempts that tell while Redis is away: nothing is lost but what must be, and that is told."""

from __future__ import annotations

import signal
import time

import psutil
import pytest

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Claimed
from runtime.worker import event_buffer as telling_module
from tests.integration.worker.listening import Hearing, events, numbers
from tests.support.failing_log import FailingLog
from tests.support.life import Life
from tests.support.redis_server import start_redis
from tests.support.waiting import eventually


@pytest.fixture
def frozen(tmp_path):
    """A Redis that can be stopped and go on: its URL, its process, and a life on it."""
    server = start_redis(tmp_path)
    url = f"unix://{tmp_path / 'redis.sock'}"
    connection = BlockingConnection(url)
    yield url, psutil.Process(server.pid), Life(connection)
    connection.close()
    server.send_signal(signal.SIGCONT)
    server.kill()
    server.wait()


def test_redis_gone_for_a_while_misses_and_doubles_nothing(frozen):
    url, redis, life = frozen
    life.submit()
    claimed = life.claim_one(lease_ms=60_000)
    hearing = Hearing(url, timeout_s=0.1)
    pending_events = hearing.listen(claimed)
    pending_events.put("item", b"0")
    eventually(lambda: events(life, claimed))

    redis.suspend()
    for number in range(1, 200):
        pending_events.put("item", b"%d" % number)
        time.sleep(0.002)  # some fall into a writing that fails
    redis.resume()
    hearing.settle(pending_events)
    hearing.stop()

    items = b"\n".join(data for _, data in events(life, claimed))
    assert items.split(b"\n") == [b"%d" % number for number in range(200)]
    assert numbers(life, claimed)[-1] == 200


def test_events_while_redis_is_away_are_bounded_and_what_is_left_out_is_told(frozen, monkeypatch):
    monkeypatch.setattr(telling_module, "_PATIENCE_S", 0.05)
    url, redis, life = frozen
    life.submit()
    claimed = life.claim_one(lease_ms=60_000)
    hearing = Hearing(url, timeout_s=0.1)
    pending_events = hearing.listen(claimed)

    redis.suspend()
    for number in range(60):
        pending_events.put("item", b"%d" % number)
        pending_events.put("event", b'"%d %s"' % (number, b"x" * 50_000))
    redis.resume()
    hearing.settle(pending_events)
    hearing.stop()

    found = events(life, claimed)
    kept_bytes = sum(len(data) for _, data in found)
    most_bytes = telling_module.MOST_WAITING_BYTES + telling_module.MOST_TAKEN_BYTES
    assert kept_bytes < 1.2 * most_bytes
    assert any(b"events left out" in data for kind, data in found if kind == "log")
    items = b"\n".join(data for kind, data in found if kind == "item")
    assert items.split(b"\n") == [b"%d" % number for number in range(60)]
    assert found[-1][1].startswith(b'"59 ')


def test_attempts_are_heard_although_one_is_refused_and_the_log_takes_no_line(
    life: Life, redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    log = FailingLog()
    monkeypatch.setattr("runtime.worker.event_writer._log", log)
    claims = []
    for _ in range(3):
        life.submit()
        claims.append(life.claim_one(lease_ms=60_000))
    life.command("SET", life.key("events", claims[1].id), "no stream")
    hearing = Hearing(redis_url)
    tellings = [hearing.listen(claimed) for claimed in claims]

    def report(number: int) -> None:  # in one turn: it is written together
        for pending_events in tellings:
            pending_events.put("item", b"%d" % number)

    def heard(claimed: Claimed) -> bytes:
        return b" ".join(data for _, data in events(life, claimed))

    for number in range(3):
        hearing.on_loop.do(lambda number=number: report(number))
        for claimed in (claims[0], claims[2]):
            expected = b" ".join(b"%d" % reported for reported in range(number + 1))
            eventually(lambda one=claimed, text=expected: heard(one) == text, within_s=1)
    assert log.lines >= 1

    life.command("DEL", life.key("events", claims[1].id))
    eventually(lambda: heard(claims[1]).split() == [b"0", b"1", b"2"])
    hearing.stop()
