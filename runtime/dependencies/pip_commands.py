"""The command lines of pip, which installs from a lock where uv is not installed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path


def venv_command(folder: Path, *, python: str) -> list[str]:
    """Return the command that makes an empty environment."""
    return [python, "-I", "-m", "venv", "--without-pip", str(folder)]


def install_command(
    folder: Path, requirements: Path, *, builds: Sequence[str] | None, is_offline: bool
) -> list[str]:
    """Return the command that installs exactly what is pinned, checking every hash.

    Args:
        folder: The environment.
        requirements: The pins, with hashes.
        builds: The packages that may be built from source; None allows all.
        is_offline: Whether no index may be asked: then only `find-links` remains.
    """
    listed = [word for name in builds or () for word in ("--no-binary", name)]
    return [
        *(sys.executable, "-I", "-m", "pip", "--python", str(folder / "bin" / "python")),
        *("install", "--require-hashes", "--no-deps", "--no-input", "--progress-bar", "off"),
        *([] if builds is None else ["--only-binary", ":all:", *listed]),
        *(["--no-index"] if is_offline else []),
        *("--requirement", str(requirements)),
    ]
