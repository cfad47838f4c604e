"""A worker at its limits goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from dramatiq.middleware import Middleware

from runtime.execution.executor import Executor
from runtime.invocations.status import Status
from runtime.registry.version_cache import VersionCache
from runtime.store.invocation_commands import HeartbeatReply
from runtime.worker import attempts as attempts_module
from runtime.worker.heartbeat import Heartbeat
from tests.integration.worker.working import Working, statuses
from tests.support.life import Life
from tests.support.waiting import eventually

NAP = """
    import asyncio
    from penstock import function

    @function
    async def nap(s: float) -> str:
        await asyncio.sleep(s)
        return "slept"
"""
Work = Callable[..., Working]


def submit_nap(life: Life, version: str = "", seconds: float = 0.0) -> str:
    named = {"version": version} if version else {}
    return life.submit("nap", arguments=b'{"s":%g}' % seconds, **named)


def test_who_has_held_as_many_as_may_be_claims_again_at_once(life: Life, work: Work):
    working = work(max_in_flight=2, heartbeat_ms=60_000, lease_ms=180_000)  # it would look then
    working.write("nap", NAP)
    ids = [submit_nap(life, seconds=0.02) for _ in range(6)]

    eventually(lambda: statuses(life, ids) == [Status.SUCCEEDED] * 6, within_s=3)


@pytest.mark.parametrize("where", ["run", "outcome", "settlement"])
def test_what_the_worker_itself_fails_at_fails_and_nothing_else_does(
    life: Life, work: Work, monkeypatch: pytest.MonkeyPatch, where: str
):
    working = work()
    working.write("nap", NAP)
    broken: list[str] = []

    def breaking(act: Callable[..., object]) -> Callable[..., object]:
        def do(*arguments: object, **named: object) -> object:
            if not broken:
                broken.append(where)
                raise KeyError(where)
            return act(*arguments, **named)

        return do

    if where == "run":
        monkeypatch.setattr(Executor, "run", breaking(Executor.run))
    else:
        name = {"outcome": "decide_outcome", "settlement": "settlement_of"}[where]
        monkeypatch.setattr(attempts_module, name, breaking(getattr(attempts_module, name)))

    ids = working.do(lambda: [submit_nap(life) for _ in range(3)])  # one claim brings them

    eventually(lambda: sorted(statuses(life, ids)) == ["failed", "succeeded", "succeeded"])
    [failed] = [one for one in ids if life.read(one).status == Status.FAILED]
    assert b"Penstock could not run it" in life.read(failed).error
    eventually(lambda: len(working.worker.in_flight) == 0)


def test_a_version_that_is_forgotten_while_middleware_is_told_is_asked_for_again(
    life: Life, work: Work, monkeypatch: pytest.MonkeyPatch
):
    held: list[str] = []

    class OfOne(VersionCache):
        def __init__(self) -> None:
            super().__init__(most_versions=1)

        def learn(self, version: str, data: bytes) -> None:
            held.append(version)
            super().learn(version, data)

    class Crowding(Middleware):
        def before_process_message(self, *_: object) -> None:
            cache.learn("other", source)

    cache = OfOne()
    monkeypatch.setattr("runtime.worker.attempts.VersionCache", lambda: cache)
    working = work(middleware=[Crowding()])
    working.write("nap", NAP)
    [version] = life.command("HVALS", life.key("versions"))
    source = life.command("GET", life.key("source", version.decode()))

    one = submit_nap(life)

    eventually(lambda: life.read(one).status == Status.SUCCEEDED, within_s=3)
    assert held == [version.decode(), "other", version.decode()]


def test_only_the_attempt_that_was_lost_ends_and_not_the_one_that_followed_it_here(
    life: Life, work: Work, monkeypatch: pytest.MonkeyPatch
):
    on_pulse: list[Callable[..., object]] = []

    class Noted(Heartbeat):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            on_pulse.append(named["on_pulse"])
            super().__init__(*arguments, **named)

    monkeypatch.setattr("runtime.worker.process.Heartbeat", Noted)
    working = work()
    working.write("nap", NAP)
    one = submit_nap(life, seconds=4.0)
    held = working.worker.in_flight
    eventually(lambda: (found := held.find(one)) and found.run)
    first = working.do(lambda: held.find(one))
    life.settle(first.claimed, "lost")  # another worker has taken it over, and it is claimed here
    eventually(lambda: (found := held.find(one)) and found is not first and found.run)

    pulse = HeartbeatReply(publishes=True, queues=(), lost=(one,), cancelling=())
    working.do(lambda: on_pulse[0](pulse, [first]))

    eventually(lambda: first.run is None, within_s=0.8)
    record = eventually(lambda: (r := life.read(one)).is_finished and r)
    assert (record.status, record.attempt) == (Status.SUCCEEDED, 2)


def test_an_attempt_that_another_replaces_is_ended(life: Life, work: Work):
    working = work(heartbeat_ms=60_000, lease_ms=180_000)
    working.write("nap", NAP)
    one = submit_nap(life, seconds=4.0)
    held = working.worker.in_flight
    eventually(lambda: (found := held.find(one)) and found.run)
    first = working.do(lambda: held.find(one))

    life.settle(first.claimed, "lost")

    eventually(lambda: first.run is None and first.is_lost, within_s=0.8)
    eventually(lambda: life.read(one).status == Status.SUCCEEDED)
