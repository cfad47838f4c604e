"""Where a call's time goes, hop by hop, and how near each hop is to its floor.

    python -m tests.bench.hops [--times 400]

Each of our hops stands beside the least that such a step costs here, measured in turns in the
same run. Times are in microseconds: p10, which a busy machine hardly touches, p50 and p90.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from runtime.execution.runner_process import PRELOAD, RUNNER_ENTRY
from runtime.invocations.submission import prepare, submit
from runtime.processes.environment import clean_environment
from runtime.processes.fork_server import ForkServer
from runtime.processes.side_channel import SideChannel
from runtime.registry.bundle import Bundle
from runtime.settings import read_environment
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Settlement, claim, settle
from tests.bench import filling, hop_floors
from tests.bench.hop_floors import PAUSE_S
from tests.bench.on_executor import OnExecutor
from tests.support.redis_server import own_redis

ROUNDS = 3
GROUP = 64
SOURCE = b"def noop(text: str) -> str:\n    return text\n"
ARGUMENTS = b'{"text":"hello"}'
_MEMORY_BYTES = 512 * 1024 * 1024


class Table:
    """Times by name, as they come in; told at the end."""

    def __init__(self) -> None:
        self._found: dict[str, list[float]] = {}

    def add(self, name: str, times_us: list[float]) -> None:
        """Add a round's times of a hop."""
        self._found.setdefault(name, []).extend(times_us)

    def report(self) -> None:
        """Print all."""
        sys.stdout.write(f"{'µs':58} {'p10':>9} {'p50':>9} {'p90':>9}\n")
        for name, times in sorted(self._found.items()):
            ordered = sorted(times)
            marks = [ordered[int(len(ordered) * share)] for share in (0.1, 0.5, 0.9)]
            sys.stdout.write(f"{name:58}" + "".join(f" {mark:9.1f}" for mark in marks) + "\n")


def add_attempts(table: Table, server: ForkServer, what: str, count: int, pause_s: float) -> None:
    """Add what forking takes, and attempts of a file from its loading on."""
    table.add("runner: fork", hop_floors.time_each(lambda: fork(server), 1))
    bundle = Bundle(root="functions", file="noop.py", sources={"noop.py": SOURCE})
    runner = OnExecutor(server, bundle)

    def run() -> None:
        runner.run_all([ARGUMENTS])

    table.add("runner: fork, load a small file, first attempt", hop_floors.time_each(run, 1))
    table.add(f"attempt in a warm runner, {what}", hop_floors.time_each(run, count, pause_s))
    runner.stop()


def fork(server: ForkServer) -> None:
    """Fork a runner off, which then has nothing to do."""
    child, ways = server.spawn(RUNNER_ENTRY, memory_bytes=_MEMORY_BYTES), SideChannel()
    ways.give(child.channel)
    child.close()
    ways.close()


def add_scripts(table: Table, connection: BlockingConnection, times: int) -> None:
    """Add the life of invocations in Redis, one at a time and in groups."""
    [manifest] = filling.publish(connection, "noop")

    def give_birth(count: int) -> None:
        connection.run_many([submit(prepare(manifest, ARGUMENTS)) for _ in range(count)])

    def live(count: int) -> tuple[float, float, float]:
        began_at = time.perf_counter()
        give_birth(count)
        born_at = time.perf_counter()
        items = connection.run(
            claim(queue=filling.QUEUE, worker="w", limit=count, lease_ms=60_000)
        ).items
        claimed_at = time.perf_counter()
        ended = [
            Settlement(id=i.id, token=i.token, status="succeeded", ttl_ms=60_000, result=b'"hello"')
            for i in items
        ]
        connection.run(settle(ended, worker="w"))
        settled_at = time.perf_counter()
        return born_at - began_at, claimed_at - born_at, settled_at - claimed_at

    for count, runs in ((1, times), (GROUP, max(1, times // GROUP))):
        steps = [live(count) for _ in range(runs)]
        for index, name in enumerate(("submit", "claim", "settle")):
            reported = f"{name}, {'alone' if count == 1 else f'each of {GROUP} together'}"
            table.add(reported, [step[index] / count * 1e6 for step in steps])


def measure(table: Table, times: int) -> None:
    """Add one round of everything."""
    few = max(10, times // 8)
    with hop_floors.answering_thread() as hand_over:
        table.add("floor: thread there and back, warm", hop_floors.time_each(hand_over, times))
        table.add(
            "floor: thread there and back, after a pause",
            hop_floors.time_each(hand_over, few, PAUSE_S),
        )
    for with_middleware, what in ((False, "no middleware"), (True, "default middleware")):
        table.add(
            f"floor: no-op message in a Dramatiq worker, {what}",
            [hop_floors.time_noop_messages(with_middleware=with_middleware)],
        )


def measure_processes(
    table: Table, connection: BlockingConnection, server: ForkServer, times: int
) -> None:
    """Add one round of what crosses from one process into another."""
    few = max(10, times // 8)
    for what, pause_s, count in (("warm", 0.0, times), ("after a pause", PAUSE_S, few)):
        with hop_floors.echoing_child() as round_trip:
            round_trip()
            table.add(
                f"floor: socket pair to a child and back, {what}",
                hop_floors.time_each(round_trip, count, pause_s),
            )
        add_attempts(table, server, what, count, pause_s)
        table.add(
            f"floor: Redis PING and back, {what}",
            hop_floors.time_redis(connection, hop_floors.PING, count, pause_s),
        )
        table.add(
            f"floor: empty Redis script and back, {what}",
            hop_floors.time_redis(connection, hop_floors.NOTHING, count, pause_s),
        )
    add_scripts(table, connection, times)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=400)
    flags = parser.parse_args()
    table = Table()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-hops.")))
        server = ForkServer(preload=PRELOAD, environment=clean_environment(read_environment()))
        server.start()  # before there are threads or connections
        stack.callback(server.stop)
        url = stack.enter_context(own_redis(folder))
        connection = BlockingConnection(url)
        stack.callback(connection.close)
        fork(server)
        for _ in range(ROUNDS):
            measure_processes(table, connection, server, flags.times)
            measure(table, flags.times)
    table.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
