"""What the children of these tests run; each takes its channel."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

from runtime.processes.channel import Channel
from runtime.settings import read_environment

FOREVER_S = 3600
_ORPHANING = """import subprocess, sys
print(subprocess.Popen(sys.argv[1:], start_new_session=True,
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)
"""


def echo(channel: Channel) -> None:
    """Answer every frame with its parts in reverse."""
    while True:
        channel.send(*reversed(channel.receive()))


def describe(channel: Channel) -> None:
    """Tell what this process has."""
    open_ones = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
    report = {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "group": os.getpgrp(),
        "environment": read_environment(),
        "exec_environment": Path("/proc/self/environ").read_text(),
        "descriptors": {
            number: str(Path(f"/proc/self/fd/{number}").readlink())
            for number in open_ones
            if _is_open(number)
        },
        "channel": channel.fileno(),
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "sigterm": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "sigchld": signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL,
        "stdin": sys.stdin.read(),
        "path": sys.path,
    }
    channel.send(json.dumps(report).encode())


def allocate(channel: Channel) -> None:
    """Take as many MiB at once as each frame says."""
    while True:
        mib = int(channel.receive()[0])
        try:
            bytearray(mib << 20)
        except MemoryError:
            channel.send(b"MemoryError")
        else:
            channel.send(b"fits")


def draw(channel: Channel) -> None:
    """Do ordinary work with a C library."""
    from io import BytesIO  # noqa: PLC0415 - in the limited child

    from PIL import Image  # noqa: PLC0415 - in the limited child

    picture = Image.new("RGB", (2000, 2000))
    picture.thumbnail((320, 320))
    target = BytesIO()
    picture.save(target, "PNG")
    channel.send(target.getvalue()[:4])


def stay(channel: Channel) -> None:
    """Start three grandchildren (plain, in an own session, orphaned), tell, and stay."""
    sleep = [sys.executable, "-c", f"import time; time.sleep({FOREVER_S})"]
    plain = subprocess.Popen(sleep)
    apart = subprocess.Popen(sleep, start_new_session=True)
    made = subprocess.run(
        [
            sys.executable,
            "-c",
            _ORPHANING,
            *sleep,
        ],
        capture_output=True,
        check=True,
    )
    pids = [os.getpid(), plain.pid, apart.pid, int(made.stdout)]
    channel.send(json.dumps(pids).encode())
    time.sleep(FOREVER_S)


def leave(channel: Channel) -> None:
    """Exit with the code that is asked for."""
    os._exit(int(channel.receive()[0]))


def crash(channel: Channel) -> None:
    """Raise."""
    raise RuntimeError("on purpose")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
