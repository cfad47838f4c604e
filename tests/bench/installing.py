"""Installs the peers, each into an environment of its own below the build folder.

pip and npm decide where packages come from; nothing here names a registry. What is
installed is pinned by the files beside each peer, and installed anew when they change.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
BUILD = ROOT / ".bench"
_LIMIT_S = 600


class InstallError(Exception):
    """A peer cannot be installed; the text says why."""


def install(folder: str) -> Path:
    """Install the peer of that folder unless it is; return its folder of programs.

    Raises:
        InstallError: Something is missing, or a package cannot be had.
    """
    home = BUILD / folder
    pins = PEERS / folder / "requirements.txt"
    is_node = not pins.exists()
    if is_node:
        pins = PEERS / folder / "package-lock.json"
    mark = home / "installed"
    digest = hashlib.sha256(pins.read_bytes()).hexdigest()
    if is_node and home.exists():
        _copy_programs(PEERS / folder, home)
    if mark.exists() and mark.read_text() == digest:
        return home / "bin"
    print(f"Installing {folder} (a minute the first time)", file=sys.stderr)  # noqa: T201
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    if is_node:
        _install_node(PEERS / folder, home)
    else:
        _install_python(pins, home)
    mark.write_text(digest)
    return home / "bin"


def _install_python(pins: Path, home: Path) -> None:
    _run(sys.executable, "-m", "venv", str(home))
    _run(str(home / "bin/python"), "-m", "pip", "-qq", "install", "-r", str(pins))


def _install_node(source: Path, home: Path) -> None:
    if not shutil.which("npm") or not shutil.which("node"):
        raise InstallError("no node and npm here")
    _copy_programs(source, home)
    _run("npm", "install", "--omit=dev", "--no-audit", "--no-fund", cwd=home)


def _copy_programs(source: Path, home: Path) -> None:
    """Put the programs beside their packages, where Node looks for them."""
    for file in source.iterdir():
        shutil.copy(file, home)


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, check=False, text=True, timeout=_LIMIT_S
    )
    if done.returncode:
        raise InstallError(f"{' '.join(command[:4])}: {(done.stderr or done.stdout)[-800:]}")
