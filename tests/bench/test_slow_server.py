"""The slow server: every request is answered after the delay, however many wait."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.bench.parts import free_port
from tests.bench.plain_http import connect
from tests.bench.slow_server import DELAY_S, is_answered
from tests.support.waiting import eventually

_GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
_CALLERS = 200


@pytest.fixture
def port() -> Iterator[int]:
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", "tests.bench.slow_server", str(port)])
    try:
        eventually(lambda: is_answered(port), within_s=15)
        yield port
    finally:
        server.terminate()
        server.wait(10)


def test_callers_wait_at_the_same_time_and_connections_are_kept(port: int):
    took_s = asyncio.run(_time_two_calls_each(port))

    assert 2 * DELAY_S <= took_s < _CALLERS * DELAY_S


async def _time_two_calls_each(port: int) -> float:
    connections = [await connect(f"http://127.0.0.1:{port}") for _ in range(_CALLERS)]
    began_at = time.monotonic()
    for _ in range(2):
        answers = await asyncio.gather(*(connection.ask(_GET) for connection in connections))
        assert set(answers) == {(200, b'{"ok":true}')}
    took_s = time.monotonic() - began_at
    for connection in connections:
        connection.close()
    return took_s
