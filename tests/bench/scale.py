"""How a system fares with a million waiting and a million finished invocations.

    python -m tests.bench.scale [--count 1000000] [--payload-bytes 100] [--rounds 5]

Two gateways, each with a Redis of its own as `penstock up` runs it: one stays empty, one is
filled. Requests go to both in turns, so that a noisy machine is noisy for both; what is told
is how the full one compares with the empty one. Takes 3 GB of memory and some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.up.embedded_redis import COMPACT_BYTES
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from runtime.store.system_commands import purge_queue
from tests.bench import filling
from tests.bench.plain_http import PlainConnection, connect, encode_request
from tests.bench.reporting import report
from tests.support.gateway_process import RunningGateway, running_gateway
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

FUNCTIONS = ("one", "two")
FAILED_EVERY = 50
FEW = 5_000  # on the empty side, so that its pages are as full
CONNECTIONS = 8
ACCEPT_RATE = 300.0
READS_A_ROUND = 40
GOAL_ACCEPT = 2.0
GOAL_BYTES = 1536
REDIS_OPTIONS = (
    *("--appendonly", "yes", "--appendfsync", "everysec"),
    *("--hash-max-ziplist-value", str(COMPACT_BYTES)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """One of the two: its gateway, its Redis, and the ids that can be asked for."""

    gateway: RunningGateway
    connection: BlockingConnection
    redis_url: str


def quantile_ms(times_s: list[float], share: float) -> float:
    """Return the time that so many did not exceed, in ms."""
    ordered = sorted(times_s)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def time_reads(base_url: str, targets: list[str]) -> list[float]:
    """Ask for each target, one after the other."""
    connection = await connect(base_url)
    times = []
    for target in targets:
        began_at = time.perf_counter()
        status, body = await connection.ask(encode_request("GET", target))
        times.append(time.perf_counter() - began_at)
        if status != 200:
            raise RuntimeError(f"{target} was answered with {status}: {body[:200]!r}")
    connection.close()
    return times


async def time_accepts(base_url: str, arguments: bytes, for_s: float) -> list[float]:
    """Call at a steady rate on a few connections; return each answer's time."""
    request = encode_request("POST", f"/functions/{FUNCTIONS[0]}", arguments)
    times: list[float] = []

    async def call(connection: PlainConnection, number: int) -> None:
        loop = asyncio.get_running_loop()
        pause_s = CONNECTIONS / ACCEPT_RATE
        due_at = loop.time() + pause_s * number / CONNECTIONS
        ends_at = loop.time() + for_s
        while due_at < ends_at:
            await asyncio.sleep(due_at - loop.time())
            began_at = time.perf_counter()
            status, body = await connection.ask(request)
            times.append(time.perf_counter() - began_at)
            if status != 202:
                raise RuntimeError(f"a call was answered with {status}: {body[:200]!r}")
            due_at = max(due_at + pause_s, loop.time())

    connections = [await connect(base_url) for _ in range(CONNECTIONS)]
    await asyncio.gather(*(call(one, number) for number, one in enumerate(connections)))
    for connection in connections:
        connection.close()
    return times


def compare_accepting(empty: Half, full: Half, flags: argparse.Namespace) -> float:
    """Tell how long accepting takes on both; return the ratio of the p99."""
    arguments = make_arguments(flags.payload_bytes)
    times: dict[str, list[float]] = {"empty": [], "full": []}
    ratios, usec = [], {"empty": 0.0, "full": 0.0}
    for number in range(flags.rounds + 1):
        p99 = {}
        for name, half in (("empty", empty), ("full", full)):
            half.connection.run(Command(("CONFIG", "RESETSTAT"), bool))
            found = asyncio.run(time_accepts(half.gateway.url, arguments, flags.accept_s))
            if number:  # the first is the warm-up
                times[name] += found
                p99[name] = quantile_ms(found, 0.99)
                usec[name] += filling.script_usec(half.connection) / flags.rounds
        empty_again(empty.connection)
        if number:
            ratios.append(p99["full"] / p99["empty"])
    for name, found in times.items():
        report(
            f"accept, {name:5}: p50 {quantile_ms(found, 0.5):.2f} ms, "
            f"p99 {quantile_ms(found, 0.99):.2f} ms, {usec[name]:.0f} µs in Redis "
            f"({len(found):,} calls at {ACCEPT_RATE:.0f}/s)"
        )
    ratio = quantile_ms(times["full"], 0.99) / quantile_ms(times["empty"], 0.99)
    report(
        f"accept p99, full to empty: {ratio:.2f} over all, {statistics.median(ratios):.2f} at the "
        f"median of {len(ratios)} rounds (goal: at most {GOAL_ACCEPT})"
    )
    return statistics.median(ratios)


def compare_reading(empty: Half, full: Half, targets: dict[str, str], rounds: int) -> None:
    """Tell how long each kind of reading takes on both."""
    report(f"{'GET':44} {'empty p50':>10} {'full p50':>10} {'p99':>8} {'ratio':>6}")
    for name, target in targets.items():
        times: dict[str, list[float]] = {"empty": [], "full": []}
        for _ in range(rounds):
            for half_name, half in (("empty", empty), ("full", full)):
                times[half_name] += asyncio.run(
                    time_reads(half.gateway.url, spell_out(target, half))
                )
        before, after = (quantile_ms(times[half], 0.5) for half in ("empty", "full"))
        p99 = quantile_ms(times["full"], 0.99)
        report(f"{name:44} {before:7.2f} ms {after:7.2f} ms {p99:5.1f} ms {after / before:6.2f}")


def spell_out(target: str, half: Half) -> list[str]:
    """Return the addresses of a round; where there is a hole, ids from all over the history."""
    if "{id}" not in target:
        return [target] * READS_A_ROUND
    index = half.connection.keys.build("index", "live")
    words = ("ZRANDMEMBER", index, -READS_A_ROUND)
    ids: list[bytes] = half.connection.run(Command(words, lambda reply: reply))
    return [target.replace("{id}", one.decode()) for one in ids]


def empty_again(connection: BlockingConnection) -> None:
    """Cancel what waits."""
    while connection.run(purge_queue(filling.QUEUE)):
        pass


def make_arguments(size: int) -> bytes:
    """Return the arguments of a call, so many bytes of JSON."""
    return b'{"text":"%s"}' % (b"x" * max(0, size - len('{"text":""}')))


@contextmanager
def half_of(folder: Path) -> Iterator[Half]:
    """Start a Redis and a gateway before it."""
    folder.mkdir()
    with own_redis(folder, *REDIS_OPTIONS) as url:
        connection = BlockingConnection(url, timeout_s=60)
        filling.publish(connection, *FUNCTIONS)
        with running_gateway(url, log_level="warning") as gateway:
            eventually(lambda: set(FUNCTIONS) <= gateway.known(), within_s=10)
            yield Half(gateway=gateway, connection=connection, redis_url=url)
        connection.close()


def measure(empty: Half, full: Half, flags: argparse.Namespace) -> bool:
    """Fill, measure and tell; return whether the goals are met."""
    count, arguments = flags.count, make_arguments(flags.payload_bytes)
    manifests = filling.publish(full.connection, *FUNCTIONS)
    before_bytes = filling.used_bytes(full.connection)
    took_s = filling.fill_waiting(full.connection, manifests, count, arguments)
    each_bytes = (filling.used_bytes(full.connection) - before_bytes) / count - len(arguments)
    report(
        f"{count:,} waiting, {len(arguments)} bytes of arguments each, submitted in "
        f"{took_s:.0f} s: {each_bytes:.0f} bytes each beyond them (goal: at most {GOAL_BYTES})"
    )
    filling.fill_waiting(empty.connection, manifests, FEW, arguments)
    compare_reading(
        empty,
        full,
        {
            "an invocation that waits": "/invocations/{id}",
            "?status=queued&limit=50": "/invocations?status=queued&limit=50",
            "?function=one&status=queued&limit=50": (
                "/invocations?function=one&status=queued&limit=50"
            ),
            "/queues": "/queues",
        },
        flags.rounds,
    )
    empty_again(empty.connection)
    ratio = compare_accepting(empty, full, flags)

    result = b'"%s"' % (b"X" * max(0, flags.payload_bytes - 2))
    waiting = full.gateway.connection.run(
        Command(("ZCARD", full.connection.keys.build("index", "live")), int)
    )
    took_s = filling.finish_all(full.connection, waiting, result, failed_every=FAILED_EVERY)
    each_bytes_finished = (filling.used_bytes(full.connection) - before_bytes) / waiting
    payload = len(arguments) + len(result)
    report(
        f"{waiting:,} finished in {took_s:.0f} s: {each_bytes_finished - payload:.0f} bytes each "
        f"beyond arguments and result"
    )
    filling.fill_waiting(empty.connection, manifests, FEW, arguments)
    filling.finish_all(empty.connection, FEW, result, failed_every=FAILED_EVERY)
    compare_reading(
        empty,
        full,
        {
            "an invocation that has finished": "/invocations/{id}",
            "/invocations?limit=50": "/invocations?limit=50",
            "?status=failed&limit=50": "/invocations?status=failed&limit=50",
            "?function=two&status=succeeded&limit=50": (
                "/invocations?function=two&status=succeeded&limit=50"
            ),
            "?function=two&limit=50": "/invocations?function=two&limit=50",
            "/statistics?minutes=60": "/statistics?minutes=60",
            "/functions": "/functions",
            "/metrics": "/metrics",
        },
        flags.rounds,
    )
    return ratio <= GOAL_ACCEPT and each_bytes <= GOAL_BYTES


def main() -> int:
    """Measure and print; 0 when the goals are met."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--payload-bytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--accept-s", type=float, default=6.0, help="of each half of a round")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="penstock-scale.") as name:
        folder = Path(name)
        with half_of(folder / "empty") as empty, half_of(folder / "full") as full:
            return int(not measure(empty, full, flags))


if __name__ == "__main__":
    sys.exit(main())
