"""A small system in which one of everything stands somewhere, for checks to compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runtime.invocations.consistency import Finding
from runtime.invocations.ids import new_invocation_id
from runtime.store.schedule_commands import create_schedule
from runtime.store.submission_commands import commit_batch, stage_batch
from tests.support.checking import check_all
from tests.support.life import Life

HOUR_MS = 3_600_000
CALLBACK = b"http://receiver.test/hook"


@dataclass
class Scene:
    """A small system in which one of everything stands somewhere."""

    life: Life
    queued: str
    keyed: str
    scheduled: str
    retrying: str
    running: str
    limited: str
    ended: str
    called_back: str
    batch: str

    @property
    def delivery(self) -> str:
        return f"dlv_{self.called_back}"

    def raw(self, command: str, key: tuple[str, ...], *words: Any) -> None:
        self.life.command(command, self.life.key(*key), *words)

    def check(self, *, repair: bool = False) -> list[Finding]:
        return check_all(self.life.connection, repair=repair)

    def claim_all(self) -> set[str]:
        found: set[str] = set()
        for _ in range(10):
            found |= {item.id for item in self.life.claim(8, lease_ms=HOUR_MS).items}
        return found


def batch_of(life: Life, size: int) -> str:
    batch = new_invocation_id()
    entries = [(new_invocation_id(), b"{}") for _ in range(size)]
    staged = stage_batch(
        batch=batch, function="b", queue="batch", version="v", entries=entries, callback="http://x/"
    )
    life.connection.run_many([staged, commit_batch(batch=batch, size=size)])
    return batch


def set_scene(life: Life) -> Scene:
    """Make one of everything that can stand somewhere."""
    life.command("HSET", life.key("limits"), "limited", "1 0 0")

    def held(name: str, **fields: Any) -> Any:
        life.submit(name, **fields)
        return life.claim_one(lease_ms=HOUR_MS)

    retrying, ended, called_back = held("f"), held("f", tags=("t",)), held("f", callback=CALLBACK)
    life.settle(retrying, "retrying", retry_after_ms=HOUR_MS)
    life.settle(ended)
    life.settle(called_back, "failed", error=b"{}")
    running, limited = held("f"), held("limited")
    life.connection.run(
        create_schedule(
            "tick",
            {
                "function": "f",
                "arguments": b"{}",
                "cron": "* * * * *",
                "timezone": "UTC",
                "paused": "0",
            },
        )
    )
    return Scene(
        life=life,
        queued=life.submit(max_age_ms=HOUR_MS),
        keyed=life.submit(key="some key: with signs"),
        scheduled=life.submit(delay_ms=HOUR_MS),
        retrying=retrying.id,
        running=running.id,
        limited=limited.id,
        ended=ended.id,
        called_back=called_back.id,
        batch=batch_of(life, 3),
    )
