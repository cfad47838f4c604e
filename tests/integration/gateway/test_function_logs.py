"""What a function prints, read from the events of its invocations over a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.live.event_reader import EventReader
from gateway.live.event_streams import EventStreams, Reader
from gateway.live.function_logs import FunctionLog
from gateway.live.log_stream import LogStream
from runtime.store.async_connection import AsyncConnection
from runtime.store.event_commands import Entry, append_events
from runtime.store.invocation_commands import Claimed
from tests.support.life import Life

NOW_MS = 4_000_000_000_000


@pytest.fixture
def run(redis_url: str) -> Callable[..., Any]:
    """Run a scenario with a connection of its own."""

    def run_scenario(scenario: Callable[[AsyncConnection], Any]) -> Any:
        async def whole() -> Any:
            store = AsyncConnection(redis_url, timeout_s=5)
            try:
                return await scenario(store)
            finally:
                await store.close()

        return asyncio.run(whole())

    return run_scenario


def log_of(store: AsyncConnection, **more: Any) -> FunctionLog:
    return FunctionLog(store, "f", clock=lambda: NOW_MS, **more)


def texts(lines: list[Any]) -> list[str]:
    return [line.text for line in lines]


def prints(life: Life, claimed: Claimed, number: int, text: bytes) -> None:
    entry = Entry(number=number, kind="log", data=text)
    command = append_events(claimed.id, claimed.token, [entry], worker=claimed.worker)
    assert life.connection.run(command)


def finished(life: Life, text: str, **more: Any) -> Claimed:
    life.submit(**more)
    claimed = life.claim_one(lease_ms=60_000)
    life.settle(claimed, logs=f"{text}\n".encode())
    return claimed


def test_a_running_one_is_found_behind_many_that_have_finished(run, life: Life):
    life.submit()
    old = life.claim_one(lease_ms=60_000)
    prints(life, old, 1, b"old\n")
    for count in range(103):
        finished(life, str(count))

    async def scenario(store):
        return texts(await log_of(store).read_last(None))

    assert run(scenario) == ["old", *(str(count) for count in range(3, 103))]


def test_older_ones_do_not_come_later_when_newer_ones_are_deleted(run, life: Life):
    claimed = [finished(life, str(count)) for count in range(103)]

    async def scenario(store):
        log = log_of(store)
        first = texts(await log.read_last(2))
        for newest in claimed[-3:]:
            life.command("ZREM", life.key("index", "end:f:succeeded"), newest.id)
        return first, await log.read_new(), finished(life, "new"), texts(await log.read_new())

    first, none, _, new = run(scenario)

    assert (first, none, new) == (["101", "102"], [], ["new"])


def test_one_that_waited_when_the_reading_began_is_read_when_it_runs(run, life: Life):
    life.submit()
    finished_before = life.claim_one(lease_ms=60_000)
    life.submit()
    life.settle(finished_before, logs=b"before\n")

    async def scenario(store):
        log = log_of(store)
        first = texts(await log.read_last(None))
        claimed = life.claim_one(lease_ms=60_000)
        prints(life, claimed, 1, b"first\n")
        second = texts(await log.read_new())
        prints(life, claimed, 3, b"second\nthird\n")
        life.settle(claimed, logs=b"first\nsecond\nthird\n")
        third = texts(await log.read_new())
        return first, second, third, await log.read_new()

    assert run(scenario) == (["before"], ["first"], ["second", "third"], [])


def test_a_line_has_the_time_at_which_its_attempt_ended(run, life: Life):
    ended = finished(life, "ended")
    life.submit()
    running = life.claim_one(lease_ms=60_000)
    prints(life, running, 1, b"running\n")
    ended_at_ms = life.read(ended.id).finished_at_ms

    async def scenario(store):
        all_lines = await log_of(store).read_last(None)
        later = await log_of(store, since_ms=ended_at_ms + 1).read_last(None)
        return [line.at_ms for line in all_lines], texts(later)

    assert run(scenario) == ([ended_at_ms, NOW_MS], ["running"])


def test_a_long_output_is_read_whole_and_much_output_only_in_part(run, life: Life):
    life.submit()
    claimed = life.claim_one(lease_ms=60_000)
    for number in range(1, 41):
        prints(life, claimed, number, b"%d " % number + b"x" * 30_000 + b"\n")
    life.settle(claimed)
    finished(life, "after")

    async def scenario(store):
        return texts(await log_of(store).read_last(None))

    lines = run(scenario)

    assert [line.partition(" ")[0] for line in lines] == [*map(str, range(1, 41)), "after"]


def test_what_no_longer_is_there_ends_nothing(run, life: Life):
    life.submit()
    claimed = life.claim_one(lease_ms=60_000)

    async def scenario(store):
        log = log_of(store)
        await log.read_last(None)
        life.command("DEL", life.key("record", claimed.id))
        finished(life, "next")
        return texts(await log.read_new())

    assert run(scenario) == ["next"]


def test_a_stream_without_lines_sends_empty_ones_until_it_is_stopped(run, life: Life):
    async def scenario(store):
        streams = EventStreams(EventReader(store, "g"))
        log = log_of(store)
        first = await log.read_last(None)
        how: Any = {"name": "f", "is_followed": True, "reader": Reader(), "heartbeat_s": 0.01}
        stream = LogStream(streams, log, first, **how)
        pieces = [await anext(stream), await anext(stream)]
        open_then = len(streams)
        streams.drain()
        return pieces, open_then, [piece async for piece in stream], len(streams)

    pieces, open_then, rest, open_now = run(scenario)

    assert (pieces, rest) == ([b"", b"\n"], [])
    assert (open_then, open_now) == (1, 0)
