"""Functions with packages: what an own environment costs, beside `uv run --script` and none.

One system of one worker serves them, so that a function has one warm runner; what is compared is
done in turns. A cold call is one whose runner was killed before it: the worker has to fork another
from the fork server of its environment.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil

from tests.bench.measuring import MeasuringError
from tests.bench.package_builds import compare_builds
from tests.bench.processes import cpu_s_each
from tests.bench.results import Spread, spread_of
from tests.bench.uv_by_hand import Took, UvByHand, stopwatch, uv_environment
from tests.support.system import System, running_system

_MIB = 2**20
_OK = 200
_READY_LIMIT_S = 300.0
_LOOK_S = 0.005
_SETTLE_S = 0.2  # between calls that are timed alone
_VALUE = 1234


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package, and what a function does with it.

    Attributes:
        requirement: As a block names it.
        module: What the function imports.
        expression: What it returns, of `value`.
    """

    requirement: str
    module: str
    expression: str

    def block(self, *, is_preloaded: bool = False) -> str:
        """Return a block that names the package."""
        preload = f'# [tool.penstock]\n# preload = ["{self.module}"]\n' if is_preloaded else ""
        return f'# /// script\n# dependencies = ["{self.requirement}"]\n{preload}# ///\n'

    def body(self) -> str:
        """Return the import, and what a function does."""
        return f"import {self.module}\ndef do(value: int) -> str:\n    return {self.expression}\n"

    def script(self) -> str:
        """Return a script that does the same."""
        return f"{self.block()}import sys\n{self.body()}print(do(int(sys.argv[1])))\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How often each thing is measured."""

    turns: int = 20
    calls: int = 50  # in each turn
    cold: int = 20
    edits: int = 15
    builds: int = 7


SMALL = Package(
    requirement="humanize==4.9.0", module="humanize", expression="humanize.intcomma(value)"
)
LARGE = Package(
    requirement="pandas", module="pandas", expression="str(pandas.Series(range(value)).sum())"
)
_SAME = "def {name}(value: int) -> int:\n    return value + {number}\n"


def measure_packages(
    on_tick: Callable[[], None],
    say: Callable[[str], None],
    *,
    small: Package = SMALL,
    large: Package = LARGE,
    counts: Counts = Counts(),
) -> dict[str, Spread]:
    """Return what functions with packages take; what cannot be had is said and left out.

    Args:
        on_tick: Called often.
        say: Called with a sentence.
        small: A package that is quick to import.
        large: One that is preloaded.
        counts: How often each thing is measured.

    Raises:
        MeasuringError: There is no uv, or the small package cannot be had.
    """
    hand = UvByHand()
    with tempfile.TemporaryDirectory(prefix="bench.") as name:
        folder = Path(name)
        scripts = {}
        for package in (small, large):
            scripts[package] = folder / f"{package.module}_script.py"
            scripts[package].write_text(package.script(), encoding="utf-8")
        hand.run_script(scripts[small], _VALUE, is_offline=False)
        try:
            hand.run_script(scripts[large], _VALUE, is_offline=False)
        except MeasuringError as error:
            say(f"{large.requirement} is left out: {error}")
            del scripts[large]
        found = _measure_calls(folder, hand, on_tick, scripts, counts)
    for package, key in zip(scripts, ("packages_build", "packages_build_large"), strict=False):
        took = compare_builds(package.block(), hand, on_tick, repetitions=counts.builds)
        found |= _compared(key, took["ours"], took["alike"])
        found |= _spreads({f"{key}_bare_ms": [each.ms for each in took["bare"]]})
    return found


def _measure_calls(
    folder: Path,
    hand: UvByHand,
    on_tick: Callable[[], None],
    scripts: Mapping[Package, Path],
    counts: Counts,
) -> dict[str, Spread]:
    """Start a system and return what is measured on it; the small package is the first."""
    functions = folder / "functions"
    functions.mkdir()
    (functions / "first.py").write_text(_SAME.format(name="first", number=0), encoding="utf-8")
    environment = uv_environment() | {"PENSTOCK_LOG_LEVEL": "warning"}
    with (
        running_system(
            folder, "--workers", "1", functions=functions, environment=environment
        ) as system,
        closing(_Scene(system, hand, on_tick)) as scene,
    ):
        small, *others = scripts
        found = scene.warm_and_edits(small, counts)
        found |= scene.cold("packages_cold", small, scripts[small], counts.cold)
        for large in others:
            for key, is_preloaded in {"packages_import": False, "packages_preload": True}.items():
                found |= scene.cold(
                    key, large, scripts[large], counts.cold, is_preloaded=is_preloaded
                )
        return found | scene.memory()


class _Scene:
    """A running system and what is done with it."""

    def __init__(self, system: System, hand: UvByHand, on_tick: Callable[[], None]) -> None:
        self._system = system
        self._hand = hand
        self._on_tick = on_tick
        parts = urlsplit(system.base_url)
        self._connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def warm_and_edits(self, small: Package, counts: Counts) -> dict[str, Spread]:
        """Return warm calls and edits of a function with a block, beside one without."""
        blocks = {"packages_with": small.block(), "packages_without": ""}
        for name, block in blocks.items():
            self._publish(name, block + _SAME.format(name=name, number=0))
        took = self._in_turns(counts.turns, blocks, lambda name, _: self._warm(name, counts.calls))
        found = _compared("packages_warm", *took.values())
        took = self._in_turns(
            counts.edits, blocks, lambda name, number: self._edit(name, blocks[name], number)
        )
        return found | _compared("packages_edit", *took.values())

    def cold(
        self, key: str, package: Package, script: Path, count: int, *, is_preloaded: bool = False
    ) -> dict[str, Spread]:
        """Return cold calls beside `uv run --script`."""
        block = package.block(is_preloaded=is_preloaded)
        self._publish(key, block + package.body().replace("def do(", f"def {key}("))
        wanted, _ = self._hand.run_script(script, _VALUE)

        def call(way: str, _: int) -> Took:
            if way == "ours":
                self._end_runners()
                return self._call(key, _VALUE, wanted)
            answer, took = self._hand.run_script(script, _VALUE)
            if answer != wanted:
                raise MeasuringError(f"{script.name} wrote {answer!r}, not {wanted!r}")
            return took

        return _compared(key, *self._in_turns(count, ("ours", "theirs"), call).values())

    def memory(self) -> dict[str, Spread]:
        """Return MiB of the fork servers of environments while they have no runner."""
        self._end_runners()
        held: dict[str, list[float]] = {"packages_server_mib": [], "packages_preloaded_mib": []}
        try:
            for server in self._servers():
                words = server.cmdline()
                if "/envs/" in words[0]:
                    key = "packages_preloaded_mib" if "--" in words else "packages_server_mib"
                    held[key].append(server.memory_full_info().pss / _MIB)
        except psutil.AccessDenied:  # a fork server hides from its own user; only root may look
            return {}
        return _spreads(held)

    def _publish(self, name: str, source: str) -> str:
        """Write a function file; return its version once it serves it."""
        before = self._describe(name).get("version")
        self._system.write(name, source)
        deadline = time.monotonic() + _READY_LIMIT_S
        while time.monotonic() < deadline:
            found = self._describe(name)
            if error := found.get("error"):
                raise MeasuringError(f"{name} is not published: {error}")
            if found.get("version") not in {None, before} and found["state"] == "serving":
                return str(found["version"])
            self._on_tick()
            time.sleep(_LOOK_S)
        raise MeasuringError(f"{name} was not published within {_READY_LIMIT_S:g} s")

    def _edit(self, name: str, block: str, number: int) -> Took:
        """Return how long an edit takes until its version is what callers get."""
        time.sleep(_SETTLE_S)
        read = stopwatch(self._used_s)
        self._publish(name, block + _SAME.format(name=name, number=number))
        took = read()
        self._call(name, _VALUE, _VALUE + number)
        return took

    def _warm(self, name: str, calls: int) -> Took:
        """Return the median of calls one after the other, and the processor time of each."""
        self._call(name, _VALUE, _VALUE)
        read = stopwatch(self._used_s)
        times_ms = [self._call(name, n, n, is_weighed=False).ms for n in range(calls)]
        return Took(ms=median(times_ms), processor_ms=read().processor_ms / calls)

    def _call(self, name: str, value: int, wanted: object, *, is_weighed: bool = True) -> Took:
        body = json.dumps({"value": value}).encode()
        headers = {"Content-Type": "application/json", "Prefer": "wait=30"}
        read = stopwatch(self._used_s if is_weighed else float)
        self._connection.request("POST", f"/functions/{name}", body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        took = read()
        if answer.status != _OK or json.loads(content)["result"] != wanted:
            raise MeasuringError(f"{name} was answered {answer.status}: {content[:300]!r}")
        return took

    def _describe(self, name: str) -> dict[str, Any]:
        self._connection.request("GET", f"/functions/{name}")
        answer = self._connection.getresponse()
        found: dict[str, Any] = json.loads(answer.read())
        return found if answer.status == _OK else {}

    def _in_turns(
        self, count: int, ways: Sequence[str] | Mapping[str, str], do: Callable[[str, int], Took]
    ) -> dict[str, list[Took]]:
        """Do each so often, another one first each time; the first time is not counted."""
        took: dict[str, list[Took]] = {way: [] for way in ways}
        for number in range(count + 1):
            order = list(ways) if number % 2 else list(reversed(list(ways)))
            for way in order:
                self._on_tick()
                one = do(way, number + 1)
                if number:
                    took[way].append(one)
        return took

    def _servers(self) -> list[psutil.Process]:
        return [one for worker in self._system.parts("worker") for one in worker.children()]

    def _end_runners(self) -> None:
        """Kill what the fork servers have forked, and let the worker see it."""
        runners = [one for server in self._servers() for one in server.children()]
        for runner in runners:
            runner.kill()
        psutil.wait_procs(runners, timeout=10)
        time.sleep(_SETTLE_S)
        if any(server.children() for server in self._servers()):
            raise MeasuringError("a runner was started that nobody has asked for")

    def _used_s(self) -> float:
        return sum(cpu_s_each(one.pid for one in self._system.processes()).values())


def _compared(key: str, ours: Sequence[Took], theirs: Sequence[Took]) -> dict[str, Spread]:
    """Return figures of both, and their ratio turn by turn."""
    pairs = list(zip(ours, theirs, strict=True))
    return _spreads(
        {
            f"{key}_ratio": [one.ms / other.ms for one, other in pairs],
            f"{key}_ms": [one.ms for one in ours],
            f"{key}_beside_ms": [one.ms for one in theirs],
            f"{key}_processor_ms": [one.processor_ms for one in ours],
            f"{key}_beside_processor_ms": [one.processor_ms for one in theirs],
        }
    )


def _spreads(values: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    found = {name: spread_of(each) for name, each in values.items()}
    return {name: spread for name, spread in found.items() if spread is not None}
