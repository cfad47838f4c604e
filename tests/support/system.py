"""The whole system, started as a user starts it: `penstock up` in a process of its own.

Used by the end-to-end tests. What is asked of it goes over HTTP; its processes are found by
what they run, so that a test can kill them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from gateway.cli.up.data_folder import UpState, read_state
from gateway.cli.up.embedded_redis import socket_path
from runtime.invocations.consistency import Finding
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command
from tests.support.checking import check_all
from tests.support.waiting import eventually

START_LIMIT_S = 45.0
STOP_LIMIT_S = 15.0
FINISHED = frozenset({"succeeded", "failed", "cancelled", "expired"})


@dataclass(slots=True, kw_only=True)
class System:
    """A running system and its folders."""

    up: subprocess.Popen[bytes]
    base_url: str
    functions: Path
    data: Path
    log: Path
    http: httpx.Client

    def call(
        self, function: str, /, *, wait_s: int | None = None, **arguments: Any
    ) -> httpx.Response:
        """Invoke a function with JSON arguments."""
        headers = {} if wait_s is None else {"Prefer": f"wait={wait_s}"}
        return self.http.post(f"/functions/{function}", json=arguments, headers=headers)

    def invocation(self, invocation_id: str, *, wait_s: int | None = None) -> dict[str, Any]:
        """Return an invocation, after waiting for its end when asked."""
        headers = {} if wait_s is None else {"Prefer": f"wait={wait_s}"}
        answer = self.http.get(f"/invocations/{invocation_id}", headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def finished(self, invocation_id: str, *, within_s: float = 30) -> dict[str, Any]:
        """Return an invocation once it has finished."""

        def ended() -> dict[str, Any] | None:
            found = self.invocation(invocation_id, wait_s=2)
            return found if found["status"] in FINISHED else None

        return eventually(ended, within_s=within_s)

    def finished_batch(self, batch_id: str) -> dict[str, Any] | None:
        """Return a batch if all its members have finished."""
        batch: dict[str, Any] = self.http.get(f"/batches/{batch_id}").json()
        return batch if batch["finished_at"] else None

    def write(self, name: str, source: str) -> Path:
        """Put a function file into the watched folder in one step, as editors do."""
        file = self.functions / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_text(textwrap.dedent(source))
        draft.replace(file)
        return file

    def processes(self) -> list[psutil.Process]:
        """Return every living process of the system, `up` first."""
        try:
            top = psutil.Process(self.up.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def parts(self, kind: str) -> list[psutil.Process]:
        """Return the supervised processes of a kind: `worker`, `gateway`, `redis`."""
        pids = self._state().parts
        return [psutil.Process(pid) for name, pid in pids.items() if name.startswith(kind)]

    def runners(self) -> list[psutil.Process]:
        """Return the processes in which functions run: what workers have started, at any depth."""
        return [child for worker in self.parts("worker") for child in worker.children(True)]

    @property
    def redis_socket(self) -> Path:
        """The socket on which the embedded Redis of this system listens."""
        return socket_path(self.data / "redis")

    def run_command(self, *words: str | bytes | float) -> Any:
        """Run a Redis command on the system's own Redis and return the reply."""
        connection = BlockingConnection(f"unix://{self.redis_socket}")
        try:
            return connection.run(Command(words, lambda reply: reply))
        finally:
            connection.close()

    def check(self) -> list[Finding]:
        """Compare everything that Redis holds; return what does not fit."""
        connection = BlockingConnection(f"unix://{self.redis_socket}")
        try:
            return check_all(connection)
        finally:
            connection.close()

    def _state(self) -> UpState:
        state = read_state(self.data)
        assert state is not None, "the system does not run"
        return state

    def read_log(self) -> str:
        """Return what the system has printed so far."""
        return self.log.read_text(errors="replace")


@contextmanager
def running_system(
    folder: Path,
    *flags: str,
    functions: Path | None = None,
    environment: Mapping[str, str] | None = None,
    wrapper: Sequence[str] = (),
    working_folder: Path | None = None,
) -> Iterator[System]:
    """Start `penstock up` with its data under `folder`; stop it at the end.

    `functions` is the folder of function files; an empty one is made when not given.
    `wrapper` is a command that runs the rest of its words in its own place.
    """
    functions = functions or folder / "functions"
    functions.mkdir(parents=True, exist_ok=True)
    log = folder / "up.log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            [
                *wrapper,
                *(str(Path(sys.executable).with_name("penstock")), "up", "--port", "0"),
                *("--data", str(folder / "data"), "--functions", str(functions), *flags),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_clean_environment() | {"PENSTOCK_LOG_LEVEL": "info"} | dict(environment or {}),
            cwd=working_folder or Path(__file__).parents[2],
        )
    try:
        base_url = _await_ready(up, folder / "data", log)
        with httpx.Client(base_url=base_url, timeout=70, trust_env=False) as http:
            yield System(
                up=up,
                base_url=base_url,
                functions=functions,
                data=folder / "data",
                log=log,
                http=http,
            )
    finally:
        _stop(up)


def _clean_environment() -> dict[str, str]:
    """Return this environment without settings of ours, which would change what is tested."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}  # noqa: TID251


def _await_ready(up: subprocess.Popen[bytes], data: Path, log: Path) -> str:
    """Return the base address once the system answers that it is ready."""

    def ready() -> str | None:
        assert up.poll() is None, f"up ended with {up.returncode}"
        state = read_state(data)
        if state is None:
            return None
        try:
            answer = httpx.get(f"{state.url}/readyz", timeout=2, trust_env=False)
        except httpx.HTTPError:
            return None
        return state.url if answer.status_code == 200 else None

    try:
        return eventually(ready, within_s=START_LIMIT_S, every_s=0.05)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text(errors='replace')}") from error


def _stop(up: subprocess.Popen[bytes]) -> None:
    """Stop the system as Ctrl-C does; kill what is left of its tree after a while."""
    tree = psutil.Process(up.pid).children(recursive=True) if up.poll() is None else []
    up.send_signal(signal.SIGINT)
    try:
        up.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        up.kill()
        up.wait()
        raise
    finally:
        deadline = time.monotonic() + 2
        _, left = psutil.wait_procs(tree, timeout=max(0, deadline - time.monotonic()))
        for process in left:
            process.kill()
