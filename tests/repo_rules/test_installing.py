"""What `make up` installs: pinned, complete, from wherever pip is told to look."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = (
    "requirements.lock",
    "requirements-redis.lock",
    "requirements-dev.lock",
    "requirements-clients.lock",
)
_PIN = re.compile(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[\w.]+( ; .+)?")


def pins(lock: str) -> set[str]:
    """Return the names a lock file pins."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return {re.split(r"[\[=]", line)[0] for line in lines}


def wanted(requirements: list[str]) -> set[str]:
    """Return the names in requirements as lock files write them."""
    return {re.split(r"[\[<>=;, ]", one)[0].lower().replace("_", "-") for one in requirements}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_is_pins_and_nothing_else(lock: str):
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if not _PIN.fullmatch(line)] == []


def test_every_dependency_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    generator = (ROOT / "tests/clients/generator.in").read_text(encoding="utf-8")

    runtime, bundled, tools, clients = (pins(lock) for lock in LOCKS)

    assert wanted(project["dependencies"] + extras["build"]) <= runtime, "run `make lock`"
    assert wanted(extras["redis"]) <= bundled, "run `make lock`"
    assert wanted(extras["dev"]) <= tools, "run `make lock`"
    assert wanted(generator.splitlines()) <= clients, "run `make lock`"
