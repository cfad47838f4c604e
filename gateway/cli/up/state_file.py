"""The small file by which other commands find a running `up`: its address and processes.

Written and removed by the supervisor, as `<data>/up.json`; read by every command
that talks to a running system. A file whose supervisor is dead counts as none.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

NAME = "up.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpState:
    """What runs: where it listens, the supervisor's pid, and every part's."""

    url: str
    pid: int
    parts: dict[str, int] = field(default_factory=dict)


def write_state(data: Path, state: UpState) -> None:
    """Write the file in one step, so that no reader sees half of it."""
    part = data / f"{NAME}.new"
    part.write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
    part.replace(data / NAME)


def read_state(data: Path) -> UpState | None:
    """Return what runs on this data folder, or None."""
    try:
        state = UpState(**json.loads((data / NAME).read_text(encoding="utf-8")))
        os.kill(state.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return state


def remove_state(data: Path) -> None:
    """Remove the file, if it is there."""
    with contextlib.suppress(OSError):
        (data / NAME).unlink()
