"""A folder of wheels instead of an index, and builders that read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.dependencies.builder import Builder, BuilderOptions, environments_of
from runtime.dependencies.lock import Lock
from runtime.dependencies.script_metadata import ScriptMetadata, read_metadata
from tests.support.wheel_index import make_companions, make_index, only_pip


@pytest.fixture(scope="session")
def companions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_companions(tmp_path_factory.mktemp("companions"))


@pytest.fixture
def index(companions: Path, tmp_path: Path) -> Path:
    return make_index(tmp_path / "index", companions)


@pytest.fixture
def environment(index: Path, tmp_path: Path) -> dict[str, str]:
    """The variables of a process on a machine on which uv and pip are told to use a folder."""
    return environment_with(index, tmp_path / "home")


def environment_with(index: Path, home: Path) -> dict[str, str]:
    variables = {"PATH": os.defpath, "PENSTOCK_REDIS": "redis://secret"} | only_pip(index, home)
    configured = home / ".config" / "uv" / "uv.toml"
    configured.parent.mkdir(parents=True)
    configured.write_text(f'no-index = true\nfind-links = ["{index}"]\n')
    return variables


@pytest.fixture
def builder(environment: dict[str, str], tmp_path: Path) -> Iterator[Builder]:
    made = Builder(
        environments_of(tmp_path / "data"), environment=environment, options=BuilderOptions()
    )
    yield made
    made.stop()


def metadata_of(*lines: str) -> ScriptMetadata:
    text = "\n".join(("# /// script", *(f"# {line}" for line in lines), "# ///", ""))
    found = read_metadata(text.encode())
    assert found is not None
    return found


def resolved(builder: Builder, *lines: str) -> Lock:
    return builder.resolve(metadata_of(*lines))
