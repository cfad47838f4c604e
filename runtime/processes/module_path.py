"""Where our processes find their modules: never in the folder that they are started in.

A project may own a folder `runtime` or `gateway`, or a file `redis.py`, beside its functions.
Python looks into the working folder first for `python -m`, and gunicorn puts it first as well.
Used wherever a process of ours begins; where the working folder is the checkout itself, its
modules are our own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[2])


def module_command(module: str) -> list[str]:
    """Return the command that runs a module, as `python -m` does, out of the installed ones."""
    safe = [] if os.path.realpath(Path.cwd()) == _ROOT else ["-P"]
    return [sys.executable, *safe, "-m", module]


def leave_out_working_folder() -> None:
    """Take the working folder from the head of the module path, where `python -m` put it."""
    here = os.path.realpath(Path.cwd())
    if here != _ROOT and sys.path and os.path.realpath(sys.path[0]) == here:
        del sys.path[0]


def leave_out_folder(folder: str) -> None:
    """Take a folder from the module path, wherever it stands there."""
    if os.path.realpath(folder) != _ROOT:
        sys.path[:] = [path for path in sys.path if path != folder]
