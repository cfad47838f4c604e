"""Where uv is not installed: pip builds from a lock that exists; resolving says what is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.dependencies.builder import Builder, DependencyError
from tests.integration.dependencies.conftest import resolved
from tests.integration.dependencies.test_building import run
from tests.support.wheels import write_wheel


@pytest.fixture
def without_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.dependencies.uv_commands.find_uv", lambda: None)


def test_resolving_says_that_uv_is_needed(builder: Builder, without_uv: None):
    with pytest.raises(DependencyError, match=r"pip install 'penstock\[dependencies\]'") as caught:
        resolved(builder, 'dependencies = ["demo"]')

    assert caught.value.kind == "DependencyUnavailable"


def test_pip_builds_from_a_lock(
    builder: Builder, environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
):
    lock = resolved(builder, 'dependencies = ["demo==1.0"]')
    request.getfixturevalue("without_uv")

    built = builder.build(lock)

    assert run(built, "import demo, pydantic; print(demo.VERSION)") == "1.0"
    assert ("demo", "1.0") in built.packages


def test_pip_checks_hashes_too(builder: Builder, index: Path, request: pytest.FixtureRequest):
    lock = resolved(builder, 'dependencies = ["demo==1.0"]')
    write_wheel(index, "demo", "1.0", {"demo.py": "VERSION = 'poisoned'\n"})
    request.getfixturevalue("without_uv")

    with pytest.raises(DependencyError, match=r"HASHES|hashes") as caught:
        builder.build(lock)

    assert caught.value.kind == "DependencyUnavailable"
    assert builder.find(lock) is None
