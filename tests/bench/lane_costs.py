"""What an attempt of isolation="thread" costs in its worker: handed over, run, given back.

    python -m tests.bench.lane_costs [--calls 20000] [--rounds 5] [--in-hand 1,64]

An event loop keeps so many attempts in hand; there is no Redis. Times are microseconds of CPU and
of wall time per attempt, the least of all rounds. Beside it the same function in a plain loop:
what lies between is the lane's.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Sequence

from runtime.execution.call_function import perform
from runtime.execution.outcome import Assignment
from runtime.execution.run_times import RunTimes
from runtime.execution.runner_protocol import RunnerLimits
from runtime.execution.thread_backend import ThreadBackend
from runtime.execution.thread_run import ThreadRun
from runtime.registry.bundle import Bundle
from runtime.registry.loading import load
from runtime.registry.manifest import Manifest
from runtime.sdk.context import Context
from runtime.sdk.options import Options

SOURCE = b"def noop(n: int = 0) -> int:\n    return n\n"
BUNDLE = Bundle(root="functions", file="noop.py", sources={"noop.py": SOURCE})
MANIFEST = Manifest(
    name="noop", version=BUNDLE.version, file="noop.py", options=Options(isolation="thread")
)
LIMITS = RunnerLimits(max_result_bytes=1 << 20, max_log_bytes=1 << 16)


def assignments(count: int) -> list[Assignment]:
    """Return so many attempts."""
    return [
        Assignment(
            id=f"0192aaaa-aaaa-aaaa-aaaa-{number:012}",
            function="noop",
            version=BUNDLE.version,
            attempt=1,
            arguments=b'{"n": %d}' % number,
        )
        for number in range(count)
    ]


def _ignore(kind: str, data: bytes) -> None:
    del kind, data


class Drain:
    """Keeps attempts in hand until all have run."""

    def __init__(self, work: Sequence[Assignment], in_hand: int, run_times: RunTimes) -> None:
        self._loop = asyncio.get_running_loop()
        self._work = iter(work)
        self._left = len(work)
        self._in_hand = in_hand
        self.groups = 0
        self.done: asyncio.Future[None] = self._loop.create_future()
        self.lane = ThreadBackend(
            8,
            post=self._loop.call_soon_threadsafe,
            call_later=self._loop.call_later,
            on_ended=self._take,
            run_times=run_times,
        )

    def fill(self) -> None:
        """Hand over what there is room for."""
        while self.lane.count() < self._in_hand:
            assignment = next(self._work, None)
            if assignment is None:
                return
            self.lane.submit(
                ThreadRun(
                    assignment=assignment,
                    manifest=MANIFEST,
                    bundle=BUNDLE,
                    limits=LIMITS,
                    on_note=_ignore,
                )
            )

    def _take(self, ended: Sequence[ThreadRun]) -> None:
        self.groups += 1
        self._left -= len(ended)
        for run in ended:
            if run.ending.kind != "succeeded":
                raise RuntimeError(f"ended as {run.ending}")
        if self._left:
            self.fill()
        else:
            self.done.set_result(None)


async def drain(calls: int, in_hand: int, run_times: RunTimes) -> tuple[float, float, int]:
    """Return CPU and wall seconds, and in how many groups the attempts came back."""
    warm = Drain(assignments(500), in_hand, run_times)
    warm.fill()
    await warm.done
    one = Drain(assignments(calls), in_hand, run_times)
    cpu, wall = time.process_time(), time.perf_counter()
    one.fill()
    await one.done
    spent = time.process_time() - cpu, time.perf_counter() - wall, one.groups
    one.lane.stop()
    warm.lane.stop()
    return spent


def plain(calls: int) -> tuple[float, float, int]:
    """Return the same for a loop that calls the function."""
    function = load(BUNDLE)["noop"]
    context = Context()
    work = assignments(calls)
    cpu, wall = time.process_time(), time.perf_counter()
    for assignment in work:
        perform(
            function,
            assignment.arguments,
            request=None,
            context=context,
            send_item=lambda _: None,
            max_result_bytes=1 << 20,
        )
    return time.process_time() - cpu, time.perf_counter() - wall, 1


def main() -> None:
    """Measure as the flags say."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-hand", default="1,8,64,256")
    parser.add_argument("--switch-ms", type=float, default=5.0, help="the interpreter's interval")
    flags = parser.parse_args()
    sys.setswitchinterval(flags.switch_ms / 1000)
    measured: dict[str, Callable[[], tuple[float, float, int]]] = {
        "plain": lambda: plain(flags.calls)
    }
    for word in flags.in_hand.split(","):
        measured[f"{word} in hand"] = lambda n=int(word): asyncio.run(
            drain(flags.calls, n, RunTimes())
        )
    sys.stdout.write(f"{'µs per attempt':20} {'cpu':>8} {'wall':>8} {'in a group':>12}\n")
    for name, measure in measured.items():
        rows = [measure() for _ in range(flags.rounds)]
        cpu, wall = (min(row[i] for row in rows) / flags.calls * 1e6 for i in (0, 1))
        sys.stdout.write(f"{name:20} {cpu:8.1f} {wall:8.1f} {flags.calls / rows[-1][2]:12.1f}\n")


if __name__ == "__main__":
    main()
