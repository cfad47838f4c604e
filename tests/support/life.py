"""Driving an invocation's life by hand: what gateway and worker would send to Redis."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from runtime.invocations.ids import new_invocation_id
from runtime.invocations.record import Record, read
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import (
    Claim,
    Claimed,
    Settlement,
    claim,
    heartbeat,
    settle,
)
from runtime.store.recovery_commands import recount_running, recover
from runtime.store.scripts import Command
from runtime.store.submission_commands import Submitted, parts_of, submit

_OF_THE_CALL = ("invocation_id", "queue", "version", "priority", "max_waiting", "waiter")
_PARTS = frozenset(inspect.signature(parts_of).parameters) - {"fields", "priority"}
WEEK_MS = 7 * 24 * 3_600_000


@dataclass(frozen=True, kw_only=True)
class Beat:
    """What a worker hears that beats and looks after others."""

    publishes: bool
    queues: tuple[str, ...]
    lost: tuple[str, ...]
    cancelling: tuple[tuple[str, int], ...]
    taken_over: tuple[tuple[str, str], ...]
    expired: tuple[str, ...]


class Life:
    """Short words for the calls, with defaults that tests need not repeat."""

    def __init__(self, connection: BlockingConnection) -> None:
        self.connection = connection

    def submit(
        self, function: str = "f", *, priority: int = 5, delay_ms: int = 0, **fields: Any
    ) -> str:
        """Submit and return the id; other words are of `ask`."""
        found = self.ask(function, priority=priority, delay_ms=delay_ms, **fields)
        return found.id

    def ask(self, function: str = "f", **fields: Any) -> Submitted:
        """Submit and return the whole answer; unknown words become fields of the record."""
        known = {name: fields.pop(name) for name in _OF_THE_CALL if name in fields}
        parts = {name: fields.pop(name) for name in _PARTS if name in fields}
        one = known.pop("invocation_id", "") or new_invocation_id()
        arguments = fields.pop("arguments", b"{}")
        entry = (one, arguments, parts_of(fields=fields, **parts))
        call = {"queue": "default", "version": "v1", **known, "function": function}
        [answer] = self.connection.run(submit(**call, entries=[entry]))
        return answer if answer.id else replace(answer, id=one)

    def ask_together(self, *asked: Mapping[str, Any], **call: Any) -> list[Submitted]:
        """Submit several in one script, each as (id, and words of `parts_of`)."""
        entries = []
        for one in asked:
            words = dict(one)
            invocation_id = words.pop("id", None) or new_invocation_id()
            arguments = words.pop("arguments", b"{}")
            entries.append((invocation_id, arguments, parts_of(**words)))
        usual = {"function": "f", "queue": "default", "version": "v1"}
        return self.connection.run(submit(**{**usual, **call}, entries=entries))

    def claim(
        self,
        limit: int = 1,
        *,
        worker: str = "w1",
        lease_ms: int = 10_000,
        ahead: int = 0,
        rooms: Mapping[str, int] | None = None,
    ) -> Claim:
        return self.connection.run(
            claim(
                queue="default",
                worker=worker,
                limit=limit,
                lease_ms=lease_ms,
                ahead=ahead,
                rooms=rooms,
            )
        )

    def claim_one(self, *, worker: str = "w1", lease_ms: int = 10_000) -> Claimed:
        [claimed] = self.claim(worker=worker, lease_ms=lease_ms).items
        return claimed

    def settle(self, claimed: Claimed, status: str = "succeeded", **more: Any) -> str:
        more.setdefault("result", b"1" if status == "succeeded" else b"")
        settlement = Settlement(
            id=claimed.id, token=claimed.token, status=status, ttl_ms=WEEK_MS, **more
        )
        [reply] = self.connection.run(settle([settlement], worker=claimed.worker))
        return reply

    def beat(self, *held: Claimed, worker: str = "w1", lease_ms: int = 10_000) -> Beat:
        """Beat, then look after what nobody holds, as a worker does."""
        pulse = self.connection.run(
            heartbeat(
                worker=worker,
                lease_ms=lease_ms,
                worker_ttl_ms=30_000,
                may_publish=1,
                details=b"{}",
                held=[(c.id, c.token) for c in held],
            )
        )
        care = self.connection.run(recover(lease_ms=lease_ms))
        if care.is_miscounted:
            self.connection.run(recount_running())
        return Beat(
            publishes=pulse.publishes,
            queues=pulse.queues,
            lost=pulse.lost,
            cancelling=pulse.cancelling,
            taken_over=care.taken_over,
            expired=care.expired,
        )

    def read(self, invocation_id: str) -> Record:
        record = self.connection.run(read(invocation_id))
        assert record is not None
        return record

    def now_ms(self) -> int:
        """Return the time by Redis's clock."""
        seconds, micros = self.command("TIME")
        return int(seconds) * 1000 + int(micros) // 1000

    def command(self, *words: str | int | bytes) -> Any:
        return self.connection.run(Command(words, lambda reply: reply))

    def key(self, name: str, *parts: str) -> str:
        return self.connection.keys.build(name, *parts)
