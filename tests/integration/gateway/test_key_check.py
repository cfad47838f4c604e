"""Keys in memory: no round trip while news come, never trusted for long without them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.auth.failure_throttle import FailureThrottle
from gateway.auth.key_check import KeyCache, KeyChecker
from gateway.problems import ProblemError
from runtime.access.api_key import generate_key_text
from runtime.store import access_commands
from runtime.store.async_connection import AsyncConnection
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.support.api_keys import make_key
from tests.support.waiting import eventually

Run = Callable[[Callable[[KeyCache], Awaitable[object]]], object]


@pytest.fixture
def run(redis_url: str) -> Callable[..., object]:
    """Run a scenario with a ring, in a loop."""

    def with_ring(scenario: Callable[[KeyCache], Awaitable[object]], **settings: float) -> object:
        async def whole() -> object:
            store = AsyncConnection(redis_url)
            key_cache = KeyCache(store, **settings)  # type: ignore[arg-type]
            try:
                return await scenario(key_cache)
            finally:
                await key_cache.stop()
                await store.close()

        return asyncio.run(whole())

    return with_ring


def test_while_news_come_a_key_is_known_until_they_say_otherwise(
    run, connection: BlockingConnection
):
    made = make_key(connection, "shop", "read")

    async def scenario(key_cache: KeyCache) -> list[bool]:
        key_cache.on_subscribed()
        seen = [await key_cache.find(made.id) is not None]
        connection.run(access_commands.revoke_key(made.id))
        seen.append(await key_cache.find(made.id) is not None)  # the news are under way
        key_cache.on_revocation(b"-" + made.id.encode())
        seen.append(await key_cache.find(made.id) is not None)
        return seen

    assert run(scenario, trusted_s=60) == [True, True, False]


def test_without_news_redis_is_asked_every_time(run, connection: BlockingConnection):
    made = make_key(connection, "shop", "read")

    async def scenario(key_cache: KeyCache) -> list[bool]:
        seen = [await key_cache.find(made.id, is_rechecked=True) is not None]
        key_cache.on_subscribed()
        seen.append(await key_cache.find(made.id) is not None)
        key_cache.on_unsubscribed()
        connection.run(access_commands.revoke_key(made.id))
        seen.append(await key_cache.find(made.id, is_rechecked=True) is not None)
        return seen

    assert run(scenario, trusted_s=60) == [True, True, False]


def test_silence_is_trusted_for_a_moment_only_unless_a_script_judges_again(
    run, connection: BlockingConnection
):
    made = make_key(connection, "shop", "read")

    async def scenario(key_cache: KeyCache) -> list[bool]:
        key_cache.on_subscribed()
        await key_cache.find(made.id)
        connection.run(access_commands.revoke_key(made.id))
        return [
            await key_cache.find(made.id, is_rechecked=True) is not None,
            await key_cache.find(made.id) is not None,
        ]

    assert run(scenario, trusted_s=0) == [True, False]


def test_an_answer_that_was_under_way_does_not_bring_a_revoked_key_back(
    run, connection: BlockingConnection
):
    made = make_key(connection, "shop", "read")

    async def scenario(key_cache: KeyCache) -> object:
        key_cache.on_subscribed()
        asking = asyncio.create_task(key_cache.find(made.id))
        await asyncio.sleep(0)
        key_cache.on_revocation(b"-" + made.id.encode())
        return await asking, await key_cache.find(made.id, is_rechecked=True)

    assert run(scenario) == (None, None)


def test_uses_are_written_down_together_and_at_the_end(run, connection: BlockingConnection):
    first, second = make_key(connection, "shop", "read"), make_key(connection, "desk", "read")

    def used() -> set[str]:
        return {k.id for k in connection.run(access_commands.read_keys()).keys if k.used_at_ms}

    async def scenario(key_cache: KeyCache) -> None:
        for _ in range(100):
            key_cache.note_use(first.id)
        await asyncio.to_thread(eventually, lambda: used() == {first.id})
        key_cache.note_use(second.id)

    run(scenario, use_noted_every_s=0.01)

    assert used() == {first.id, second.id}


def test_wrong_keys_are_refused_alike_and_then_without_asking_redis(
    run, connection: BlockingConnection
):
    made = make_key(connection, "shop", "read")
    brief = make_key(connection, "shop", "read", lifetime_ms=1)
    wrong = generate_key_text()
    wrong_secret = generate_key_text()
    stolen_id = type(wrong)(id=made.id, secret=wrong_secret.secret).write()
    mistyped = made.text[:-1] + ("A" if made.text[-1] != "A" else "B")
    eventually(lambda: connection.run(access_commands.count_valid_keys()) == 1)

    async def scenario(key_cache: KeyCache) -> list[tuple[str, str]]:
        key_cache.on_subscribed()
        checker = KeyChecker(key_cache, FailureThrottle(lambda: 0.0, most=4))
        seen = []
        for text in (wrong.write(), stolen_id, mistyped, brief.text, wrong.write()):
            with pytest.raises(ProblemError) as refused:
                await checker.check(text, "192.0.2.1")
            seen.append((refused.value.code, refused.value.detail))
        assert (await checker.check(made.text, "192.0.2.1")).id == made.id
        return seen

    [unknown, stolen, typo, outlived, waits] = run(scenario)  # type: ignore[misc]

    assert unknown == stolen == ("unauthenticated", "This API key is not known.")
    assert typo[1] == "This is not an API key, or it was mistyped."
    assert outlived[1] == "This API key has expired."
    assert waits[0] == "too_many_failures"


def test_a_key_that_was_missed_is_asked_for_again_after_a_while(
    run, connection: BlockingConnection
):
    made = make_key(connection, "shop", "read")
    keys = connection.keys.build("api_keys")
    kept = connection.run(Command(("DUMP", keys), lambda reply: reply))
    connection.run(Command(("DEL", keys), lambda reply: reply))

    async def scenario(key_cache: KeyCache) -> list[bool]:
        key_cache.on_subscribed()
        seen = [await key_cache.find(made.id) is not None]
        # Redis is restored from a copy, under the gateway.
        connection.run(Command(("RESTORE", keys, 0, kept), lambda reply: reply))
        seen.append(await key_cache.find(made.id) is not None)
        await asyncio.sleep(0.3)
        seen.append(await key_cache.find(made.id) is not None)
        seen.append(key_cache.knows_of(made.id))
        return seen

    assert run(scenario, missing_s=0.2) == [False, False, True, True]


def test_a_key_that_was_revoked_stays_refused_whatever_redis_says(
    run, connection: BlockingConnection
):
    made = make_key(connection, "shop", "read")

    async def scenario(key_cache: KeyCache) -> list[bool]:
        key_cache.on_subscribed()
        key_cache.on_revocation(b"-" + made.id.encode())
        seen = [await key_cache.find(made.id) is not None]
        await asyncio.sleep(0.1)
        seen.append(await key_cache.find(made.id) is not None)
        key_cache.on_subscribed()
        seen.append(await key_cache.find(made.id) is not None)
        return seen

    assert run(scenario, missing_s=0.05) == [False, False, False]
