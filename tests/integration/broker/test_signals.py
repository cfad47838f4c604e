"""Dramatiq's signals around attempts: in Dramatiq's order, in one thread, harmless to attempts."""

from __future__ import annotations

import logging
import threading

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import Middleware, Retries, SkipMessage
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend

from runtime.broker.attempt import Attempt
from runtime.broker.message_proxy import AttemptError
from runtime.invocations.status import Status
from runtime.store.invocation_commands import Settlement
from tests.integration.broker.conftest import succeed
from tests.integration.broker.signalling import SIGNALS, Recorder, signalling_worker
from tests.support.life import Life
from tests.support.waiting import eventually


class SkipAll(Middleware):
    """Skips every message; with `fails`, as one to be rejected."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def before_process_message(self, _broker, message) -> None:
        if self.fails:
            message.fail()
        raise SkipMessage("not today")


def settled(status: str, **more: object):
    def run(attempt: Attempt) -> None:
        claimed = attempt.claimed
        attempt.settlement = Settlement(
            id=claimed.id, token=claimed.token, status=status, ttl_ms=60_000, **more
        )

    return run


fail = settled(
    "failed",
    error=b'{"type":"exception","message":"no","traceback":"T","exception_type":"KeyError"}',
)


def signals_of_dramatiq(*middleware: Middleware, fails: bool = False) -> list[str]:
    """Return what Dramatiq's own worker signals around one message."""
    recorder = Recorder()
    stock = [Results(backend=StubBackend()), *middleware, recorder, Retries(max_retries=0)]
    broker = StubBroker(middleware=stock)
    broker.emit_after("process_boot")

    @dramatiq.actor(broker=broker)
    def act() -> None:
        if fails:
            raise KeyError("no")

    worker = dramatiq.Worker(broker, worker_threads=1, worker_timeout=20)
    worker.start()
    act.send()
    eventually(lambda: recorder.of_attempts()[-1:] in (["after_ack"], ["after_nack"]))
    worker.stop()
    broker.close()
    return recorder.reported


def around_attempts(reported: list[str]) -> list[str]:
    return [name for name in reported if name.endswith(("_message", "ack"))]


def around_worker(reported: list[str]) -> list[str]:
    """Return the signals of start and end; those of Dramatiq's threads come in any order."""
    return [name for name in reported if "worker" in name and "thread" not in name]


@pytest.mark.parametrize(
    ("run", "middleware", "fails"),
    [
        (succeed, [], False),
        (fail, [], True),
        (succeed, [SkipAll()], False),
        (succeed, [SkipAll(fails=True)], False),
    ],
    ids=["succeeds", "fails", "skipped", "skipped and rejected"],
)
def test_signals_come_as_from_dramatiq_s_own_worker(life: Life, redis_url, run, middleware, fails):
    usual = signals_of_dramatiq(*middleware, fails=fails)
    recorder = Recorder()
    life.submit()

    with signalling_worker(redis_url, run, *middleware, recorder):
        eventually(lambda: recorder.of_attempts()[-1:] in (["after_ack"], ["after_nack"]))

    assert recorder.of_attempts() == around_attempts(usual)
    assert around_worker(recorder.reported) == around_worker(usual)
    assert recorder.threads == {"signals"}


def test_start_and_end_of_the_worker_and_of_the_thread_are_told(redis_url: str):
    recorder = Recorder()

    with signalling_worker(redis_url, succeed, recorder):
        eventually(lambda: "after_worker_boot" in recorder.reported)

    assert recorder.reported == [
        *("after_process_boot", "before_worker_boot", "after_worker_thread_boot"),
        *("before_declare_queue", "after_declare_queue", "after_worker_boot"),
        *("before_worker_shutdown", "before_worker_thread_shutdown", "after_worker_shutdown"),
    ]


def test_the_result_is_told_as_a_value(life: Life, redis_url: str):
    recorder = Recorder()
    life.submit(arguments=b'{"a":[1,2]}')

    with signalling_worker(redis_url, succeed, recorder):
        eventually(lambda: recorder.results)

    assert recorder.results == [{"a": [1, 2]}]


def test_a_failure_is_told_as_an_exception_of_its_name(life: Life, redis_url: str):
    recorder = Recorder()
    life.submit()

    with signalling_worker(redis_url, fail, recorder):
        [error] = eventually(lambda: recorder.errors)

    assert isinstance(error, AttemptError)
    assert (type(error).__name__, str(error)) == ("KeyError", "no")
    assert (error.error_type, error.traceback) == ("exception", "T")


def test_an_attempt_that_is_retried_is_acknowledged(life: Life, redis_url: str):
    recorder = Recorder()
    life.submit()
    retry = settled("retrying", error=b'{"type":"timeout","message":"late"}', retry_after_ms=9_000)

    with signalling_worker(redis_url, retry, recorder):
        eventually(lambda: recorder.of_attempts()[-1:] == ["after_ack"])

    assert [type(error).__name__ for error in recorder.errors] == ["timeout"]


def test_an_attempt_that_goes_back_is_neither_acknowledged_nor_a_success(
    life: Life, redis_url: str
):
    recorder = Recorder()
    begun: list[int] = []

    def refuse_first(attempt: Attempt) -> None:
        begun.append(attempt.claimed.attempt)
        if len(begun) > 1:
            succeed(attempt)

    life.submit()
    with signalling_worker(redis_url, refuse_first, recorder):
        eventually(lambda: recorder.of_attempts()[-1:] == ["after_ack"])

    around_one = ["before_process_message", "after_process_message"]
    assert recorder.of_attempts() == [*around_one, *around_one, "before_ack", "after_ack"]
    assert [type(error).__name__ for error in recorder.errors] == ["given_back"]


def test_what_a_middleware_skips_is_rejected_without_being_run(life: Life, redis_url: str):
    invocation_id = life.submit()
    ran: list[Attempt] = []

    with signalling_worker(redis_url, ran.append, SkipAll()):
        record = eventually(lambda: (r := life.read(invocation_id)).is_finished and r)

    assert record.status == Status.FAILED
    assert b'"rejected","message":"a middleware skipped this message"' in record.error
    assert ran == []


@pytest.mark.parametrize("error", [ValueError, SkipMessage, SystemExit])
@pytest.mark.parametrize("signal", SIGNALS)
def test_what_a_middleware_raises_harms_no_attempt(life: Life, redis_url, caplog, signal, error):
    def fail_at(name: str) -> None:
        if name == signal:
            raise error("broken")

    recorder = Recorder(fail_at)
    run = fail if signal.endswith("nack") else succeed
    skipping = [SkipAll()] if signal == "after_skip_message" else []
    invocation_id = life.submit()

    with caplog.at_level(logging.CRITICAL), signalling_worker(redis_url, run, recorder, *skipping):
        record = eventually(lambda: (r := life.read(invocation_id)).is_finished and r)
    is_refused = signal == "before_process_message" and error is not ValueError

    expected = Status.FAILED if skipping or run is fail or is_refused else Status.SUCCEEDED
    assert record.status == expected
    if error is ValueError and signal in recorder.reported:
        assert f"Unexpected failure in {signal} of" in caplog.text


def test_a_middleware_that_blocks_holds_up_no_loop_and_keeps_the_order(life: Life, redis_url: str):
    blocked, go_on = threading.Event(), threading.Event()

    def block(name: str) -> None:
        if name == "before_process_message" and not blocked.is_set():
            blocked.set()
            go_on.wait(10)

    recorder = Recorder(block)
    ids = [life.submit(arguments=b'{"n":%d}' % n) for n in range(5)]
    with signalling_worker(redis_url, succeed, recorder) as worker:
        assert blocked.wait(10)
        eventually(lambda: len(worker.held) == 5)
        worker.on_loop(lambda: None)
        assert life.read(ids[0]).status == Status.RUNNING
        go_on.set()
        eventually(lambda: all(life.read(one).is_finished for one in ids))

    assert recorder.results == [{"n": n} for n in range(5)]


def test_a_middleware_that_blocks_at_the_end_is_left_behind(redis_url: str):
    go_on = threading.Event()
    recorder = Recorder(lambda name: go_on.wait(10) if name == "before_worker_shutdown" else None)

    with signalling_worker(redis_url, succeed, recorder):
        eventually(lambda: "after_worker_boot" in recorder.reported)

    assert "after_worker_shutdown" not in recorder.reported
    go_on.set()
    eventually(lambda: "after_worker_shutdown" in recorder.reported)


def test_without_middleware_there_is_no_thread(life: Life, redis_url: str):
    invocation_id = life.submit()
    before = {thread.ident for thread in threading.enumerate()}

    with signalling_worker(redis_url, succeed) as worker:
        eventually(lambda: life.read(invocation_id).is_finished)
        assert not worker.signals.is_needed
        begun = [one for one in threading.enumerate() if one.ident not in before]
        assert "signals" not in {thread.name for thread in begun}
