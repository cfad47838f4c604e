"""Taskiq on a Redis stream with results in Redis: the functions and the broker."""

from __future__ import annotations

import asyncio
import os
import time

from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

ADDRESS = "unix://" + os.environ["BENCH_REDIS_SOCKET"]  # noqa: TID251
broker = RedisStreamBroker(ADDRESS, xread_count=100, maxlen=100_000).with_result_backend(
    RedisAsyncResultBackend(ADDRESS, result_ex_time=3600)
)


@broker.task(task_name="noop")
async def noop(value: int) -> int:
    """Give back what came."""
    return value


@broker.task(task_name="burn")
def burn(value: int) -> int:
    """Use 10 ms of processor time, in a thread."""
    until = time.thread_time() + 0.010
    while time.thread_time() < until:
        pass
    return value


@broker.task(task_name="nap")
async def nap(value: int) -> int:
    """Sleep 100 ms."""
    await asyncio.sleep(0.100)
    return value


@broker.task(task_name="sleep_100ms")
async def sleep_100ms(value: int) -> int:
    """Sleep 100 ms."""
    await asyncio.sleep(0.100)
    return value


@broker.task(task_name="sleep_1s")
async def sleep_1s(value: int) -> int:
    """Sleep 1 s."""
    await asyncio.sleep(1.0)
    return value


@broker.task(task_name="carry")
async def carry(text: str) -> str:
    """Give back 100 KB."""
    return text
