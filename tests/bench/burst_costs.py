"""What an attempt costs on a worker's loop and in its runner, alone and in bursts.

    python -m tests.bench.burst_costs [--calls 4000] [--rounds 5] [--tree FOLDER] [--each]

A loop has an executor run them as a worker does; there is no Redis. Times are microseconds of
CPU per attempt, the least of all rounds, so that other work on the machine hardly shows; in turns
with the tree of another version where one is named.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from runtime.execution.runner_process import PRELOAD
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle
from runtime.settings import read_environment
from tests.bench.on_executor import OnExecutor

SOURCE = b"def noop(n: int = 0) -> int:\n    return n\n"
TELLING = b"def noop(n: int = 0) -> int:\n    print('told', n)\n    return n\n"
_BUNDLES = {
    name: Bundle(root="functions", file="noop.py", sources={"noop.py": source})
    for name, source in (("silent", SOURCE), ("telling", TELLING))
}


def spent_s(pid: int) -> float:
    """Return the CPU time of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def measure(bursts: Sequence[int], calls: int) -> None:
    """Print one line for each: name, worker µs, runner µs, wall µs."""
    server = ForkServer(preload=PRELOAD, environment=clean_environment(read_environment()))
    server.start()
    for name, bundle in _BUNDLES.items():
        work = [b'{"n": %d}' % number for number in range(calls)]
        on = OnExecutor(server, bundle)
        for burst in bursts:
            on.run_all(work[:1])
            for at in range(1, 200, burst):
                on.run_all(work[at : at + burst])
            [runner] = (each.pid for each in on.executor.pool.view())
            before, began_at = (spent_s(os.getpid()), spent_s(runner)), time.perf_counter()
            for at in range(0, calls, burst):
                on.run_all(work[at : at + burst])
            took = time.perf_counter() - began_at
            own, its = spent_s(os.getpid()) - before[0], spent_s(runner) - before[1]
            each = [f"{seconds / calls * 1e6:.1f}" for seconds in (own, its, took)]
            sys.stdout.write(f"{name},{burst} {' '.join(each)}\n")
        on.stop()
    server.stop()


def in_turns(trees: Sequence[str], rounds: int, calls: int) -> None:
    """Measure each tree in a process of its own, in turns; print the least of each figure."""
    found: dict[tuple[str, str], list[list[float]]] = {}
    for _ in range(rounds):
        for tree in trees:
            bursts = "1,16" if tree == trees[0] else "1"
            command = [sys.executable, str(Path(__file__).resolve()), "--each"]
            reported = subprocess.run(
                [*command, "--bursts", bursts, "--calls", str(calls)],
                cwd=tree,
                env=os.environ | {"PYTHONPATH": tree},  # noqa: TID251 - whose runtime is measured
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            ).stdout
            for line in reported.splitlines():
                name, *figures = line.split()
                found.setdefault((name, tree), []).append([float(figure) for figure in figures])
    sys.stdout.write(f"{'µs per attempt':40} {'worker':>8} {'runner':>8} {'wall':>8}\n")
    for (name, tree), rows in sorted(found.items()):
        least = [f"{min(column):8.1f}" for column in zip(*rows, strict=True)]
        what, _, burst = name.partition(",")
        title = f"{what}, bursts of {burst}, {Path(tree).name}"
        sys.stdout.write(f"{title:40} {' '.join(least)}\n")


def main() -> None:
    """Measure as the flags say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tree", action="append", default=[])
    parser.add_argument("--bursts", default="1,16")
    parser.add_argument("--each", action="store_true", help="one process, bare figures")
    flags = parser.parse_args()
    if flags.each:
        measure([int(word) for word in flags.bursts.split(",")], flags.calls)
    else:
        here = str(Path(__file__).resolve().parents[2])
        in_turns([here, *flags.tree], flags.rounds, flags.calls)


if __name__ == "__main__":
    main()
