"""Look for the system's secrets in the processes around."""

from __future__ import annotations

import os
from pathlib import Path


def read_secrets(secret: str) -> dict[str, list[str]]:
    """Return the processes in whose environment it is found, and whose memory opens."""
    found: dict[str, list[str]] = {"environment": [], "memory": []}
    for process in Path("/proc").glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            what = (process / "cmdline").read_text().replace("\0", " ")
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if secret.encode() in environment:
            found["environment"].append(what)
    for process in ancestors():
        try:
            (process / "mem").open("rb").close()
        except OSError:
            continue
        found["memory"].append((process / "cmdline").read_text().replace("\0", " "))
    return found


def ancestors() -> list[Path]:
    """Return the processes above the fork server that made this one."""
    found = []
    process = Path("/proc") / str(parent_of(Path(f"/proc/{os.getppid()}")))
    while process.name not in {"0", "1"}:
        found.append(process)
        process = Path("/proc") / str(parent_of(process))
    return found


def parent_of(process: Path) -> int:
    """Return a process's parent, as anybody may ask."""
    return int((process / "stat").read_text().rpartition(")")[2].split()[1])
