"""An honest statement of the machine, of the moment and of what was measured on it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from gateway.cli.up.embedded_redis import find_server
from tests.bench.installing import PEERS, ROOT

_CPU_FACTS = Path("/proc/cpuinfo")
_TOLD = ("arq", "celery", "dramatiq", "fastapi", "gevent", "requests", "taskiq", "taskiq-redis")


def describe_machine() -> dict[str, str]:
    """Return what a reader must know to judge the figures, by name."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory_gib:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load average before": load,
        "Python": platform.python_version(),
        "Node": _output("node", "--version").lstrip("v") or "none",
        "Redis": ".".join(map(str, find_server().version)),
        "peers": ", ".join(f"{name} {version}" for name, version in pinned_versions().items()),
    }


def pinned_versions() -> dict[str, str]:
    """Return the versions of the peers and of what they are run with, by package."""
    found = {}
    for pins in sorted(PEERS.glob("*/requirements.txt")):
        for line in pins.read_text(encoding="utf-8").splitlines():
            name, _, version = line.partition("==")
            if name in _TOLD:
                found[name] = version
    package = json.loads((PEERS / "bullmq/package.json").read_text(encoding="utf-8"))
    return found | package["dependencies"]


def _processor() -> str:
    if _CPU_FACTS.exists():
        for line in _CPU_FACTS.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    commit = _output("git", "rev-parse", "--short", "HEAD")
    changed = _output("git", "status", "--porcelain", "--", "gateway", "runtime")
    return f"{commit or 'unknown'}{' with changes' if changed else ''}"


def _output(program: str, *words: str) -> str:
    """Return what a command prints, or nothing where it is missing or fails."""
    if not shutil.which(program):
        return ""
    done = subprocess.run(
        [program, *words], cwd=ROOT, capture_output=True, check=False, text=True, timeout=10
    )
    return done.stdout.strip() if done.returncode == 0 else ""
