"""Keep the working folder out of the module path of Penstock's processes.

A project may have a folder `runtime` or `gateway`, or a file `redis.py`, beside its functions.
`python -m` and gunicorn both put the working folder first on the module path, so these would
shadow our modules. Used wherever a process of ours starts. Exception: if the working folder is
the Penstock checkout, its modules are the right ones.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])


def module_command(module: str) -> list[str]:
    """Return the command for `python -m MODULE`, without the working folder on the module path."""
    safe = [] if os.path.realpath(Path.cwd()) == _ROOT else ["-P"]
    return [sys.executable, *safe, "-m", module]


def leave_out_working_folder() -> None:
    """Remove the working folder from the start of the module path, where `python -m` put it."""
    here = os.path.realpath(Path.cwd())
    if here != _ROOT and sys.path and os.path.realpath(sys.path[0]) == here:
        del sys.path[0]


def leave_out_folder(folder: str) -> None:
    """Remove a folder from the module path, wherever it is on it."""
    if os.path.realpath(folder) != _ROOT:
        sys.path[:] = [path for path in sys.path if path != folder]
