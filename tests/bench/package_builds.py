"""Building an environment from a lock and a warm cache: Penstock's builder beside uv by hand."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from runtime.dependencies.builder import (
    Builder,
    BuilderOptions,
    DependencyError,
    environments_of,
)
from runtime.dependencies.lock import Lock
from runtime.dependencies.script_metadata import read_metadata
from runtime.errors import ProcessError
from tests.bench.measuring import MeasuringError
from tests.bench.uv_by_hand import Took, UvByHand, uv_environment

_REPETITIONS = 7
_REAPED_S = 0.1  # by then the fork server has reaped the child that built


def compare_builds(
    block: str, hand: UvByHand, on_tick: Callable[[], None], *, repetitions: int = _REPETITIONS
) -> dict[str, list[Took]]:
    """Build the environment of a block by three ways, in turns.

    Returns:
        `ours`: by Penstock's builder, as its workers do; `alike`: by hand, bytecode and link mode
        as ours; `bare`: by hand, without options.

    Raises:
        MeasuringError: It cannot be built.
    """
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        builder = Builder(
            environments_of(folder), environment=uv_environment(), options=BuilderOptions()
        )
        try:
            lock = _resolve(builder, block)
            file = folder / "lock.txt"
            file.write_text(lock.requirements, encoding="utf-8")
            ways = {
                "ours": lambda: _build(builder, lock),
                "alike": lambda: hand.build(file, links="clone", compiles=True),
                "bare": lambda: hand.build(file, compiles=False),
            }
            took: dict[str, list[Took]] = {way: [] for way in ways}
            for number in range(repetitions + 1):
                order = list(ways) if number % 2 else list(reversed(ways))
                for way in order:
                    on_tick()
                    one = ways[way]()
                    if number:  # the first fills the cache
                        took[way].append(one)
            return took
        finally:
            builder.stop()


def _resolve(builder: Builder, block: str) -> Lock:
    metadata = read_metadata(block.encode())
    if metadata is None:
        raise MeasuringError(f"no block: {block!r}")
    try:
        return builder.resolve(metadata)
    except (DependencyError, ProcessError) as error:
        raise MeasuringError(f"it is not resolved: {error}") from None


def _build(builder: Builder, lock: Lock) -> Took:
    used_s, began_at = _used_by_servers_s(), time.perf_counter()
    try:
        found = builder.build(lock)
    except (DependencyError, ProcessError) as error:
        raise MeasuringError(f"it is not built: {error}") from None
    took_ms = (time.perf_counter() - began_at) * 1000
    time.sleep(_REAPED_S)
    processor_ms = (_used_by_servers_s() - used_s) * 1000
    builder.environments.remove(found.key)
    return Took(ms=took_ms, processor_ms=processor_ms)


def _used_by_servers_s() -> float:
    """Return what the children of this process, and those that these have reaped, have used."""
    spent = [child.cpu_times() for child in psutil.Process().children()]
    return sum(t.user + t.system + t.children_user + t.children_system for t in spent)
