"""Celery on Redis with results in Redis: the functions, and the application's settings.

Tuned as its own manual says for many short calls: no events, no gossip, no heartbeat
between workers (see the command line in the table of systems), a larger prefetch, JSON.
"""

from __future__ import annotations

import os
import time

from celery import Celery

ADDRESS = "redis+socket://" + os.environ["BENCH_REDIS_SOCKET"]  # noqa: TID251
app = Celery("work", broker=ADDRESS, backend=ADDRESS)
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    result_expires=3600,
    worker_prefetch_multiplier=16,
    task_acks_late=False,
    worker_send_task_events=False,
    task_send_sent_event=False,
    broker_pool_limit=64,
    redis_max_connections=256,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)


@app.task(name="noop")
def noop(value: int) -> int:
    """Give back what came."""
    return value


@app.task(name="burn")
def burn(value: int) -> int:
    """Use 10 ms of processor time."""
    until = time.thread_time() + 0.010
    while time.thread_time() < until:
        pass
    return value


@app.task(name="nap")
def nap(value: int) -> int:
    """Sleep 100 ms."""
    time.sleep(0.100)
    return value


@app.task(name="carry")
def carry(text: str) -> str:
    """Give back 100 KB."""
    return text
