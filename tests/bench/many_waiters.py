"""How a gateway process fares with thousands who wait and hundreds who follow.

    python -m tests.bench.many_waiters [--waiters 2000] [--streams 500] [--calls 1000]

Starts a Redis and one gateway process. First a caller alone makes calls; then `waiters`
clients each hold a call with `Prefer: wait` open and `streams` clients an event stream, and
the same caller makes the same calls again; at last all that waits is finished and every
waiter must have its answer. Prints memory, latency and how long telling them all took.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import tempfile
import time
from pathlib import Path

from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Settlement, claim, settle
from runtime.store.scripts import Command
from tests.bench.acceptance import BODY, GREET
from tests.bench.processes import children, cpu_s, resident_bytes
from tests.bench.reporting import report
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.redis_server import own_redis

_MIB = 1 << 20
_AT_ONCE = 100
_OPENING = asyncio.Semaphore(200)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--waiters", type=int, default=2_000)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--calls", type=int, default=1_000)
    chosen = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with (
        tempfile.TemporaryDirectory(prefix="many_waiters.") as name,
        own_redis(Path(name)) as url,
        running_gateway(url) as gateway,
    ):
        gateway.publish(GREET)
        asyncio.run(_measure(gateway, chosen.waiters, chosen.streams, chosen.calls))


async def _measure(gateway: RunningGateway, waiters: int, streams: int, calls: int) -> None:
    [pid] = children(gateway.pid)
    await _call_often(gateway.port, 50)
    _report("alone", await _call_often(gateway.port, calls), pid)
    before_bytes = resident_bytes(pid)

    followed = [await _accept(gateway.port) for _ in range(streams)]
    following = [asyncio.create_task(_follow(gateway.port, one)) for one in followed]
    opened = await asyncio.gather(*following)
    already = await asyncio.to_thread(_count_waiting, gateway.connection)
    waiting = [asyncio.create_task(_wait(gateway.port)) for _ in range(waiters)]
    await _until_waiting(gateway.connection, already + waiters)
    _report("with all", await _call_often(gateway.port, calls), pid)
    held_bytes = resident_bytes(pid) - before_bytes
    idle_from = cpu_s(pid)
    await asyncio.sleep(3)
    idle_share = (cpu_s(pid) - idle_from) / 3

    begun = time.monotonic()
    finishing = asyncio.to_thread(_finish_all, gateway.connection)
    answers = await asyncio.gather(finishing, *waiting)
    took_s = time.monotonic() - begun
    ended = sum(await asyncio.gather(*(_read_to_the_end(reader) for reader, _ in opened)))
    for _, writer in opened:
        writer.close()
    report(f"{waiters} waiters, {streams} event streams on one process: all open")
    report(f"memory for them: {held_bytes / _MIB:.0f} MiB")
    report(f"  {held_bytes / (waiters + streams) / 1024:.1f} KiB each")
    report(f"processor while nothing happens: {idle_share:.1%}")
    report(
        f"finished and answered in {took_s:.2f} s: {answers[1:].count(True)} of {waiters} waiters"
    )
    report(f"streams that came to their end: {ended} of {streams}")


def _report(when: str, took_ms: list[float], pid: int) -> None:
    p99_ms = statistics.quantiles(took_ms, n=100)[98]
    report(
        f"{when:9} p50 {statistics.median(took_ms):.2f} ms, p99 {p99_ms:.2f} ms, "
        f"resident {resident_bytes(pid) / _MIB:.0f} MiB"
    )


def _request(method: str, path: str, body: str = "", *headers: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


_CALL = _request("POST", "/functions/greet", BODY, "Content-Type: application/json")
_CALL_AND_WAIT = _request(
    "POST", "/functions/greet", BODY, "Content-Type: application/json", "Prefer: wait=60"
)


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
    return int(head.split(b" ", 2)[1]), await reader.readexactly(size)


async def _accept(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_CALL)
    _, body = await _read_answer(reader)
    writer.close()
    return body.partition(b'"id":"')[2][:36].decode()


async def _call_often(port: int, calls: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took_ms = []
    for _ in range(calls):
        begun = time.perf_counter()
        writer.write(_CALL)
        status, _ = await _read_answer(reader)
        took_ms.append((time.perf_counter() - begun) * 1000)
        assert status == 202
    writer.close()
    return took_ms


async def _wait(port: int) -> bool:
    async with _OPENING:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_CALL_AND_WAIT)
    status, _ = await _read_answer(reader)
    writer.close()
    return status == 200


async def _follow(
    port: int, invocation_id: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with _OPENING:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_request("GET", f"/invocations/{invocation_id}/events"))
    await reader.readuntil(b"event: status")
    return reader, writer


async def _read_to_the_end(reader: asyncio.StreamReader) -> bool:
    await reader.readuntil(b"event: end")
    return True


async def _until_waiting(connection: BlockingConnection, count: int) -> None:
    deadline = time.monotonic() + 30
    while (waiting := await asyncio.to_thread(_count_waiting, connection)) < count:
        assert time.monotonic() < deadline, f"{waiting} wait"
        await asyncio.sleep(0.05)


def _count_waiting(connection: BlockingConnection) -> int:
    words = ("HGET", connection.keys.build("waiting"), "greet")
    return connection.run(Command(words, lambda reply: int(reply or 0)))


def _finish_all(connection: BlockingConnection) -> None:
    """Claim and settle everything, as a quick worker would."""
    while items := connection.run(
        claim(queue="default", worker="w", limit=_AT_ONCE, lease_ms=60_000)
    ).items:
        connection.run(
            settle(
                (
                    Settlement(
                        id=item.id, token=item.token, status="succeeded", ttl_ms=60_000, result=b"1"
                    )
                    for item in items
                ),
                worker="w",
            )
        )


if __name__ == "__main__":
    main()
