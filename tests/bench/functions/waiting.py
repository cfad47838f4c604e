"""The functions of the benchmarks that wait: on an event loop, and in threads."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

from penstock import function
from runtime.sdk.options import Options

if TYPE_CHECKING:
    import requests

# A checkout from before the option runs these functions, too, when it is measured beside this one.
_KNOWS = {field.name for field in fields(Options)}
_IN_THREADS: dict[str, Any] = {"per_process": 50} if "per_process" in _KNOWS else {}
# One worker holds 1,000 with eight runners, of which a function leaves the last to others.
_A_THOUSAND: dict[str, Any] = {"per_process": 150} if "per_process" in _KNOWS else {}
_LIMIT_S = 30


@function(name="process.sleep_1s", **_A_THOUSAND)
async def sleep_1s(value: int) -> int:
    """Sleep for 1 s."""
    await asyncio.sleep(1.0)
    return value


@function(name="process.sleep_100ms")
async def sleep_100ms(value: int) -> int:
    """Sleep for 100 ms."""
    await asyncio.sleep(0.100)
    return value


@function(name="process.fetch", **_IN_THREADS)
def fetch(value: int, url: str) -> int:
    """Ask a server that answers after 100 ms."""
    answer = _session().get(url, timeout=_LIMIT_S)
    answer.raise_for_status()
    return value


@cache
def _session() -> requests.Session:
    """Return this process's session: its pool keeps a connection for each thread."""
    # Only a process that fetches loads it: the runners of the other works shall not.
    import requests  # noqa: PLC0415
    from requests.adapters import HTTPAdapter  # noqa: PLC0415

    session = requests.Session()
    session.trust_env = False  # else each call looks for proxies in the environment
    session.mount("http://", HTTPAdapter(pool_maxsize=1000))
    return session
