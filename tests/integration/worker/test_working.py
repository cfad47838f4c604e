"""A worker at its limits goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from dramatiq.middleware import Middleware

from runtime.broker import PenstockBroker
from runtime.broker.middleware_signals import Signals
from runtime.invocations.status import Status
from runtime.registry.manifest import decode_manifest
from runtime.store.function_commands import read_manifests
from runtime.store.invocation_commands import HeartbeatReply
from runtime.worker import attempts as attempts_module
from tests.integration.worker.working import Working
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


def submit(life: Life, version: str = "", seconds: float = 0.0) -> str:
    named = {"version": version} if version else {}
    return life.submit("nap", arguments=b'{"s":%g}' % seconds, **named)


def statuses(life: Life, ids: list[str]) -> list[Status]:
    return [life.read(one).status for one in ids]


def test_who_has_held_as_many_as_may_be_claims_again_at_once(life: Life, work: Work):
    working = work(max_in_flight=2)
    working.write("nap", NAP)
    ids = [submit(life, seconds=0.02) for _ in range(6)]
    working.worker._heartbeat._interval_s = 60.0  # it would look then

    eventually(lambda: statuses(life, ids) == [Status.SUCCEEDED] * 6, within_s=3)


@pytest.mark.parametrize("damaged", [b"", b"garbage", b"\0\0\0\2{}[]", b"\0\0\0\1x"])
def test_calls_of_a_version_that_cannot_be_read_fail(life: Life, work: Work, damaged: bytes):
    working = work()
    working.write("nap", NAP)
    manifest = decode_manifest(life.line.run(read_manifests())["nap"])
    life.command("SET", life.key("source", manifest.version), damaged)

    ids = [submit(life, manifest.version) for _ in range(2)]

    eventually(lambda: statuses(life, ids) == [Status.FAILED] * 2, within_s=3)
    assert b"cannot be read" in life.read(ids[0]).error


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
        executor = working.worker._executor
        monkeypatch.setattr(executor, "run", breaking(executor.run))
    else:
        name = {"outcome": "decide_outcome", "settlement": "settlement_of"}[where]
        monkeypatch.setattr(attempts_module, name, breaking(getattr(attempts_module, name)))

    ids = working.do(lambda: [submit(life) for _ in range(3)])  # one claim brings them

    eventually(lambda: sorted(statuses(life, ids)) == ["failed", "succeeded", "succeeded"])
    [failed] = [one for one in ids if life.read(one).status == Status.FAILED]
    assert b"Penstock could not run it" in life.read(failed).error
    eventually(lambda: len(working.worker._in_flight) == 0)


def test_a_version_that_is_forgotten_while_middleware_is_told_is_asked_for_again(
    life: Life, work: Work, redis_url: str
):
    class Forgetting(Middleware):
        def before_process_message(self, *_: object) -> None:
            attempts._catalog._held.clear()

    working = work()
    working.write("nap", NAP)
    attempts = working.worker._attempts
    broker = PenstockBroker(redis_url, middleware=[Forgetting()])
    attempts._signals = Signals(broker, working.worker._loop.call_soon_threadsafe)

    one = submit(life)

    eventually(lambda: life.read(one).status == Status.SUCCEEDED, within_s=3)
    attempts._signals.stop(timeout_s=1)
    broker.close()


def test_only_the_attempt_that_was_lost_ends_and_not_the_one_that_followed_it_here(
    life: Life, work: Work
):
    working = work()
    working.write("nap", NAP)
    one = submit(life, seconds=4.0)
    held = working.worker._in_flight
    eventually(lambda: (found := held.find(one)) and found.run)
    first = working.do(lambda: held.find(one))
    life.settle(first.claimed, "lost")  # another worker has taken it over, and it is claimed here
    eventually(lambda: (found := held.find(one)) and found is not first and found.run)

    pulse = HeartbeatReply(publishes=True, queues=(), lost=(one,), cancelling=())
    working.do(lambda: working.worker._orders.obey_pulse(pulse, [first]))

    eventually(lambda: first.run is None, within_s=0.8)
    record = eventually(lambda: (r := life.read(one)).is_finished and r)
    assert (record.status, record.attempt) == (Status.SUCCEEDED, 2)


def test_an_attempt_that_another_replaces_is_ended(life: Life, work: Work):
    working = work(heartbeat_ms=60_000, lease_ms=180_000)
    working.write("nap", NAP)
    one = submit(life, seconds=4.0)
    held = working.worker._in_flight
    eventually(lambda: (found := held.find(one)) and found.run)
    first = working.do(lambda: held.find(one))

    life.settle(first.claimed, "lost")

    eventually(lambda: first.run is None and first.is_lost, within_s=0.8)
    eventually(lambda: life.read(one).status == Status.SUCCEEDED)


@pytest.mark.parametrize("becomes", ["is_lost", "is_given_back"])
def test_what_becomes_of_an_attempt_while_middleware_is_told_counts(
    life: Life, work: Work, redis_url: str, becomes: str
):
    class Waiting(Middleware):
        def before_process_message(self, *_: object) -> None:
            asked.set()
            go_on.wait(5)

    asked, go_on = threading.Event(), threading.Event()
    working = work()
    working.write("nap", NAP)
    attempts, held = working.worker._attempts, working.worker._in_flight
    broker = PenstockBroker(redis_url, middleware=[Waiting()])
    attempts._signals = Signals(broker, working.worker._loop.call_soon_threadsafe)
    one = submit(life)
    assert asked.wait(5)
    first = working.do(lambda: held.find(one))
    if becomes == "is_lost":
        working.do(lambda: attempts.lose([first]))
    else:
        working.do(attempts.give_back_all)

    go_on.set()

    eventually(lambda: working.do(lambda: held.find(one)) is not first)
    assert not first.is_begun
    if becomes == "is_lost":  # it is run again, and middleware is told
        eventually(lambda: life.read(one).is_finished and not len(held))
    attempts._signals.stop(timeout_s=1)
    broker.close()
