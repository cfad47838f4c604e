"""Calls of one function that arrive together share a script, and are born as if each came alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.invocations.ids import new_invocation_id
from runtime.store.async_connection import AsyncConnection
from runtime.store.submission_commands import Idempotency, Parts, Submitted, parts_of, submit
from runtime.store.submit_pipeline import SubmitPipeline, pack_parts
from tests.support.life import Life
from tests.support.redis_statistics import scripts_run

T = TypeVar("T")
ASKING = parts_of(key="k", priority=7, tags=("t",), fields={"caller": "me"})


def with_store(redis_url: str, act: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async def run() -> T:
        store = AsyncConnection(redis_url)
        try:
            return await act(store)
        finally:
            await store.close()

    return asyncio.run(run())


def group(store: AsyncConnection, **more: int | str) -> SubmitPipeline:
    usual = {"function": "f", "queue": "default", "version": "v1", "priority": 5}
    return SubmitPipeline(store, submit(**{"max_waiting": 0, **usual, **more}))


def submitted(
    f: SubmitPipeline, invocation_id: str, arguments: bytes = b"{}", parts: Parts = ()
) -> asyncio.Future[Submitted]:
    return f.submit(invocation_id.encode(), arguments, pack_parts(parts), len(parts))


def ids_of(count: int) -> list[str]:
    return [new_invocation_id() for _ in range(count)]


@pytest.mark.parametrize("parts", [(), ASKING])
def test_eight_calls_of_one_turn_share_a_command(redis_url: str, life: Life, parts: Parts):
    ids = ids_of(50)
    life.command("CONFIG", "RESETSTAT")

    async def submit_all(store: AsyncConnection) -> list[Submitted]:
        f = group(store)
        return await asyncio.gather(*(submitted(f, i, b'{"n":1}', parts) for i in ids))

    answers = with_store(redis_url, submit_all)

    assert {answer.reception for answer in answers} == {"NEW"}
    assert scripts_run(life) == 7
    assert [claimed.id for claimed in life.claim(100).items] == ids


def test_calls_that_ask_and_calls_that_do_not_share_a_command(redis_url: str, life: Life):
    ids = ids_of(8)
    first = Idempotency(digest="d", body_digest="b")
    asked: list[Parts] = [
        (),
        ASKING,
        parts_of(idempotency=first),
        parts_of(api_key="unknown"),
        (),
        parts_of(idempotency=first),
        parts_of(delay_ms=60_000),
        (),
    ]
    life.command("CONFIG", "RESETSTAT")

    async def submit_all(store: AsyncConnection) -> list[Submitted]:
        f = group(store)
        return await asyncio.gather(
            *(submitted(f, i, b"{}", parts) for i, parts in zip(ids, asked, strict=True))
        )

    answers = with_store(redis_url, submit_all)

    receptions = [answer.reception for answer in answers]
    assert receptions == ["NEW", "NEW", "NEW", "REVOKED", "NEW", "REPLAYED", "NEW", "NEW"]
    assert answers[5].id == ids[2]
    assert scripts_run(life) == 1
    assert {claimed.id for claimed in life.claim(9).items} == {ids[n] for n in (0, 1, 2, 4, 7)}


def test_large_calls_are_not_made_together(redis_url: str, life: Life):
    arguments = b'"%b"' % (b"x" * 40_000)
    life.command("CONFIG", "RESETSTAT")

    async def submit_all(store: AsyncConnection) -> list[Submitted]:
        f = group(store)
        return await asyncio.gather(*(submitted(f, i, arguments) for i in ids_of(4)))

    answers = with_store(redis_url, submit_all)

    assert len(answers) == 4
    assert scripts_run(life) == 4
    assert {claimed.arguments for claimed in life.claim(4).items} == {arguments}


def test_only_those_are_born_that_may_wait(redis_url: str, life: Life):
    ids = ids_of(5)

    async def submit_twice(store: AsyncConnection) -> list[Submitted]:
        f = group(store, max_waiting=3)
        first = await asyncio.gather(*(submitted(f, i) for i in ids[:4]))
        return [*first, await submitted(f, ids[4])]

    answers = with_store(redis_url, submit_twice)

    assert [answer.reception for answer in answers] == ["NEW"] * 3 + ["FULL"] * 2
    assert {answer.waiting for answer in answers[3:]} == {3}
    assert [claimed.id for claimed in life.claim(9).items] == ids[:3]


@pytest.mark.parametrize("parts", [(), ASKING])
def test_a_full_redis_refuses_all_of_them(redis_url: str, life: Life, parts: Parts):
    life.command("CONFIG", "SET", "maxmemory", 1)

    async def submit_two(store: AsyncConnection) -> list[object]:
        f = group(store)
        asked = (submitted(f, i, b"{}", parts) for i in ids_of(2))
        return await asyncio.gather(*asked, return_exceptions=True)

    try:
        answers = with_store(redis_url, submit_two)
    finally:
        life.command("CONFIG", "SET", "maxmemory", 0)

    assert [type(answer) for answer in answers] == [StoreRefusedError] * 2
    assert life.command("KEYS", "*") == []


def test_they_are_born_although_redis_has_lost_the_script(redis_url: str, life: Life):
    async def submit_after_flush(store: AsyncConnection) -> list[Submitted]:
        f = group(store)
        await submitted(f, new_invocation_id())
        await asyncio.to_thread(life.command, "SCRIPT", "FLUSH")
        asked = (submitted(f, i, b"{}", ASKING) for i in ids_of(2))
        return await asyncio.gather(*asked)

    answers = with_store(redis_url, submit_after_flush)

    assert [answer.reception for answer in answers] == ["NEW", "NEW"]
    assert len(life.claim(5).items) == 3


def test_a_caller_who_has_left_takes_nobody_along(redis_url: str, life: Life):
    async def submit_three(store: AsyncConnection) -> list[Submitted]:
        f = group(store)
        first, leaving, last = (submitted(f, i) for i in ids_of(3))
        leaving.cancel()
        return await asyncio.gather(first, last)

    answers = with_store(redis_url, submit_three)

    assert [answer.reception for answer in answers] == ["NEW", "NEW"]
    assert len(life.claim(5).items) == 3


def test_without_redis_each_hears_of_it():
    async def submit_two(store: AsyncConnection) -> list[object]:
        f = group(store)
        asked = (submitted(f, i) for i in ids_of(2))
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = with_store("unix:///nowhere/redis.sock", submit_two)

    assert [type(answer) for answer in answers] == [StoreUnavailableError] * 2
    assert all(isinstance(answer, StoreError) for answer in answers)
