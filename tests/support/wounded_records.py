"""Records with each field missing in turn, each beside a healthy one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from runtime.store.invocation_commands import Settlement, settle
from runtime.store.scripts import Command
from tests.support.adverse_data import HOUR_MS, Adverse, Member, claim_all, run_all, wish_for

BORN = ("function", "queue", "created_at", "status", "version", "arguments", "priority", "key")
STARTED = (*BORN, "worker", "started_at", "attempt", "token", "expires_at")
ENDED = (*STARTED, "finished_at", "tags")
WHOLE = "the record"
"""Stands for the whole record among the fields that are taken away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wounded:
    """Records with each field missing in turn, each beside a healthy one.

    They are in a queue of their own; all that run are held by the worker `alive`.
    """

    queue: str
    function: str
    queued: tuple[Member, ...] = ()
    due: tuple[Member, ...] = ()
    running: tuple[Member, ...] = ()
    ended: tuple[Member, ...] = ()


def _sound_and_not(fields: Iterable[str]) -> Iterator[str]:
    """Each field to be taken away, and between two of them nothing."""
    for name in (WHOLE, *fields):
        yield from ("", name)
    yield ""


def _submit_each(data: Adverse, function: str, queue: str, lacks: list[str], **more: Any) -> None:
    run_all(data.connection, [wish_for(function, queue, **more)[1] for _ in lacks])


def _take_away(data: Adverse, members: Iterable[Member]) -> None:
    for one in members:
        record = data.key("record", one.id)
        if one.lacks == WHOLE:
            data.command("DEL", record)
        elif one.lacks:
            data.command("HDEL", record, one.lacks)


def add_wounded(data: Adverse) -> Wounded:
    """Write some more wounded records and their neighbours, all of one function."""
    data.wounded += 1
    queue = f"wounded{data.wounded}"
    function = f"w{data.wounded}"
    ended = _claimed_each(data, function, queue, list(_sound_and_not(ENDED)))
    data.connection.run(
        settle(
            [
                Settlement(id=one.id, token=one.token, status="succeeded", ttl_ms=1, result=b"1")
                for one in ended
            ],
            worker="alive",
        )
    )
    running = _claimed_each(data, function, queue, list(_sound_and_not(STARTED)))
    lacks = list(_sound_and_not(BORN))
    queued = [wish_for(function, queue) for _ in lacks]
    due = [wish_for(function, queue, delay_ms=HOUR_MS) for _ in lacks]
    run_all(data.connection, [call for _, call in (*queued, *due)])
    wounded = Wounded(
        queue=queue,
        function=function,
        queued=_with(queued, lacks),
        due=_with(due, lacks),
        running=tuple(running),
        ended=tuple(ended),
    )
    for members in (wounded.queued, wounded.due, wounded.running, wounded.ended):
        _take_away(data, members)
    return wounded


def _with(call_options: list[tuple[str, Command[Any]]], lacks: list[str]) -> tuple[Member, ...]:
    pairs = zip(call_options, lacks, strict=True)
    return tuple(Member(id=one, lacks=name) for (one, _), name in pairs)


def _claimed_each(data: Adverse, function: str, queue: str, lacks: list[str]) -> list[Member]:
    _submit_each(data, function, queue, lacks)
    claimed = claim_all(data, queue, "alive", lease_ms=24 * HOUR_MS)
    pairs = zip(claimed, lacks, strict=True)
    return [Member(id=one.id, token=one.token, lacks=name) for one, name in pairs]
