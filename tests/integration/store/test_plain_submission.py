"""Plain calls are born together, and just as the others are."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from runtime.store.plain_submission import PlainSubmission

from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.invocations.identifiers import new_invocation_id
from runtime.invocations.submission import prepare, submit
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.store.multiplexer import Multiplexer
from runtime.store.submission_calls import Submitted, submit_plain
from tests.support.life import Life

T = TypeVar("T")
URGENT = Manifest(name="f", version="v1", file="f.py", options=Options(priority=7))


def with_store(redis_url: str, act: Callable[[Multiplexer], Awaitable[T]]) -> T:
    async def run() -> T:
        store = Multiplexer(redis_url)
        try:
            return await act(store)
        finally:
            await store.close()

    return asyncio.run(run())


def plain(store: Multiplexer, **more: int | str) -> PlainSubmission:
    usual = {"function": "f", "queue": "default", "version": "v1", "priority": 5}
    return PlainSubmission(store, **{"max_waiting": 0, **usual, **more})


def submitted(
    f: PlainSubmission, invocation_id: str, arguments: bytes = b"{}"
) -> Future[Submitted]:
    """What a caller in a coroutine would make of it."""
    told: Future[Submitted] = asyncio.get_running_loop().create_future()

    def hear(outcome: Submitted | StoreError) -> None:
        if told.done():
            return
        if isinstance(outcome, StoreError):
            told.set_exception(outcome)
        else:
            told.set_result(outcome)

    f.submit(invocation_id.encode(), arguments, hear)
    return told


def contents(life: Life) -> dict[str, object]:
    """All there is in Redis, without the moments."""
    found: dict[str, object] = {}
    for key in sorted(life.command("KEYS", "*")):
        kind = life.command("TYPE", key)
        if kind == b"hash":
            flat = life.command("HGETALL", key)
            value = dict(zip(flat[::2], flat[1::2], strict=True))
            value.pop(b"created_at", None)
            found[key.decode()] = value
        elif kind == b"zset":
            found[key.decode()] = life.command("ZRANGE", key, 0, -1)
        elif kind == b"list":
            found[key.decode()] = life.command("LRANGE", key, 0, -1)
        else:
            found[key.decode()] = life.command("SMEMBERS", key)
    return found


@pytest.mark.parametrize("waiter", [None, "gateway-1"])
def test_a_plain_birth_leaves_what_every_other_birth_leaves(life: Life, waiter: str | None):
    ids = [new_invocation_id(), new_invocation_id()]
    for invocation_id in ids:
        life.line.run(submit(prepare(URGENT, b"{}", invocation_id=invocation_id, waiter=waiter)))
    ordinary = contents(life)
    life.command("FLUSHALL")

    [(born, count)] = life.line.run(
        submit_plain(
            function="f",
            queue="default",
            version="v1",
            priority=7,
            waiter=waiter or "",
            entries=[(invocation_id, b"{}") for invocation_id in ids],
        )
    )

    assert contents(life) == ordinary
    assert (born.reception, count) == ("NEW", 2)
    assert life.read(ids[0]).created_at_ms == born.created_at_ms
    assert [claimed.id for claimed in life.claim(5).items] == ids


def test_eight_calls_of_one_turn_share_a_command(redis_url: str, life: Life):
    ids = [new_invocation_id() for _ in range(50)]
    life.command("CONFIG", "RESETSTAT")

    async def submit_all(store: Multiplexer) -> list[Submitted]:
        f = plain(store)
        return await asyncio.gather(*(submitted(f, i, b'{"n":1}') for i in ids))

    answers = with_store(redis_url, submit_all)

    assert {answer.reception for answer in answers} == {"NEW"}
    assert b"cmdstat_evalsha:calls=7," in life.command("INFO", "commandstats")
    assert [claimed.id for claimed in life.claim(100).items] == ids


def test_large_calls_are_not_made_together(redis_url: str, life: Life):
    arguments = b'"%b"' % (b"x" * 40_000)
    life.command("CONFIG", "RESETSTAT")

    async def submit_all(store: Multiplexer) -> list[Submitted]:
        f = plain(store)
        ids = [new_invocation_id() for _ in range(4)]
        return await asyncio.gather(*(submitted(f, i, arguments) for i in ids))

    answers = with_store(redis_url, submit_all)

    assert len(answers) == 4
    assert b"cmdstat_evalsha:calls=4," in life.command("INFO", "commandstats")
    assert {claimed.arguments for claimed in life.claim(4).items} == {arguments}


def test_only_those_are_born_that_may_wait(redis_url: str, life: Life):
    ids = [new_invocation_id() for _ in range(5)]

    async def submit_twice(store: Multiplexer) -> list[Submitted]:
        f = plain(store, max_waiting=3)
        first = await asyncio.gather(*(submitted(f, i) for i in ids[:4]))
        return [*first, await submitted(f, ids[4])]

    answers = with_store(redis_url, submit_twice)

    assert [answer.reception for answer in answers] == ["NEW"] * 3 + ["FULL"] * 2
    assert {answer.waiting for answer in answers[3:]} == {3}
    assert [claimed.id for claimed in life.claim(9).items] == ids[:3]


def test_a_full_redis_refuses_all_of_them(redis_url: str, life: Life):
    life.command("CONFIG", "SET", "maxmemory", 1)

    async def submit_two(store: Multiplexer) -> list[object]:
        f = plain(store)
        ids = [new_invocation_id() for _ in range(2)]
        return await asyncio.gather(*(submitted(f, i) for i in ids), return_exceptions=True)

    try:
        answers = with_store(redis_url, submit_two)
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    assert [type(answer) for answer in answers] == [StoreRefusedError] * 2
    assert life.command("KEYS", "*") == []


def test_they_are_born_although_redis_has_lost_the_script(redis_url: str, life: Life):
    async def submit_after_flush(store: Multiplexer) -> Submitted:
        f = plain(store)
        await submitted(f, new_invocation_id())
        await asyncio.to_thread(life.command, "SCRIPT", "FLUSH")
        return await submitted(f, new_invocation_id())

    assert with_store(redis_url, submit_after_flush).reception == "NEW"
    assert len(life.claim(5).items) == 2


def test_a_caller_who_cannot_be_told_takes_nobody_along(redis_url: str, life: Life):
    async def submit_two(store: Multiplexer) -> Submitted:
        f = plain(store)

        def fail(_: Submitted | StoreError) -> None:
            raise RuntimeError("he is gone")

        f.submit(new_invocation_id().encode(), b"{}", fail)
        return await submitted(f, new_invocation_id())

    assert with_store(redis_url, submit_two).reception == "NEW"


def test_without_redis_each_hears_of_it():
    async def submit_two(store: Multiplexer) -> list[object]:
        f = plain(store)
        ids = [new_invocation_id() for _ in range(2)]
        return await asyncio.gather(*(submitted(f, i) for i in ids), return_exceptions=True)

    answers = with_store("unix:///nowhere/redis.sock", submit_two)

    assert [type(answer) for answer in answers] == [StoreUnavailableError] * 2
