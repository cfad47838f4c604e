"""An index in a folder for tests of dependencies, and an environment that is set up to use it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.wheels import COMPANIONS, pack_installed, write_wheel


def make_companions(folder: Path) -> Path:
    """Write what every environment needs, as wheels."""
    pack_installed(folder, *COMPANIONS)
    return folder


def make_index(folder: Path, companions: Path) -> Path:
    """Make a folder with the companions and `demo` 1.0 and 2.0."""
    folder.mkdir()
    for wheel in companions.iterdir():
        os.link(wheel, folder / wheel.name)
    for version in ("1.0", "2.0"):
        write_wheel(folder, "demo", version, {"demo.py": f"VERSION = {version!r}\n"})
    return folder


def only_pip(index: Path, home: Path) -> dict[str, str]:
    """Return the variables of a machine on which only pip is configured: to use this folder."""
    home.mkdir()
    configured = home / "pip.conf"
    configured.write_text(f"[global]\nno-index = true\nfind-links = {index}\n")
    return {
        "HOME": str(home),
        "PIP_CONFIG_FILE": str(configured),
        "UV_CACHE_DIR": str(home / "cache"),
    }
