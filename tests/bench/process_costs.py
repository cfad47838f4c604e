"""Which process spends a call's CPU time, on a whole system at a steady rate.

    python -m tests.bench.process_costs [--rate 400] [--seconds 15] [--isolation process]

Every call waits for its result. Told in microseconds of CPU (user and system) a call, which
other work on the machine raises a little but does not multiply; and how long one call takes
when nothing else goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.dashboard_cost import CONNECTIONS, USUAL, Load
from tests.bench.plain_http import connect
from tests.bench.processes import cpu_s_each
from tests.support.system import System, running_system

SOURCE = """
from penstock import function

@function(isolation="{isolation}")
def steady(text: str) -> str:
    return text

@function
def shaky(number: int) -> int:
    return 1 // (number % 2)
"""
WARM_UP_S = 3.0
LONE_CALLS = 60
LONE_PAUSE_S = 0.1


def roles(system: System) -> dict[int, str]:
    """Return what each process of the system is."""
    found: dict[int, str] = {}
    for part, name in (("worker", "worker"), ("gateway", "gateway"), ("redis", "Redis")):
        for process in system.parts(part):
            found[process.pid] = name
            for child in process.children(recursive=True):
                found[child.pid] = "runner" if name == "worker" else name
    found[system.up.pid] = "supervisor"
    return found


def spent_by_role(system: System) -> Counter[str]:
    """Return the CPU time so far, in seconds."""
    spent: Counter[str] = Counter()
    named = roles(system)
    for pid, used_s in cpu_s_each(named).items():
        spent[named[pid]] += used_s
    return spent


async def measure(system: System, rate: float, seconds: float) -> dict[str, float]:
    """Return the CPU time per call of each role, in microseconds."""
    connections = [await connect(system.base_url) for _ in range(CONNECTIONS)]
    load = Load(connections, rate)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(WARM_UP_S)
    before, calls = spent_by_role(system), load.ended
    await asyncio.sleep(seconds)
    after, calls = spent_by_role(system), load.ended - calls
    load.stop()
    await running
    for connection in connections:
        connection.close()
    return {role: (after[role] - before[role]) / calls * 1e6 for role in after}


async def time_lone_calls(system: System) -> list[float]:
    """Return how long calls take that come one by one, with pauses, in ms."""
    connection = await connect(system.base_url)
    times = []
    for _ in range(LONE_CALLS):
        await asyncio.sleep(LONE_PAUSE_S)
        began_at = time.perf_counter()
        await connection.ask(USUAL)
        times.append((time.perf_counter() - began_at) * 1e3)
    connection.close()
    return times


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=400)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--isolation", choices=("process", "thread"), default="process")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="process-costs.") as name:
        functions = Path(name) / "functions"
        functions.mkdir()
        source = SOURCE.format(isolation=flags.isolation)
        (functions / "steady.py").write_text(source, encoding="utf-8")
        with running_system(
            Path(name), functions=functions, environment={"PENSTOCK_LOG_LEVEL": "warning"}
        ) as system:
            found = asyncio.run(measure(system, flags.rate, flags.seconds))
            lone = sorted(asyncio.run(time_lone_calls(system)))
    for role, spent_us in sorted(found.items(), key=lambda item: -item[1]):
        sys.stdout.write(f"{role:12} {spent_us:7.0f} µs\n")
    sys.stdout.write(
        f"{'in all':12} {sum(found.values()):7.0f} µs a call at {flags.rate:.0f}/s, "
        f"isolation {flags.isolation}\n"
        f"one call on the idle system: p10 {lone[len(lone) // 10]:.1f} ms, "
        f"p50 {statistics.median(lone):.1f} ms\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
