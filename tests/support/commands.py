"""Running `penstock` as a person does, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_LIMIT_S = 30


def penstock(
    *words: str | Path,
    environment: Mapping[str, str] | None = None,
    text: bool = True,
    folder: Path | None = None,
    given: bytes | str | None = None,
) -> subprocess.CompletedProcess:
    """Run a command to its end and return its output and exit code."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}  # noqa: TID251
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli.main", *map(str, words)],
        capture_output=True,
        check=False,
        env=clean | {"PYTHONPATH": root} | dict(environment or {}),
        input=given,
        text=text,
        timeout=_LIMIT_S,
        cwd=folder,
    )
