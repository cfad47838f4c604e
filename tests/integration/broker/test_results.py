"""Senders in Dramatiq's own words: stubs, `get_result`, and a warning for another broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import ResultFailure, ResultMissing, ResultTimeout
from structlog.testing import capture_logs

from runtime.broker import PenstockBroker
from runtime.errors import ArgumentsError
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function
from runtime.worker.stray_messages import StrayMessageWarning
from tests.support.life import Life

ADD = Manifest(
    name="sums.add",
    version="v1",
    file="sums/add.py",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
)


@pytest.fixture
def broker(redis_url: str, connection: BlockingConnection) -> Iterator[PenstockBroker]:
    """The default broker of this process, as an application sets it."""
    connection.run(
        publish_function("sums.add", manifest=encode_manifest(ADD), version="v1", source=b"-")
    )
    client = PenstockBroker(redis_url)
    dramatiq.set_broker(client)
    yield client
    dramatiq.set_broker(None)  # type: ignore[arg-type]
    client.close()


@pytest.fixture
def add(broker: PenstockBroker) -> dramatiq.Actor:
    @dramatiq.actor(actor_name="sums.add")
    def add(a: int, b: int) -> int: ...

    return add


def end(life: Life, status: str = "succeeded", **how: object) -> None:
    claimed = life.claim_one()
    life.settle(claimed, status, **how)


def test_a_stub_sends_by_position_by_name_and_with_a_delay(add, life: Life):
    sent = [add.send(1, b=2), add.send(a=3, b=4), add.send_with_options(args=(5, 6), delay=60_000)]

    records = [life.read(message.message_id) for message in sent]
    assert [record.arguments for record in records] == [
        b'{"a":1,"b":2}',
        b'{"a":3,"b":4}',
        b'{"a":5,"b":6}',
    ]
    assert [record.status for record in records] == ["queued", "queued", "scheduled"]
    with pytest.raises(ArgumentsError):
        add.send("one", 2)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"result": b'{"sum":3}'}, {"sum": 3}),
        ({"result": b"null"}, None),
        ({"result": b"\x00\xff", "result_type": "bytes"}, b"\x00\xff"),
        ({"result": b"", "result_type": "bytes"}, b""),
    ],
)
def test_a_result_is_what_the_function_returned(add, life: Life, how, expected):
    message = add.send(1, 2)
    with pytest.raises(ResultMissing):
        message.get_result()

    end(life, **how)

    assert message.get_result() == expected


def test_who_blocks_gets_the_result_when_it_comes_and_no_later_than_asked(add, life: Life):
    message = add.send(1, 2)
    with pytest.raises(ResultTimeout):
        message.get_result(block=True, timeout=30)
    found: list[object] = []
    waiter = threading.Thread(
        target=lambda: found.append(message.get_result(block=True, timeout=20_000))
    )
    waiter.start()

    end(life, result=b"3")
    waiter.join(20)

    assert found == [3]


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (
            "failed",
            b'{"type":"exception","message":"no","exception_type":"ValueError"}',
            "ValueError",
        ),
        ("failed", b'{"type":"timeout","message":"too long"}', "timeout"),
        ("cancelled", b"", "cancelled"),
    ],
)
def test_what_did_not_succeed_is_a_failure_of_its_kind(add, life: Life, status, error, kind):
    message = add.send(1, 2)
    end(life, status, **({"error": error} if error else {}))

    with pytest.raises(ResultFailure, match=f"sums.add {status}") as caught:
        message.get_result(block=True)

    assert caught.value.orig_exc_type == kind


def test_messages_of_dramatiqs_own_broker_are_told_once(
    redis_url: str, connection: BlockingConnection
):
    mail = StrayMessageWarning(connection, lambda: ("default", "other"))
    stock = RedisBroker(url=redis_url)

    @dramatiq.actor(broker=stock, actor_name="lost")
    def lost() -> None: ...

    with capture_logs() as before:
        mail.step()
    lost.send()
    with capture_logs() as after:
        for _ in range(3):
            mail.step()
    stock.close()
    stock.client.connection_pool.disconnect()

    assert before == []
    assert [(one["event"], one["queue"], one["count"]) for one in after] == [
        ("stray_messages", "default", 1)
    ]
    assert "PenstockBroker" in after[0]["hint"]
