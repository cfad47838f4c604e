"""How Penstock's throughput grows with its processes, and which part is the limit.

    python -m tests.bench.growth [--rounds 3] [--seconds 3]

The systems and requests of `make bench`, with 1, 2 and 4 gateways and workers. Beside each
figure stands how much of a core each part kept busy meanwhile: who is near one whole core, or
all together near the whole machine, is the limit.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from tests.bench.measuring import Measuring
from tests.bench.processes import cpu_s
from tests.bench.reporting import report
from tests.bench.running import Running, running
from tests.bench.sizes import Sizes
from tests.bench.systems import BY_NAME as SYSTEMS
from tests.bench.works import BY_NAME as WORKS

_SIZES = ((1, 1), (1, 2), (1, 4), (2, 2), (4, 4))  # gateways, workers
_BACKLOG = 10_000
_PARTS = ("gateways", "workers", "runners", "Redis")
Shares = dict[str, float]
T = TypeVar("T")


def part_of(process: psutil.Process) -> str:
    """Return which part a process of the system belongs to."""
    words = " ".join(process.cmdline()) or process.name()
    if "redis" in words:
        return "Redis"
    if "gunicorn" in words:
        return "gateways"
    if "runtime.worker" in words:
        return "workers"
    return "supervisor" if "gateway.cli.main" in words else "runners"


def used_by_part(system: Running) -> Shares:
    """Return the processor seconds that each part has used so far."""
    used: Shares = {}
    for process in system.parts.processes():
        try:
            seconds = cpu_s(process.pid)
            part = part_of(process)
        except (ProcessLookupError, psutil.NoSuchProcess):
            continue
        used[part] = used.get(part, 0.0) + seconds
    return used


def watched(system: Running, measure: Callable[[], T]) -> tuple[T, Shares]:
    """Return what was measured, and the share of a core that each part kept busy meanwhile."""
    before, began_at = used_by_part(system), time.perf_counter()
    measured = measure()
    took_s = time.perf_counter() - began_at
    after = used_by_part(system)
    return measured, {part: (after[part] - before.get(part, 0.0)) / took_s for part in after}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    flags = parser.parse_args()
    found: dict[tuple[str, str, tuple[int, int]], list[tuple[float, Shares]]] = {}
    for number in range(flags.rounds):
        for sizes in _SIZES:
            for name in ("penstock-process", "penstock-thread"):
                for work, figure, shares in _measure(name, sizes, number, flags.seconds):
                    found.setdefault((work, name, sizes), []).append((figure, shares))
        report(f"round {number + 1} of {flags.rounds} done")
    report(f"{'work':6} {'':9} gateways workers {'calls/s':>8}   " + "  ".join(_PARTS))
    for (work, name, (gateways, workers)), rounds in sorted(found.items()):
        shares = [statistics.median(s.get(part, 0.0) for _, s in rounds) for part in _PARTS]
        reported = "  ".join(
            f"{share:{len(part)}.2f}" for part, share in zip(_PARTS, shares, strict=True)
        )
        rate = statistics.median(figure for figure, _ in rounds)
        report(f"{work:6} {name[9:]:9} {gateways:8} {workers:7} {rate:8,.0f}   {reported}")
    return 0


def _measure(
    name: str, sizes: tuple[int, int], number: int, seconds: float
) -> list[tuple[str, float, Shares]]:
    gateways, workers = sizes
    with (
        tempfile.TemporaryDirectory(prefix="growth.") as folder,
        running(
            SYSTEMS[name], Path(folder), gateways=gateways, sizes=Sizes(workers=workers)
        ) as system,
    ):
        measuring = Measuring(
            system,
            round_number=number,
            seconds=seconds,
            backlog=_BACKLOG,
            on_tick=lambda: None,
        )
        measuring.warm_up()
        sample, shares = watched(system, lambda: measuring.measure(WORKS["wait"]))
        reported = [(sample, shares)]
        _await_rest(system)
        system.hold()
        reported.append(watched(system, lambda: measuring.measure(WORKS["accept"])))
        system.release()
        _await_rest(system)
        waiting, before = measuring.fill()
        reported.append(watched(system, lambda: measuring.drain(WORKS["drain"], waiting, before)))
    for sample, _ in reported:
        if sample.errors:
            raise RuntimeError(f"{name} {sizes}: {sample.example}")
    return [(sample.work, sample.figure, shares) for sample, shares in reported]


def _await_rest(system: Running) -> None:
    """Wait until all that was accepted has ended."""
    before = -1
    while (finished := system.finished("noop")) != before:
        before = finished
        time.sleep(0.3)


if __name__ == "__main__":
    sys.exit(main())
