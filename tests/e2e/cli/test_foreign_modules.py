"""An installed Penstock, started in a project that owns modules of the same names as ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.system import System, running_system
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]
FOREIGN = (
    *("runtime", "gateway", "functions", "gunicorn", "uvicorn", "falcon", "redis", "dramatiq"),
    *("structlog", "pydantic", "apispec", "cronsim", "httpx", "statistics", "secrets", "platform"),
)
FUNCTIONS = """\
from penstock import function

@function
def forked(text: str) -> str:
    return text

@function(isolation="thread")
def threaded(text: str) -> str:
    return text
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Penstock as a regular install has it: copied, apart from its checkout."""
    folder = tmp_path_factory.mktemp("install")
    source, target = folder / "source", folder / "target"
    source.mkdir()
    for name in ("gateway", "penstock", "runtime"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    words = ("--no-deps", "--no-build-isolation", "--no-index", "--target", str(target))
    subprocess.run([sys.executable, "-m", "pip", "-qq", "install", *words, str(source)], check=True)
    return target


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose modules must not be taken for ours: each fails when it is imported."""
    folder = tmp_path_factory.mktemp("project")
    for name in FOREIGN:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise ImportError('a foreign {name}')\n")
    (folder / "calls").mkdir()
    (folder / "calls" / "both.py").write_text(FUNCTIONS)
    return folder


def environment(installed: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}  # noqa: TID251
    return {**kept, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(scope="module")
def system(
    installed: Path, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    with running_system(
        tmp_path_factory.mktemp("data"),
        *("--workers", "1"),
        functions=project / "calls",
        environment=environment(installed),
        working_folder=project,
    ) as running:
        yield running


@pytest.mark.parametrize("name", ["forked", "threaded"])
def test_up_finds_its_own_modules_beside_those_of_the_project(system: System, name: str):
    answer = system.call(name, text="mine", wait_s=20)

    assert answer.json().get("result") == "mine", system.read_log()
    assert "foreign" not in system.read_log()


@pytest.mark.parametrize(
    "words",
    [
        ("-P", "-m", "gateway.serving", "--check-config"),
        ("-P", "-c", "import gateway.server, sys; print(sys.path)"),
    ],
)
def test_the_gateways_configuration_loads_there(installed: Path, project: Path, words):
    settings = {"PENSTOCK_REDIS": "redis://127.0.0.1:1/0"}

    run = subprocess.run(
        [sys.executable, *words],
        cwd=project,
        check=False,
        env=environment(installed) | settings,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert run.returncode == 0, run.stderr


def test_a_worker_of_its_own_starts_there(
    system: System, installed: Path, project: Path, tmp_path: Path
):
    before = len(system.http.get("/workers").json()["items"])
    redis = f"unix://{system.redis_socket}"
    program = str(Path(sys.executable).with_name("penstock"))
    with (tmp_path / "log").open("wb") as log:
        worker = subprocess.Popen(
            [program, "worker", "--redis", redis, "--functions", "calls"],
            cwd=project,
            env=environment(installed),
            stdout=log,
            stderr=log,
        )
    try:
        eventually(lambda: len(system.http.get("/workers").json()["items"]) > before, within_s=15)
    finally:
        worker.terminate()
        assert worker.wait(20) == 0, (tmp_path / "log").read_text()
