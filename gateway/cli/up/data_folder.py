"""The data folder of `up`: its lock, the callback secret, and the state file `up.json`.

Only one `up` can use a data folder at a time. The lock is a file lock that the embedded Redis
inherits: if the supervisor is killed, no second Redis can open the same files while the first one
still saves. `up.json` tells other commands the URL and the processes of the running `up`.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gateway.cli.errors import CannotStartError

_LOCK = "up.lock"
_SECRET = "callback_secret"  # noqa: S105 - a file's name
_SECRET_BYTES = 32
_SAVING_LIMIT_S = 5.0
_PAUSE_S = 0.05


def make_data_folder(data: Path) -> None:
    """Create the folder, readable only by its owner, and check that it is writable.

    Raises:
        CommandError: It cannot be created or written.
    """
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial = data / ".writable"
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise CannotStartError(
            f"cannot write to the data folder {data}: {_reason(error)}; choose another with --data"
        ) from error


def lock_data_folder(data: Path) -> int:
    """Take the lock; it is held until every copy of the returned descriptor is closed.

    Raises:
        CommandError: Another `up` holds the lock.
    """
    descriptor = os.open(data / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _SAVING_LIMIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            running = read_state(data)
            if running is None and time.monotonic() < deadline:
                time.sleep(_PAUSE_S)  # a killed `up`; its Redis still saves and then lets go
                continue
            os.close(descriptor)
            where = f" at {running.url} (pid {running.pid})" if running else ""
            raise CannotStartError(
                f"penstock up already runs on the data folder {data}{where}; "
                "stop it first, or choose another with --data"
            ) from None
        else:
            return descriptor


def keep_callback_secret(data: Path) -> tuple[str, Path]:
    """Return the secret that signs callbacks, created on first use, and the path of its file."""
    path = data / _SECRET
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip(), path
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret + "\n")
    return secret, path


def _reason(error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "there is a file in its place"
    return (error.strerror or str(error)).lower()


NAME = "up.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpState:
    """The running `up`: its URL, the supervisor's pid, and the pid of each process by name."""

    url: str
    pid: int
    parts: dict[str, int] = field(default_factory=dict)


def write_state(data: Path, state: UpState) -> None:
    """Replace the file in one step, so that no reader sees half of it."""
    part = data / f"{NAME}.new"
    part.write_text(json.dumps(asdict(state)) + "\n", encoding="utf-8")
    part.replace(data / NAME)


def read_state(data: Path) -> UpState | None:
    """Return the `up` that runs on this data folder, or None."""
    try:
        state = UpState(**json.loads((data / NAME).read_text(encoding="utf-8")))
        os.kill(state.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return state


def remove_state(data: Path) -> None:
    """Remove the file if it exists."""
    with contextlib.suppress(OSError):
        (data / NAME).unlink()
