"""The guard as the gateway asks it: in its event loop, with a slow or busy resolver."""

from __future__ import annotations

import asyncio
import gc
import threading
import time

import pytest

from runtime.callbacks.resolver import Resolver
from runtime.callbacks.ssrf_guard import (
    Policy,
    resolve_allowed,
)
from runtime.errors import CallbackAddressError
from tests.support.waiting import allowed

STRICT = Policy()
PUBLIC = "93.184.215.14"


def test_the_loop_does_not_wait_for_the_resolver_and_a_name_is_asked_once():
    asked = []
    over = threading.Event()

    def hanging(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        over.wait(5)
        return (PUBLIC,)

    async def judge_twenty() -> float:
        resolver = Resolver(hanging)
        judging = [
            asyncio.create_task(resolve_allowed("http://slow.example/", STRICT, resolver=resolver))
            for _ in range(20)
        ]
        began_s = time.monotonic()
        await asyncio.sleep(0)
        took_s = time.monotonic() - began_s
        over.set()
        await asyncio.gather(*judging)
        return took_s

    assert asyncio.run(judge_twenty()) < allowed(0.5)
    assert asked == ["slow.example"]


def test_a_failure_that_comes_too_late_is_not_complained_of():
    over = threading.Event()
    complaints: list[object] = []

    threads: list[threading.Thread] = []

    def failing_late(host: str, port: int) -> tuple[str, ...]:
        threads.append(threading.current_thread())
        over.wait(5)
        raise OSError("no such host")

    async def give_up_first() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        resolver = Resolver(failing_late)
        with pytest.raises(CallbackAddressError):
            await resolve_allowed("http://a.example/", STRICT, resolver=resolver, timeout_s=0.01)
        over.set()
        await asyncio.to_thread(threads[0].join)
        for _ in range(5):  # the loop lets go of its future a few turns later
            await asyncio.sleep(0)
        gc.collect()

    asyncio.run(give_up_first())

    assert complaints == []


def test_more_names_at_once_than_threads_are_refused():
    over = threading.Event()

    def hanging(host: str, port: int) -> tuple[str, ...]:
        over.wait(5)
        return (PUBLIC,)

    async def flood() -> list[object]:
        resolver = Resolver(hanging, most_threads=2)
        judging = [
            asyncio.create_task(resolve_allowed(f"http://n{n}.example/", STRICT, resolver=resolver))
            for n in range(3)
        ]
        await asyncio.sleep(0)
        over.set()
        return await asyncio.gather(*judging, return_exceptions=True)

    *judged, refused = asyncio.run(flood())

    assert [type(answer).__name__ for answer in judged] == ["ResolvedTarget", "ResolvedTarget"]
    assert isinstance(refused, CallbackAddressError)
