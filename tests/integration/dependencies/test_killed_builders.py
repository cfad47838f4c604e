"""Whatever is killed while an environment is built, no half one is ever found."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import psutil
import pytest

from runtime.dependencies.builder import Builder, BuilderOptions, DependencyError, environments_of
from runtime.dependencies.environment_folder import Environment
from runtime.dependencies.lock import Lock
from runtime.errors import ProcessError
from tests.integration.dependencies.conftest import resolved
from tests.integration.dependencies.test_building import BACKEND, WHEEL, run
from tests.support.waiting import eventually
from tests.support.wheels import write_sdist

SLOW = ("dependencies = ['slow', 'demo']", "[tool.penstock]", "build = ['slow']")


@pytest.fixture
def slow(index: Path, tmp_path: Path) -> Path:
    """A package whose build makes a file "waits" and waits until this one exists."""
    go_on = tmp_path / "go on"
    waits = f"""
import time
pathlib.Path({str(tmp_path / "waits")!r}).touch()
while not pathlib.Path({str(go_on)!r}).exists(): time.sleep(0.05)
"""
    backend = BACKEND.replace("sourced", "slow").format(
        witness=str(tmp_path / "began"), wheel=WHEEL
    )
    head, _, tail = backend.partition("def build_wheel(folder, settings=None, metadata=None):")
    body = "\n".join(f"    {line}" for line in waits.strip().splitlines())
    write_sdist(
        index,
        "slow",
        "1.0",
        f"{head}def build_wheel(folder, settings=None, metadata=None):\n{body}{tail}",
    )
    return go_on


def uv_processes(folder: Path) -> list[psutil.Process]:
    """Return the processes of uv that build in a folder."""
    return [
        each
        for each in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in each.info["cmdline"] or ())
        and "uv" in Path((each.info["cmdline"] or ["-"])[0]).name
    ]


def locked(builder: Builder, slow: Path) -> Lock:
    """Return a lock with the package whose build waits, of which nothing is built yet."""
    slow.touch()
    lock = resolved(builder, *SLOW)
    slow.unlink()
    slow.with_name("waits").unlink()
    shutil.rmtree(slow.parent / "home" / "cache")  # a wheel has been built for the lock, too
    return lock


def begin(builder: Builder, lock: Lock) -> tuple[threading.Thread, list[object]]:
    ended: list[object] = []

    def build() -> None:
        try:
            ended.append(builder.build(lock))
        except (DependencyError, ProcessError) as error:
            ended.append(error)

    thread = threading.Thread(target=build)
    thread.start()
    return thread, ended


def test_a_killed_uv_is_a_failure_and_the_next_build_is_whole(builder: Builder, slow: Path):
    lock = locked(builder, slow)
    thread, ended = begin(builder, lock)
    eventually(slow.with_name("waits").exists)
    [uv] = uv_processes(builder.environments.folder)

    uv.kill()
    thread.join(20)

    assert isinstance(ended[0], DependencyError)
    assert builder.find(lock) is None
    slow.touch()
    assert run(builder.build(lock), "import slow, demo; print(slow.VERSION)") == "1"


def test_whoever_is_killed_while_building_leaves_the_place_to_the_next(
    builder: Builder, environment: dict[str, str], slow: Path, tmp_path: Path
):
    lock = locked(builder, slow)
    thread, ended = begin(builder, lock)
    eventually(slow.with_name("waits").exists)

    builder.stop()  # kills the child that builds, and uv with it
    thread.join(20)
    eventually(lambda: not uv_processes(builder.environments.folder))
    slow.touch()
    other = Builder(
        environments_of(tmp_path / "data"), environment=environment, options=BuilderOptions()
    )
    built = other.build(lock)
    other.stop()

    assert isinstance(ended[0], DependencyError | ProcessError)
    assert run(built, "import slow, demo; print(slow.VERSION)") == "1"
    assert not list(other.environments.folder.glob(".building-*"))


def test_what_is_in_use_is_not_removed(builder: Builder):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))
    held = builder.environments.hold(built.key)
    assert held is not None

    assert not builder.environments.remove(built.key)

    os.close(held)
    assert builder.environments.remove(built.key)
    assert builder.environments.find(built.key) is None


def test_what_was_removed_is_built_again_from_its_lock(builder: Builder):
    lock = resolved(builder, 'dependencies = ["demo==1.0"]')
    first = builder.build(lock)
    builder.environments.remove(first.key)

    again = builder.build(lock)

    assert again.key == first.key
    assert run(again, "import demo; print(demo.VERSION)") == "1.0"


def test_a_build_waits_for_its_turn_on_a_busy_machine(builder: Builder):
    lock = resolved(builder, 'dependencies = ["demo"]')
    with builder.environments.all_slots(4):
        thread, ended = begin(builder, lock)
        eventually(lambda: list(builder.environments.folder.glob(".lock-*")))
        thread.join(0.5)
        assert not ended
        assert not list(builder.environments.folder.glob(".building-*"))

    thread.join(20)
    assert isinstance(ended[0], Environment)
