"""A folder of wheels instead of an index, and builders that read it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.dependencies.builder import Builder, BuilderOptions, environments_of
from runtime.dependencies.lock import Lock
from runtime.dependencies.script_metadata import ScriptMetadata, read_metadata
from tests.support.wheels import COMPANIONS, pack_installed, write_wheel


@pytest.fixture(scope="session")
def companions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every environment needs, as wheels."""
    folder = tmp_path_factory.mktemp("companions")
    pack_installed(folder, *COMPANIONS)
    return folder


@pytest.fixture
def index(companions: Path, tmp_path: Path) -> Path:
    """A folder with the companions and `demo` 1.0 and 2.0."""
    folder = tmp_path / "index"
    folder.mkdir()
    for wheel in companions.iterdir():
        os.link(wheel, folder / wheel.name)
    for version in ("1.0", "2.0"):
        write_wheel(folder, "demo", version, {"demo.py": f"VERSION = {version!r}\n"})
    return folder


@pytest.fixture
def environment(index: Path, tmp_path: Path) -> dict[str, str]:
    """An environment in which only pip is configured, to use the folder and nothing else."""
    (tmp_path / "home").mkdir()
    configured = tmp_path / "pip.conf"
    configured.write_text(f"[global]\nno-index = true\nfind-links = {index}\n")
    return {
        "PATH": os.defpath,
        "HOME": str(tmp_path / "home"),
        "PIP_CONFIG_FILE": str(configured),
        "PENSTOCK_REDIS": "redis://secret",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
    }


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
