"""Dramatiq's own middleware on a worker: what works, and what is refused with a word for ours."""

from __future__ import annotations

import json

import dramatiq
import pytest
from dramatiq.middleware import (
    AgeLimit,
    Callbacks,
    CurrentMessage,
    GroupCallbacks,
    Middleware,
    Pipelines,
    Retries,
    ShutdownNotifications,
    TimeLimit,
    default_middleware,
)
from dramatiq.middleware.prometheus import Prometheus
from dramatiq.rate_limits.backends import StubBackend as StubLimits
from dramatiq.results import Results
from dramatiq.results.backends import StubBackend as StubResults

from runtime.broker import PenstockBroker
from runtime.broker.attempt import Attempt
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from tests.integration.broker.conftest import succeed
from tests.integration.broker.signalling import signalling_worker
from tests.integration.broker.test_signals import fail
from tests.support.life import Life
from tests.support.waiting import eventually


@pytest.fixture
def publish(connection: BlockingConnection):
    def publish(name: str, *parameters: str) -> None:
        properties: dict[str, object] = {parameter: {} for parameter in parameters}
        schema = {"type": "object", "properties": properties}
        manifest = Manifest(name=name, version="v1", file=f"{name}.py", parameters=schema)
        connection.run(
            publish_function(name, manifest=encode_manifest(manifest), version="v1", source=b"-")
        )

    return publish


@pytest.mark.parametrize(
    ("run", "expected"),
    [(succeed, {"n": 7}), (fail, {"type": "KeyError", "message": "no"})],
    ids=["on_success", "on_failure"],
)
def test_callbacks_sends_on_what_came_of_a_message(life: Life, redis_url, publish, run, expected):
    publish("f", "n")
    publish("heard", "message", "outcome")
    invocation_id = life.submit(arguments=b'{"n":7}')
    seen: list[dict[str, object]] = []

    def run_or_hear(attempt: Attempt) -> None:
        if attempt.claimed.function == "heard":
            seen.append(json.loads(attempt.claimed.arguments))
            succeed(attempt)
        else:
            run(attempt)

    with signalling_worker(redis_url, run_or_hear, Callbacks()) as worker:
        options = {"on_success": "heard", "on_failure": "heard"}
        dramatiq.actor(broker=worker.broker, actor_name="f", **options)(lambda n: n)
        [heard] = eventually(lambda: seen)

    assert heard["outcome"] == expected
    message = heard["message"]
    assert isinstance(message, dict)
    assert (message["message_id"], message["kwargs"]) == (invocation_id, {"n": 7})


class Follower(Middleware):
    """Notes which message is the current one."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def after_process_message(self, _broker, message, **_outcome: object) -> None:
        current = CurrentMessage.get_current_message()
        self.seen.append((message.message_id, current.message_id if current else ""))


def test_current_message_is_that_of_the_attempt_though_many_are_under_way(life: Life, redis_url):
    ids = {life.submit() for _ in range(6)}
    follower = Follower()
    in_threads: dict[str, str] = {}

    def run(attempt: Attempt) -> None:
        assert attempt.signalled is not None
        copy = attempt.signalled.context.copy()  # as the thread lane has
        current = copy.run(CurrentMessage.get_current_message)
        in_threads[attempt.claimed.id] = current.message_id if current else ""
        succeed(attempt)

    with signalling_worker(redis_url, run, CurrentMessage(), follower):
        eventually(lambda: len(follower.seen) == 6)

    assert set(follower.seen) == {(one, one) for one in ids}
    assert in_threads == {one: one for one in ids}


def test_prometheus_counts_attempts(life: Life, redis_url: str, monkeypatch):
    for name in ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        monkeypatch.setenv(name, "")  # what it sets is taken back
    prometheus = Prometheus()

    def run(attempt: Attempt) -> None:
        (fail if attempt.claimed.arguments == b'{"n":0}' else succeed)(attempt)

    ids = [life.submit(arguments=b'{"n":%d}' % n) for n in range(4)]
    with signalling_worker(redis_url, run, prometheus):
        eventually(lambda: all(life.read(one).is_finished for one in ids))

    def value(metric) -> float:
        labels = {"queue_name": "default", "actor_name": "f"}
        samples = [sample for family in metric.collect() for sample in family.samples]
        [found] = [one for one in samples if one.labels == labels and "_created" not in one.name]
        return found.value

    assert value(prometheus.total_messages) == 4
    assert value(prometheus.total_errored_messages) == 1
    assert value(prometheus.total_rejected_messages) == 1
    assert value(prometheus.inprogress_messages) == 0


@pytest.mark.parametrize(
    ("middleware", "ours"),
    [
        (TimeLimit(), "timeout="),
        (Retries(), "retries="),
        (AgeLimit(), "max_age="),
        (ShutdownNotifications(), "PENSTOCK_DRAIN_S"),
        (Results(backend=StubResults()), "record"),
        (Pipelines(), "submit"),
        (GroupCallbacks(StubLimits()), "submit"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Middleware) else "",
)
def test_middleware_that_conflicts_with_the_record_is_refused(redis_url: str, middleware, ours):
    name = type(middleware).__name__

    with pytest.raises(ValueError, match=f"accept {name}: .*{ours}"):
        PenstockBroker(redis_url, middleware=[middleware])

    broker = PenstockBroker(redis_url)
    with pytest.raises(ValueError, match=name):
        broker.add_middleware(middleware)
    assert broker.middleware == []


def test_each_of_dramatiq_s_default_middleware_but_callbacks_is_refused(redis_url: str):
    taken = []

    for kind in default_middleware:
        try:
            PenstockBroker(redis_url, middleware=[kind()])
        except ValueError:
            continue
        taken.append(kind)

    assert taken == [Callbacks]
