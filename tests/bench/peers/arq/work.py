"""arq on Redis with results in Redis: the functions, and the worker's settings.

Tuned for what is measured: it looks for work often (its default is twice a second), runs on uvloop,
writes JSON instead of pickles, and logs nothing of calls that go well.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, ClassVar

import orjson
import uvloop
from arq.connections import RedisSettings

SLOTS = int(os.environ["BENCH_SLOTS"])  # noqa: TID251
SETTINGS = RedisSettings(unix_socket_path=os.environ["BENCH_REDIS_SOCKET"])  # noqa: TID251
MANY = 100
LOGGING = {"version": 1, "disable_existing_loggers": False}
Context = dict[str, Any]

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())


async def noop(_: Context, value: int) -> int:
    """Give back what came."""
    return value


def _burn(value: int) -> int:
    until = time.thread_time() + 0.010
    while time.thread_time() < until:
        pass
    return value


async def burn(_: Context, value: int) -> int:
    """Use 10 ms of processor time, in a thread."""
    return await asyncio.to_thread(_burn, value)


async def nap(_: Context, value: int) -> int:
    """Sleep 100 ms."""
    await asyncio.sleep(0.100)
    return value


async def sleep_100ms(_: Context, value: int) -> int:
    """Sleep 100 ms."""
    await asyncio.sleep(0.100)
    return value


async def sleep_1s(_: Context, value: int) -> int:
    """Sleep 1 s."""
    await asyncio.sleep(1.0)
    return value


async def carry(_: Context, text: str) -> str:
    """Give back 100 KB."""
    return text


class WorkerSettings:
    """What `arq work.WorkerSettings` reads."""

    functions: ClassVar = [noop, burn, nap, sleep_100ms, sleep_1s, carry]
    redis_settings = SETTINGS
    max_jobs = SLOTS
    # Each look asks Redis about every call that is queued or under way, so that of a thousand
    # looking seldom costs least.
    poll_delay = 0.010 if SLOTS < MANY else 0.100
    keep_result_forever = True
    job_serializer = orjson.dumps
    job_deserializer = orjson.loads
    log_results = False
