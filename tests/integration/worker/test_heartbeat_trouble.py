"""The heart of a worker beats whatever happens to what it tells and hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runtime.broker.in_flight import InFlight
from runtime.loop import Loop
from runtime.store.loop_connection import LoopConnection
from runtime.worker.heartbeat import Heartbeat
from tests.support.failing_log import FailingLog
from tests.support.life import Life
from tests.support.loop_thread import turn_until


class FailingHeartbeat:
    """A heartbeat turned by the test; what it calls fails as often as told."""

    def __init__(self, url: str) -> None:
        self.loop = Loop()
        self.called = {"describe": 0, "on_pulse": 0, "on_order": 0}
        self.fails_at = ""
        self._connections = [LoopConnection(url, self.loop), LoopConnection(url, self.loop)]
        self._heartbeat = Heartbeat(
            self.loop,
            *self._connections,
            worker="w1",
            lease_ms=2_000,
            interval_s=0.02,
            in_flight=InFlight(),
            describe=self._acting("describe", b"{}"),
            on_pulse=self._acting("on_pulse"),
            on_order=self._acting("on_order"),
            may_publish=lambda: 0,
        )
        self._heartbeat.start(lambda: None)

    def wait_for(self, name: str, count: int) -> None:
        turn_until(self.loop, lambda: self.called[name] >= count)

    def stop(self) -> None:
        self._heartbeat.stop()
        for connection in self._connections:
            connection.close()
        self.loop.close()

    def _acting(self, name: str, answer: bytes = b"") -> Callable[..., bytes]:
        def act(*_: object) -> bytes:
            self.called[name] += 1
            if self.fails_at == name:
                raise ValueError(name)
            return answer

        return act


@pytest.fixture
def make_heartbeat(redis_url: str) -> Iterator[Callable[..., FailingHeartbeat]]:
    made: list[FailingHeartbeat] = []

    def make(url: str = redis_url) -> FailingHeartbeat:
        made.append(FailingHeartbeat(url))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.mark.parametrize("fails_at", ["describe", "on_pulse"])
def test_it_beats_on_when_what_it_calls_fails(
    make_heartbeat: Callable[..., FailingHeartbeat], fails_at: str
):
    one = make_heartbeat()
    one.fails_at = fails_at

    one.wait_for(fails_at, 3)

    one.fails_at = ""
    one.wait_for("on_pulse", one.called["on_pulse"] + 2)


def test_it_listens_on_when_an_order_fails(
    make_heartbeat: Callable[..., FailingHeartbeat], life: Life
):
    one = make_heartbeat()
    one.fails_at = "on_order"

    for count in (1, 2, 3):
        life.command("RPUSH", life.key("control", "w1"), "nonsense")
        one.wait_for("on_order", count)


def test_it_beats_on_when_redis_is_away_and_the_log_takes_no_line(
    make_heartbeat: Callable[..., FailingHeartbeat], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    log = FailingLog()
    monkeypatch.setattr("runtime.worker.heartbeat._log", log)
    one = make_heartbeat(f"unix://{tmp_path}/nothing.sock")

    one.wait_for("describe", 4)

    assert log.lines >= 3
