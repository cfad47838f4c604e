"""What an attempt costs in a worker's thread and in its runner, alone and in bursts.

    python -m tests.bench.burst_costs [--calls 4000] [--rounds 5] [--tree FOLDER] [--each]

One thread calls `Executor.run` as a worker does; there is no Redis. Times are microseconds of
CPU per attempt, the least of all rounds, so that other work on the machine hardly shows; in turns
with the tree of another version where one is named.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from runtime.execution.executor import Executor
from runtime.execution.outcome import Assignment
from runtime.execution.runner_pool import PRELOAD, RunnerPool
from runtime.execution.thread_lane import ThreadLane
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.settings import read_environment

SOURCE = b"def noop(n: int = 0) -> int:\n    return n\n"
TELLING = b"def noop(n: int = 0) -> int:\n    print('told', n)\n    return n\n"
_BUNDLES = {
    name: Bundle(root="functions", file="noop.py", sources={"noop.py": source})
    for name, source in (("silent", SOURCE), ("telling", TELLING))
}


def assignments(bundle: Bundle, count: int) -> list[Assignment]:
    """Return so many attempts."""
    return [
        Assignment(
            id=f"0192aaaa-aaaa-aaaa-aaaa-{number:012}",
            function="noop",
            version=bundle.version,
            attempt=1,
            arguments=b'{"n": %d}' % number,
        )
        for number in range(count)
    ]


def spent_s(pid: int) -> float:
    """Return the CPU time of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def run_all(executor: Executor, bundle: Bundle, work: Sequence[Assignment], burst: int) -> None:
    """Run them one after the other, of which `burst` may lie with the runner."""
    manifest = Manifest(name="noop", version=bundle.version, file="noop.py", options=Options())
    for index, assignment in enumerate(work):
        more: dict[str, Callable[[int], Any]] = {}
        if burst > 1:
            more["next_up"] = lambda most, at=index: work[at + 1 : at + 1 + min(most, burst - 1)]
        outcome = executor.run(assignment, manifest, bundle, **more)
        if outcome.status != "succeeded":
            raise RuntimeError(f"ended as {outcome}")


def measure(bursts: Sequence[int], calls: int) -> None:
    """Print one line for each: name, worker µs, runner µs, wall µs."""
    server = ForkServer(preload=PRELOAD, environment=clean_environment(read_environment()))
    pool = RunnerPool(server, size=1, most_attempts=10**9)
    executor = Executor(
        runners=pool,
        lane=ThreadLane(),
        max_result_bytes=1 << 20,
        max_log_bytes=1 << 16,
        roll=lambda: 0.5,
    )
    for name, bundle in _BUNDLES.items():
        work = assignments(bundle, calls)
        for burst in bursts:
            run_all(executor, bundle, work[:200], burst)
            [runner] = pool.pids()
            before, began_at = (spent_s(os.getpid()), spent_s(runner)), time.perf_counter()
            run_all(executor, bundle, work, burst)
            took = time.perf_counter() - began_at
            own, its = spent_s(os.getpid()) - before[0], spent_s(runner) - before[1]
            each = [f"{seconds / calls * 1e6:.1f}" for seconds in (own, its, took)]
            sys.stdout.write(f"{name},{burst} {' '.join(each)}\n")
        executor.let_go() if hasattr(executor, "let_go") else None
    executor.stop()
    server.stop()


def in_turns(trees: Sequence[str], rounds: int, calls: int) -> None:
    """Measure each tree in a process of its own, in turns; print the least of each figure."""
    found: dict[tuple[str, str], list[list[float]]] = {}
    for _ in range(rounds):
        for tree in trees:
            bursts = "1,16" if tree == trees[0] else "1"
            command = [sys.executable, str(Path(__file__).resolve()), "--each"]
            told = subprocess.run(
                [*command, "--bursts", bursts, "--calls", str(calls)],
                cwd=tree,
                env=os.environ | {"PYTHONPATH": tree},  # noqa: TID251 - whose runtime is measured
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            ).stdout
            for line in told.splitlines():
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
