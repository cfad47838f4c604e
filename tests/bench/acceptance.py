"""What accepting a call costs, beside a bare Falcon echo on the same server.

    python -m tests.bench.acceptance [--rounds 5] [--seconds 3] [--connections 32] [--gateways 1]

Starts a Redis (append-only, as `penstock up` does), an echo and a gateway, and lets wrk
post to each in turn. No worker runs: the calls stay in their lane. Prints medians and bests
over the rounds: requests/s, latency, and processor time per request, the steadiest of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.registry.manifest import Manifest
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.bench.processes import cpu_s, running_gunicorn
from tests.bench.reporting import report
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import start_redis

BODY = '{"name": "Ada", "times": 3}'
GREET = Manifest(
    name="greet",
    version="aaaaaaaaaaaa",
    file="greet.py",
    parameters={
        "type": "object",
        "properties": {"name": {"type": "string"}, "times": {"type": "integer", "default": 1}},
        "required": ["name"],
        "additionalProperties": False,
    },
)
_SCRIPT = """
wrk.method = "POST"
wrk.body = '%s'
wrk.headers["Content-Type"] = "application/json"
done = function(summary, latency)
  io.write(string.format('\\nSUMMARY {"count":%%d,"us":%%d,"p50_us":%%d,"p99_us":%%d,"bad":%%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout))
end
"""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something to post to; `pid` leads the processes that serve it."""

    name: str
    url: str
    pid: int


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--gateways", type=int, default=1)
    parser.add_argument("--setting", action="append", default=[], help="log_format=json")
    parser.add_argument("--hold", action="store_true", help="start, print pids, wait for Enter")
    chosen = parser.parse_args()
    settings = dict(setting.split("=", 1) for setting in chosen.setting)
    with (
        tempfile.TemporaryDirectory(prefix="acceptance.") as name,
        _redis(Path(name)) as (url, redis_pid),
        running_gateway(url, gateways=chosen.gateways, **settings) as gateway,
        running_gunicorn("tests.bench.echo:create()", workers=chosen.gateways) as (port, pid),
        ExitStack() as stack,
    ):
        gateway.publish(GREET)
        connection = BlockingConnection(url)
        stack.callback(connection.close)
        script = Path(name) / "post.lua"
        script.write_text(_SCRIPT % BODY)
        targets = [
            Target(name="echo, media", url=f"http://127.0.0.1:{port}/media", pid=pid),
            Target(name="echo, raw", url=f"http://127.0.0.1:{port}/raw", pid=pid),
            Target(name="accept", url=f"{gateway.url}/functions/greet", pid=gateway.pid),
        ]
        if chosen.hold:
            report(*map(str, (*targets, redis_pid, script)))
            input()
            return
        found: dict[str, list[dict[str, float]]] = {target.name: [] for target in targets}
        for _ in range(chosen.rounds + 1):
            for target in targets:
                found[target.name].append(
                    _measure(
                        target, script, connection, redis_pid, chosen.seconds, chosen.connections
                    )
                )
        _report({name: rounds[1:] for name, rounds in found.items()})


def _measure(
    target: Target,
    script: Path,
    connection: BlockingConnection,
    redis_pid: int,
    seconds: int,
    connections: int,
) -> dict[str, float]:
    for words in (("FLUSHDB",), ("CONFIG", "RESETSTAT")):
        if words[0] == "CONFIG" or target.name == "accept":
            connection.run(Command(_without_manifests(words), lambda reply: reply))
    before = cpu_s(target.pid, with_children=True), cpu_s(redis_pid)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", str(script), target.url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    reported = json.loads(output.partition("SUMMARY ")[2])
    assert reported["bad"] == 0, output
    after = cpu_s(target.pid, with_children=True), cpu_s(redis_pid)
    script_us = connection.run(Command(("INFO", "commandstats"), _script_us))
    return {
        "per_s": reported["count"] / reported["us"] * 1e6,
        "p50_ms": reported["p50_us"] / 1000,
        "p99_ms": reported["p99_us"] / 1000,
        "server_us": (after[0] - before[0]) / reported["count"] * 1e6,
        "redis_us": (after[1] - before[1]) / reported["count"] * 1e6,
        "script_us": script_us / reported["count"] if target.name == "accept" else 0.0,
    }


def _report(found: dict[str, list[dict[str, float]]]) -> None:
    columns = ("per_s", "p50_ms", "p99_ms", "server_us", "redis_us", "script_us")
    for title, choose in (("median", statistics.median), ("best", None)):
        report(f"{title:14}" + "".join(f"{column:>12}" for column in columns))
        for name, rounds in found.items():
            shown = []
            for column in columns:
                pick = choose or (max if column == "per_s" else min)
                shown.append(pick([each[column] for each in rounds]))
            report(f"{name:14}" + "".join(f"{value:12,.2f}" for value in shown))
    for floor in ("echo, media", "echo, raw"):
        for column, what in (("per_s", "requests/s"), ("server_us", "1 / processor time")):
            ratios = [
                _ratio(ours[column], theirs[column], is_time=column == "server_us")
                for ours, theirs in zip(found["accept"], found[floor], strict=True)
            ]
            report(
                f"accept / {floor}, {what}: {statistics.median(ratios):.2f}"
                f" ({min(ratios):.2f} to {max(ratios):.2f})"
            )


def _ratio(ours: float, theirs: float, *, is_time: bool) -> float:
    return theirs / ours if is_time else ours / theirs


def _script_us(reply: bytes) -> float:
    for row in reply.decode().splitlines():
        if row.startswith("cmdstat_evalsha:"):
            reported = dict(part.split("=") for part in row[16:].split(","))
            return float(reported["usec"])
    return 0.0


@contextmanager
def _redis(folder: Path) -> Iterator[tuple[str, int]]:
    server = start_redis(folder, "--appendonly", "yes", "--appendfsync", "everysec")
    try:
        yield f"unix://{folder / 'redis.sock'}", server.pid
    finally:
        server.terminate()
        server.wait()


def _without_manifests(words: tuple[str, ...]) -> tuple[Any, ...]:
    if words[0] != "FLUSHDB":
        return words
    keep = "local d = redis.call('KEYS', '*'); for _, k in ipairs(d) do "
    keep += "if not string.find(k, 'functions') and not string.find(k, 'versions') then "
    return ("EVAL", keep + "redis.call('UNLINK', k) end end", 0)


if __name__ == "__main__":
    main()
