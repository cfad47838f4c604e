"""The Dramatiq broker: `.send()` makes an invocation, a worker claims and settles it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from dramatiq.errors import ActorNotFound

from runtime.broker import PenstockBroker
from runtime.broker.attempt import Attempt
from runtime.errors import ArgumentsError, FunctionUnavailableError
from runtime.invocations.ids import is_invocation_id
from runtime.invocations.status import Status
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.sdk.options import Options
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from runtime.store.system_commands import pause_queue
from tests.integration.broker.conftest import broker_side, succeed
from tests.support.life import Life
from tests.support.waiting import eventually

ADD = Manifest(
    name="add",
    version="v1",
    file="add.py",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
        "additionalProperties": False,
    },
    options=Options(queue="sums"),
)


@pytest.fixture
def broker(redis_url: str, connection: BlockingConnection) -> Iterator[PenstockBroker]:
    connection.run(
        publish_function("add", manifest=encode_manifest(ADD), version="v1", source=b"-")
    )
    client = PenstockBroker(redis_url)
    yield client
    client.close()


def test_sending_makes_an_invocation_with_a_record(broker: PenstockBroker, life: Life):
    message = broker.get_actor("add").send(1, b=2)

    assert is_invocation_id(message.message_id)
    record = life.read(message.message_id)
    assert (record.function, record.status, record.queue) == ("add", Status.QUEUED, "sums")
    assert record.arguments == b'{"a":1,"b":2}'


def test_sending_with_a_delay_waits_in_redis(broker: PenstockBroker, life: Life):
    message = broker.get_actor("add").send_with_options(args=(1, 2), delay=60_000)

    assert life.read(message.message_id).status == Status.SCHEDULED


def test_sending_wrong_arguments_enqueues_nothing(broker: PenstockBroker, life: Life):
    with pytest.raises(ArgumentsError, match="/b"):
        broker.get_actor("add").send(a=1, b="two")

    assert life.command("EXISTS", life.key("ring", "sums")) == 0


def test_sending_to_an_unknown_function_is_an_error(broker: PenstockBroker):
    with pytest.raises(ActorNotFound):
        broker.get_actor("nothing")


def test_sending_to_a_function_that_never_loaded_is_an_error(
    broker: PenstockBroker, connection: BlockingConnection
):
    actor = broker.get_actor("add")
    broken = Manifest(name="add", version="", file="add.py")
    connection.run(
        publish_function("add", manifest=encode_manifest(broken), version="", source=b"")
    )

    with pytest.raises(FunctionUnavailableError, match=r"add\.py"):
        actor.send(1, 2)


def test_a_worker_runs_what_was_submitted(life: Life, redis_url: str):
    ids = [life.submit(arguments=b"[%d]" % n) for n in range(50)]

    with broker_side(redis_url, succeed):
        eventually(lambda: life.command("HGET", life.key("stats"), "f:succeeded") == b"50")

    assert [life.read(i).result for i in ids] == [b"[%d]" % n for n in range(50)]
    assert life.command("HGET", life.key("queue", "default"), "running") == b"0"


def test_a_worker_takes_no_more_than_it_can_run(life: Life, redis_url: str):
    for _ in range(5):
        life.submit()
    running = threading.Semaphore(0)
    go_on = threading.Event()

    def hold(attempt: Attempt) -> None:
        running.release()
        go_on.wait(5)
        succeed(attempt)

    with broker_side(redis_url, hold, capacity=2):
        assert running.acquire(timeout=5)
        assert running.acquire(timeout=5)
        waiting = life.command("HGET", life.key("queue", "default"), "waiting")
        go_on.set()
        eventually(lambda: life.command("HGET", life.key("stats"), "f:succeeded") == b"5")

    assert waiting == b"3"


def test_endings_that_come_together_share_round_trips(life: Life, redis_url: str):
    for _ in range(400):
        life.submit()
    life.command("CONFIG", "RESETSTAT")

    with broker_side(redis_url, succeed, capacity=8):
        eventually(lambda: life.command("HGET", life.key("stats"), "f:succeeded") == b"400")
        calls = life.command("INFO", "commandstats").decode()

    scripts = int(calls.split("cmdstat_evalsha:calls=")[1].split(",")[0])
    assert scripts < 400


def test_an_ending_beside_long_runs_is_not_kept_waiting_for_them(life: Life, redis_url: str):
    go_on = threading.Event()

    def hold_some(attempt: Attempt) -> None:
        if attempt.claimed.function == "long":
            go_on.wait(10)
        succeed(attempt)

    with broker_side(redis_url, hold_some, capacity=8):
        for _ in range(7):
            life.submit("long")
        for _ in range(300):
            life.submit("f")
        eventually(lambda: life.command("HGET", life.key("stats"), "f:succeeded") == b"300")
        go_on.set()
        eventually(lambda: life.command("HGET", life.key("stats"), "long:succeeded") == b"7")


def test_a_worker_without_work_has_left_its_claim_with_redis(life: Life, redis_url: str):
    def claims_behind_its_wait() -> bool:
        clients = life.command("CLIENT", "LIST").decode().splitlines()
        return any("cmd=blpop" in client and " qbuf=0 " not in client for client in clients)

    with broker_side(redis_url, succeed):
        eventually(claims_behind_its_wait)
        life.submit()
        eventually(lambda: life.command("HGET", life.key("stats"), "f:succeeded") == b"1")
        eventually(claims_behind_its_wait)


def test_what_is_submitted_to_a_paused_queue_hardly_bothers_a_worker(life: Life, redis_url: str):
    life.submit()
    with broker_side(redis_url, succeed):
        eventually(lambda: life.command("HGET", life.key("stats"), "f:succeeded") == b"1")
        assert life.connection.run(pause_queue("default", is_paused=True))
        life.command("CONFIG", "RESETSTAT")
        began_at = time.monotonic()
        ids = [life.submit() for _ in range(500)]
        took_s = time.monotonic() - began_at
        reported = life.command("INFO", "commandstats").decode()
        looks = int(reported.split("cmdstat_blpop:calls=")[1].split(",")[0])

        assert looks <= 3 + took_s / 0.02

        life.connection.run(pause_queue("default", is_paused=False))
        eventually(lambda: life.read(ids[-1]).status == Status.SUCCEEDED, within_s=1)


def test_an_attempt_without_an_ending_goes_back_to_its_lane_at_once(life: Life, redis_url: str):
    invocation_id = life.submit()
    seen: list[int] = []

    def first_refuse(attempt: Attempt) -> None:
        seen.append(attempt.claimed.attempt)
        if len(seen) > 1:
            succeed(attempt)

    with broker_side(redis_url, first_refuse):
        eventually(lambda: life.read(invocation_id).status == Status.SUCCEEDED, within_s=1.5)

    assert seen == [1, 2]


def test_what_ends_while_redis_is_full_is_written_when_there_is_room(life: Life, redis_url: str):
    invocation_id = life.submit()
    started = threading.Event()
    go_on = threading.Event()

    def hold(attempt: Attempt) -> None:
        started.set()
        go_on.wait(5)
        succeed(attempt)

    with broker_side(redis_url, hold):
        assert started.wait(5)
        life.command("CONFIG", "SET", "maxmemory", 1)
        go_on.set()
        try:
            eventually(lambda: b"errorstat_OOM" in life.command("INFO", "errorstats"), within_s=5)
        finally:
            life.command("CONFIG", "SET", "maxmemory", 0)
        eventually(lambda: life.read(invocation_id).status == Status.SUCCEEDED)

    assert life.read(invocation_id).attempt == 1
