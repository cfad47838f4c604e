"""Builders, their parents and publishers are killed; builds take place beside calls."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.faults.recovery import percentile
from tests.faults.reliability_table import Row
from tests.integration.dependencies.test_building import BACKEND, WHEEL
from tests.support.system import System, running_system
from tests.support.waiting import eventually
from tests.support.wheel_index import make_companions, make_index, only_pip
from tests.support.wheels import write_sdist, write_wheel

KILLS = 15
NAMES = [f"needy{n}" for n in range(6)]
RATE, THREADS, SPAN_S, TURNS = 200, 4, 8.0, 3
LONGEST_RATIO = 1.2
IMPORT_ALL = """
import importlib, importlib.metadata
for each in importlib.metadata.distributions():
    for name in (each.read_text("top_level.txt") or each.name.replace("-", "_")).split():
        importlib.import_module(name)
"""


@pytest.fixture
def index(tmp_path: Path) -> Path:
    (tmp_path / "companions").mkdir()
    made = make_index(tmp_path / "index", make_companions(tmp_path / "companions"))
    for n in range(len(NAMES)):
        modules = {f"pack{n}/m{k}.py": f"X = {k}\n" * 200 for k in range(60)}
        write_wheel(made, f"pack{n}", "1.0", {f"pack{n}/__init__.py": "", **modules})
    return made


def source_of(n: int) -> str:
    return (
        f'# /// script\n# dependencies = ["pack{n}", "demo"]\n# ///\n'
        f"import demo, pack{n}.m59\ndef {NAMES[n]}() -> int:\n    return pack{n}.m59.X\n"
    )


@contextmanager
def system_with(folder: Path, index: Path) -> Iterator[System]:
    environment = only_pip(index, folder / "home") | {"PIP_FIND_LINKS": str(index)}
    (folder / "functions").mkdir()
    (folder / "functions" / "plain.py").write_text("def plain() -> int:\n    return 1\n")
    with running_system(folder, "--workers", "2", environment=environment) as system:
        yield system


def is_part_of_a_build(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        words = " ".join(process.cmdline())
        return "builder_main" in words or "/uv " in words or ".building-" in words
    return False


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_whatever_is_killed_no_half_environment_is_used(
    tmp_path: Path, index: Path, row: Row
) -> None:
    row.begin(
        f"kill -9 of uv, of the process that builds and of workers, {KILLS} times while "
        f"{len(NAMES)} environments are built",
        goal="each environment that is found is whole; every function runs in the end",
    )
    chance = random.Random(15)
    killed: list[str] = []
    with system_with(tmp_path, index) as system:
        for n in range(len(NAMES)):
            system.write(NAMES[n], source_of(n))
        for turn in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.5))
            with suppress(psutil.Error, IndexError):  # it has ended by itself
                builds = [each for each in system.processes() if is_part_of_a_build(each)]
                is_worker = turn % 3 == 2 or not builds
                victim = chance.choice(system.parts("worker") if is_worker else builds)
                name = "worker" if is_worker else victim.name()
                victim.kill()
                killed.append(name)
            assert_whole(system)

        for name in NAMES:
            assert eventually(lambda name=name: answer_of(system, name), within_s=150) == 59
        assert_whole(system)
        left = eventually(lambda: list((system.data / "envs").glob(".building-*")) == [])
        assert left
    row.report(f"killed: {', '.join(f'{killed.count(k)} {k}' for k in sorted(set(killed)))}")


def answer_of(system: System, name: str) -> int | None:
    with suppress(httpx.HTTPError, KeyError, ValueError):
        result: int = system.call(name, wait_s=10).json()["result"]
        return result
    return None


def assert_whole(system: System) -> None:
    """Import everything that is installed in each environment that has its name."""
    for folder in (system.data / "envs").glob("[0-9a-f]*"):
        done = subprocess.run(
            [str(folder / "bin/python"), "-I", "-c", IMPORT_ALL], capture_output=True, check=False
        )
        assert done.returncode == 0, (folder.name, done.stderr.decode())


class Callers:
    """Calls `plain` at a steady rate; each call is noted with its beginning and its time."""

    def __init__(self, base_url: str) -> None:
        self.calls: list[tuple[float, float]] = []
        self.is_over = False
        self._base_url = base_url
        self._threads = [threading.Thread(target=self._call, args=(n,)) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.is_over = True
        for thread in self._threads:
            thread.join()

    def p99_ms(self, spans: list[tuple[float, float]]) -> float:
        took = [t for at, t in self.calls if any(a <= at <= b for a, b in spans)]
        return percentile(sorted(took), 0.99) * 1000

    def _call(self, n: int) -> None:
        due = time.monotonic() + n / RATE
        with httpx.Client(base_url=self._base_url, trust_env=False) as http:
            while not self.is_over:
                time.sleep(max(0.0, due - time.monotonic()))
                began_at = time.monotonic()
                answer = http.post("/functions/plain", json={}, headers={"Prefer": "wait=10"})
                assert answer.status_code == 200
                self.calls.append((began_at, time.monotonic() - began_at))
                due = max(due + THREADS / RATE, began_at)


@pytest.mark.faults
@pytest.mark.timeout(300)
def test_calls_beside_a_build_are_as_quick_as_ever(tmp_path: Path, index: Path, row: Row) -> None:
    row.begin(
        f"{RATE} calls/s beside packages that are built from source, {SPAN_S:g} s of work each",
        goal=f"p99 at most {LONGEST_RATIO} times that beside one busy process of low priority",
    )
    busy = f"\n    import time\n    ends_at = time.process_time() + {SPAN_S}\n"
    busy += "    while time.process_time() < ends_at: pass\n"
    head = "def build_wheel(folder, settings=None, metadata=None):"
    for n in range(TURNS):
        backend = BACKEND.replace("sourced", f"busy{n}")
        backend = backend.format(witness=str(tmp_path / "witness"), wheel=WHEEL)
        write_sdist(index, f"busy{n}", "1.0", backend.replace(head, f"{head}{busy}"))
    quiet: list[tuple[float, float]] = []
    busied: list[tuple[float, float]] = []
    building: list[tuple[float, float]] = []
    with system_with(tmp_path, index) as system:
        callers = Callers(system.base_url)
        time.sleep(2)
        for n in range(TURNS):
            began_at = time.monotonic()
            time.sleep(SPAN_S)
            quiet.append((began_at, time.monotonic()))
            # Two processors that share a core slow each other down: that is no fault of a build.
            other = subprocess.Popen(["nice", "-n", "10", sys.executable, "-c", "while True: pass"])
            began_at = time.monotonic()
            time.sleep(SPAN_S)
            busied.append((began_at, time.monotonic()))
            other.kill()
            other.wait()
            began_at = time.monotonic()
            block = f'dependencies = ["busy{n}"]\n# [tool.penstock]\n# build = ["busy{n}"]'
            source = f"# /// script\n# {block}\n# ///\ndef busy{n}() -> int:\n    return {n}\n"
            system.write(f"busy{n}", source)
            eventually(
                lambda n=n: system.http.get(f"/functions/busy{n}").json().get("version"),
                within_s=60,
                every_s=0.5,
            )
            building.append((began_at, time.monotonic()))
        callers.stop()
    quiet_ms, busied_ms, beside_ms = map(callers.p99_ms, (quiet, busied, building))
    row.report(
        f"p99 {quiet_ms:.1f} ms alone, {busied_ms:.1f} ms beside a busy process, "
        f"{beside_ms:.1f} ms beside a build"
    )
    assert beside_ms <= LONGEST_RATIO * max(quiet_ms, busied_ms)
