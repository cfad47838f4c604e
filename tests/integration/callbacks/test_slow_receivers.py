"""Receivers that hang delay nobody else: a hundred of them, with the real limit of 15 s."""

from __future__ import annotations

import time
from threading import Event

import pytest

from runtime.callbacks.resolver import Resolver
from tests.integration.callbacks.conftest import Sending
from tests.support.receiver import Receiver, receiving
from tests.support.waiting import allowed, eventually

HANGING = 100
EACH = 20
LONGEST_DELAY_S = 2.0
REAL = {"connect_s": 5.0, "total_s": 15.0, "lease_ms": 30_000, "idle_s": 8.0, "grace_s": 0.0}


@pytest.fixture
def everywhere():
    """A receiver on every loopback address, so that each is an origin of its own."""
    with receiving(host="0.0.0.0") as running:
        yield running


def one_host(receiver: Receiver) -> list[str]:
    return [receiver.url(f"/hang/{n}") for n in range(HANGING) for _ in range(EACH)]


def own_hosts(receiver: Receiver) -> list[str]:
    return [receiver.url("/hang", f"127.0.1.{n}") for n in range(HANGING) for _ in range(EACH)]


def own_hosts_and_paths(receiver: Receiver) -> list[str]:
    return [
        receiver.url(f"/hang/{each}", f"127.0.1.{n}")
        for n in range(HANGING)
        for each in range(EACH)
    ]


def one_host_own_paths(receiver: Receiver) -> list[str]:
    return [receiver.url(f"/hang/{n}") for n in range(HANGING * EACH)]


def delay_s(sending: Sending, receiver: Receiver, url: str) -> float:
    path = "/ok" + url.partition("/ok")[2]
    began_s = time.monotonic()
    sending.finish(url)
    [request] = eventually(lambda: receiver.at(path), within_s=20)
    return request.at_s - began_s


@pytest.mark.parametrize("hanging", [one_host, own_hosts, own_hosts_and_paths, one_host_own_paths])
def test_a_hundred_that_hang_do_not_delay_a_healthy_one(
    sending: Sending, everywhere: Receiver, record_property, hanging
):
    sending.finish_many(hanging(everywhere))

    with sending.deliverer(**REAL):
        eventually(lambda: len(everywhere.requests) >= HANGING)
        delays_s = [
            delay_s(sending, everywhere, everywhere.url(f"/ok/{n}", "127.0.2.1")) for n in range(20)
        ]

    record_property("longest_delay_s", max(delays_s))
    assert max(delays_s) < allowed(LONGEST_DELAY_S)


def test_a_hundred_that_hang_do_not_delay_a_healthy_one_on_their_host(
    sending: Sending, receiver: Receiver
):
    sending.finish_many(one_host(receiver))

    with sending.deliverer(**REAL):
        eventually(lambda: len(receiver.requests) >= HANGING)
        delays_s = [delay_s(sending, receiver, receiver.url(f"/ok/{n}")) for n in range(20)]

    assert max(delays_s) < allowed(LONGEST_DELAY_S)


def test_a_hundred_waiting_for_one_that_hangs_go_one_at_a_time(
    sending: Sending, receiver: Receiver
):
    sending.finish_many([receiver.url("/hang")] * 100)
    healthy = sending.finish_many([receiver.url(f"/ok/{n}") for n in range(10)])

    with sending.deliverer(**REAL):
        for delivery_id in healthy:
            sending.until(delivery_id, "delivered")

        assert len(receiver.at("/hang")) == 1


def test_names_that_do_not_resolve_delay_nobody(sending: Sending, receiver: Receiver):
    sending.finish_many([f"http://hanging-{n}.test:{receiver.port}/" for n in range(HANGING)])
    asked: list[str] = []
    over = Event()

    def resolve(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        if host.startswith("hanging"):
            over.wait(20)
            raise OSError("no answer")
        return ("127.0.0.1",)

    with sending.deliverer(**REAL, resolver=Resolver(resolve)):
        eventually(lambda: len(asked) == HANGING)
        longest_s = delay_s(sending, receiver, receiver.url("/ok", "healthy.test"))
        over.set()

    assert longest_s < allowed(LONGEST_DELAY_S)


def test_a_healthy_receiver_gets_more_at_once_with_every_success(
    sending: Sending, receiver: Receiver
):
    ids = sending.finish_many([receiver.url("/ok")] * 300)

    began_s = time.monotonic()
    with sending.deliverer():
        for delivery_id in ids:
            sending.until(delivery_id, "delivered")

    assert len(receiver.requests) == 300
    assert time.monotonic() - began_s < allowed(10)
