"""Running `penstock` as a person does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

COMMAND = (sys.executable, "-m", "gateway.cli.main")
_LIMIT_S = 30


def penstock(
    *words: str | Path,
    environment: Mapping[str, str] | None = None,
    text: bool = True,
    folder: Path | None = None,
    given: bytes | str | None = None,
) -> subprocess.CompletedProcess:
    """Run a command to its end and return its output and exit code."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        check=False,
        env=clean_environment() | dict(environment or {}),
        input=given,
        text=text,
        timeout=_LIMIT_S,
        cwd=folder,
    )


def start(*words: str | Path) -> subprocess.Popen[bytes]:
    """Start a command whose output is read while it runs: what one read leaves, the next gets."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)],
        bufsize=0,  # `communicate` would not look at what `readline` had read ahead
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(),
    )


def clean_environment() -> dict[str, str]:
    """Return this environment without settings of ours, which would change what is tested."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}  # noqa: TID251
    return clean | {"PYTHONPATH": str(Path(__file__).parents[2])}
