"""The way of attempts through a worker, with real runners: what a caller sees of each."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from runtime.invocations.status import Status
from runtime.store.invocation_commands import cancel
from runtime.store.system_commands import pause_queue
from tests.integration.worker.listening import events
from tests.integration.worker.working import Working
from tests.support.life import Life
from tests.support.monitoring import monitored
from tests.support.waiting import eventually

Work = Callable[..., Working]
ECHO = "def echo(n: int) -> int:\n    return n\n"
TOGETHER = """
    import asyncio, os
    from penstock import Context, function

    @function(per_process=10, retries=0)
    async def together(ctx: Context, what: str) -> str:
        if what == "tell":
            ctx.progress(1, 2)
        if what == "die":
            await asyncio.sleep(0.2)
            os._exit(7)
        await asyncio.sleep(1)
        return what
"""
PATIENT = """
    import asyncio
    async def patient(s: float) -> None:
        await asyncio.sleep(s)
"""
EMITTING = """
    from penstock import Context, function

    @function(isolation="thread")
    def emitting(ctx: Context, count: int) -> None:
        for number in range(count):
            ctx.emit({"number": number, "text": "x" * 20_000})
"""


def finished(life: Life, *ids: str, within_s: float = 10.0) -> list[Status]:
    eventually(lambda: all(life.read(one).is_finished for one in ids), within_s=within_s)
    return [life.read(one).status for one in ids]


def stored_error(life: Life, one: str) -> dict[str, str]:
    return msgspec.json.decode(life.read(one).error)


def test_the_source_of_a_version_is_asked_for_once_for_all_that_need_it(
    life: Life, redis_url: str, work: Work
):
    working = work()
    working.write("echo", ECHO)
    first = life.submit("echo", arguments=b'{"n":0}')  # a queue cannot be paused before it is
    finished(life, first)
    working.stop()
    life.connection.run(pause_queue("default", is_paused=True))
    ids = [life.submit("echo", arguments=b'{"n":%d}' % n) for n in range(40)]
    work()
    eventually(lambda: life.command("ZCARD", life.key("workers")) == 1)

    with monitored(redis_url.removeprefix("unix://")) as monitor:
        life.connection.run(pause_queue("default", is_paused=False))
        finished(life, *ids)
        seen = monitor.seen["get"]

    assert [life.read(one).result for one in ids] == [b"%d" % n for n in range(40)]
    assert seen < 10, "of which one is the source's: others read other things"


@pytest.mark.parametrize("damage", ["gone", "unreadable"])
def test_a_version_that_cannot_be_had_fails_its_calls_and_no_others(
    life: Life, work: Work, damage: str
):
    if damage == "unreadable":
        life.command("SET", life.key("source", "v9"), "no release")
    ghosts = [life.submit("ghost", version="v9") for _ in range(3)]

    working = work()
    working.write("echo", ECHO)
    sound = life.submit("echo", arguments=b'{"n":1}')

    assert finished(life, *ghosts, sound) == [Status.FAILED] * 3 + [Status.SUCCEEDED]
    reported = "no longer kept" if damage == "gone" else "cannot be read"
    assert {reported in stored_error(life, one)["message"] for one in ghosts} == {True}


def test_a_function_that_its_version_does_not_have_fails(life: Life, work: Work):
    working = work()
    working.write("echo", ECHO)
    version = life.command("HGET", life.key("versions"), "echo").decode()

    one = life.submit("other", version=version)

    assert finished(life, one) == [Status.FAILED]
    assert "other" in stored_error(life, one)["message"]


def test_of_those_in_a_runner_that_dies_only_who_is_to_blame_is_counted(life: Life, work: Work):
    working = work(runners=1)
    working.write("together", TOGETHER)
    quiet = [life.submit("together", arguments=b'{"what":"wait"}') for _ in range(3)]
    pending_events = life.submit("together", arguments=b'{"what":"tell"}')
    eventually(
        lambda: {life.read(one).status for one in [*quiet, pending_events]} == {Status.RUNNING}
    )
    eventually(lambda: events(life, life.read(pending_events)))

    dying = life.submit("together", arguments=b'{"what":"die"}')

    assert finished(life, dying) == [Status.FAILED]
    assert stored_error(life, dying)["type"] == "exited"
    assert finished(life, *quiet, pending_events) == [Status.SUCCEEDED] * 4
    assert {life.read(one).attempt for one in quiet} == {1}
    assert life.read(pending_events).attempt == 2, "what it told stands under the first"


@pytest.mark.parametrize("is_running", [True, False])
def test_a_cancelled_call_ends_soon_and_no_other_does(life: Life, work: Work, *, is_running: bool):
    working = work(runners=1)
    working.write("patient", PATIENT)
    others = [life.submit("patient", arguments=b'{"s":1}') for _ in range(5)]
    one = life.submit("patient", arguments=b'{"s":30}')
    if is_running:
        eventually(lambda: life.read(one).status == Status.RUNNING)

    life.connection.run(cancel(one))

    assert finished(life, one, within_s=2) == [Status.CANCELLED]
    assert finished(life, *others) == [Status.SUCCEEDED] * 5


def test_what_another_worker_has_taken_over_is_ended_here(life: Life, work: Work):
    working = work(runners=1)
    working.write("patient", PATIENT)
    one = life.submit("patient", arguments=b'{"s":30}')
    eventually(lambda: life.read(one).status == Status.RUNNING)
    worker = life.read(one).worker
    life.connection.run(pause_queue("default", is_paused=True))
    held = working.do(lambda: working.worker.in_flight.find(one))
    assert held is not None
    assert worker == working.worker.id

    life.settle(held.claimed, "lost")

    eventually(lambda: working.do(lambda: len(working.worker.in_flight) == 0))
    assert life.read(one).status == Status.QUEUED


def test_events_of_a_thread_that_come_too_fast_wait_and_none_is_left_out(
    life: Life, work: Work, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("runtime.worker.event_buffer.MOST_WAITING_BYTES", 100_000)
    working = work(runners=1)
    working.write("emitting", EMITTING)

    one = life.submit("emitting", arguments=b'{"count":200}')

    assert finished(life, one) == [Status.SUCCEEDED]
    reported = [data for kind, data in events(life, life.read(one)) if kind == "event"]
    assert len(reported) == 200
