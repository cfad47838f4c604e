"""The stock Dramatiq broker on Redis with results: the functions."""

from __future__ import annotations

import os
import time

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

ADDRESS = "unix://" + os.environ["BENCH_REDIS_SOCKET"]  # noqa: TID251
broker = RedisBroker(url=ADDRESS)
broker.add_middleware(Results(backend=RedisBackend(url=ADDRESS), result_ttl=3_600_000))
dramatiq.set_broker(broker)


@dramatiq.actor(store_results=True)
def noop(value: int) -> int:
    """Give back what came."""
    return value


@dramatiq.actor(store_results=True)
def burn(value: int) -> int:
    """Use 10 ms of processor time."""
    until = time.thread_time() + 0.010
    while time.thread_time() < until:
        pass
    return value


@dramatiq.actor(store_results=True)
def nap(value: int) -> int:
    """Sleep 100 ms."""
    time.sleep(0.100)
    return value


@dramatiq.actor(store_results=True)
def carry(text: str) -> str:
    """Give back 100 KB."""
    return text
