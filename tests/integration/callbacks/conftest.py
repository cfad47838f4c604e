"""Deliveries born as they are in life: an invocation with a callback is settled."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from runtime.callbacks.config import DeliveryRules
from runtime.callbacks.deliverer import Deliverer
from runtime.callbacks.signing import parse_secret
from runtime.callbacks.ssrf_guard import Policy
from runtime.invocations.ids import new_invocation_id
from runtime.store import delivery_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.delivery_commands import Delivery
from runtime.store.invocation_commands import Claimed, Settlement, settle
from runtime.store.submission_commands import commit_batch, stage_batch
from tests.support.life import WEEK_MS, Life
from tests.support.waiting import eventually

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
QUICK = {
    "connect_s": 0.5,
    "total_s": 1.0,
    "lease_ms": 3_000,
    "idle_s": 2.0,
    "grace_s": 0.5,
    "delays_ms": (50, 50, 50),
}


class Sending:
    """Deliveries and their senders, for tests."""

    def __init__(self, url: str, connection: BlockingConnection) -> None:
        self.url = url
        self.connection = connection
        self.life = Life(connection)

    def finish(self, url: str, *, result: bytes = b'{"n":1}', status: str = "succeeded") -> str:
        """End an invocation whose caller wants to be told at `url`; return the delivery's id."""
        [delivery_id] = self.finish_many([url], result=result, status=status)
        return delivery_id

    def finish_many(
        self, urls: list[str], *, result: bytes = b'{"n":1}', status: str = "succeeded"
    ) -> list[str]:
        ids = [self.life.submit("shrink", callback=url) for url in urls]
        claimed: list[Claimed] = []
        while len(claimed) < len(urls):  # one claim takes a thousand at most
            claimed += self.life.claim(len(urls)).items
        self.connection.run(
            settle(
                [
                    Settlement(
                        id=c.id,
                        token=c.token,
                        status=status,
                        ttl_ms=WEEK_MS,
                        result=result if status == "succeeded" else b"",
                    )
                    for c in claimed
                ],
                worker="w1",
            )
        )
        return [f"dlv_{invocation_id}" for invocation_id in ids]

    def finish_batch(self, url: str) -> str:
        """End a batch of two whose caller wants to be told at `url`; return its id."""
        batch = new_invocation_id()
        entries = [(new_invocation_id(), b"{}") for _ in range(2)]
        words: dict[str, Any] = {"function": "shrink", "queue": "default", "version": "v1"}
        self.connection.run(stage_batch(batch=batch, entries=entries, callback=url, **words))
        self.connection.run(commit_batch(batch=batch, size=2))
        for claimed in self.life.claim(2).items:
            self.life.settle(claimed)
        return batch

    def read(self, delivery_id: str) -> Delivery:
        delivery = self.connection.run(delivery_commands.read(delivery_id))
        assert delivery is not None
        return delivery

    def until(self, delivery_id: str, status: str, *, within_s: float = 10) -> Delivery:
        eventually(lambda: self.read(delivery_id).status == status, within_s=within_s)
        return self.read(delivery_id)

    def until_attempts(self, delivery_id: str, count: int, *, within_s: float = 10) -> Delivery:
        eventually(lambda: len(self.read(delivery_id).attempts) >= count, within_s=within_s)
        return self.read(delivery_id)

    @contextmanager
    def deliverer(self, **changes: Any) -> Iterator[Deliverer]:
        rules = self.rules(**changes)
        deliverer = Deliverer(self.url, rules, roll=lambda: 0.0)
        deliverer.start()
        try:
            yield deliverer
        finally:
            deliverer.stop()

    def rules(self, **changes: Any) -> DeliveryRules:
        defaults: dict[str, Any] = {
            "secrets": (parse_secret(SECRET),),
            "policy": Policy(allow_loopback=True),
            **QUICK,
        }
        return DeliveryRules(**{**defaults, **changes})


@pytest.fixture
def sending(redis_url: str, connection: BlockingConnection) -> Sending:
    return Sending(redis_url, connection)
