"""Celery on Redis with results in Redis: the functions, and the application's settings.

Tuned as its own manual says for many short calls: no events, no gossip, no heartbeat
between workers (see the command line in the table of systems), a larger prefetch, JSON.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

from celery import Celery

if TYPE_CHECKING:
    import requests

ADDRESS = "redis+socket://" + os.environ["BENCH_REDIS_SOCKET"]  # noqa: TID251
PREFETCH = int(os.environ.get("BENCH_PREFETCH", "16"))  # noqa: TID251
CONNECTIONS = int(os.environ.get("BENCH_CONNECTIONS", "256"))  # noqa: TID251
LIMIT_S = 30
app = Celery("work", broker=ADDRESS, backend=ADDRESS)
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    result_expires=3600,
    worker_prefetch_multiplier=PREFETCH,
    task_acks_late=False,
    worker_send_task_events=False,
    task_send_sent_event=False,
    broker_pool_limit=64,
    redis_max_connections=max(CONNECTIONS, 256),
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


@app.task(name="sleep_100ms")
def sleep_100ms(value: int) -> int:
    """Sleep 100 ms."""
    time.sleep(0.100)
    return value


@app.task(name="sleep_1s")
def sleep_1s(value: int) -> int:
    """Sleep 1 s."""
    time.sleep(1.0)
    return value


@app.task(name="fetch")
def fetch(value: int, url: str) -> int:
    """Ask a server that answers after 100 ms."""
    answer = _session().get(url, timeout=LIMIT_S)
    answer.raise_for_status()
    return value


@cache
def _session() -> requests.Session:
    """Return this process's session: its pool keeps a connection for each thread."""
    import requests  # noqa: PLC0415 - as on our side, only where it is used
    from requests.adapters import HTTPAdapter  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False  # else each call looks for proxies in the environment
    session.mount("http://", HTTPAdapter(pool_maxsize=1000))
    return session


@app.task(name="carry")
def carry(text: str) -> str:
    """Give back 100 KB."""
    return text
