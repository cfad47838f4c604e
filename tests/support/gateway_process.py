"""A real gateway under gunicorn on a free port, and a hand that finishes invocations for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import msgspec

from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.settings import read_environment
from runtime.store import function_commands, invocation_commands
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.invocation_commands import Claimed, Settlement
from tests.support.api_keys import make_key
from tests.support.redis_server import own_redis
from tests.support.waiting import eventually

TTL_MS = 60_000
LEASE_MS = 60_000


@dataclass
class RunningGateway:
    """One gateway: where it is, and the Redis behind it."""

    port: int
    pid: int
    redis_url: str
    connection: BlockingConnection
    log: Path
    headers: dict[str, str] = field(default_factory=dict)  # a key, where one is needed

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def publish(self, *manifests: Manifest) -> None:
        """Publish functions, and wait until the gateway knows them."""
        for manifest in manifests:
            self.connection.run(
                function_commands.publish_function(
                    manifest.name,
                    manifest=encode_manifest(manifest),
                    version=manifest.version or "none",
                    source=b"",
                )
            )
        names = {manifest.name for manifest in manifests}
        eventually(lambda: names <= self.known())

    def claim(self) -> Claimed:
        """Take the next invocation, as a worker does."""

        def take() -> tuple[Claimed, ...]:
            claim = invocation_commands.claim(
                queue="default", worker="w-1", limit=1, lease_ms=LEASE_MS
            )
            return self.connection.run(claim).items

        [claimed] = eventually(take)
        return claimed

    def finish(self, claimed: Claimed, status: str = "succeeded", **how: object) -> None:
        """Settle an attempt, as a worker does."""
        settlement = Settlement(
            id=claimed.id,
            token=claimed.token,
            status=status,
            ttl_ms=TTL_MS,
            **how,  # type: ignore[arg-type]
        )
        assert self.connection.run(
            invocation_commands.settle([settlement], worker=claimed.worker)
        ) == ["DONE"]

    def signal(self, number: int) -> None:
        """Send the gunicorn arbiter a signal."""
        os.kill(self.pid, number)

    def connect(self, timeout_s: float = 10.0) -> socket.socket:
        """Open a bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s)

    def known(self) -> set[str]:
        answer = httpx.get(f"{self.url}/functions", headers=self.headers)
        return {item["name"] for item in answer.json()["items"]} if answer.is_success else set()


@contextmanager
def running_gateway(redis_url: str, **settings: object) -> Iterator[RunningGateway]:
    """Start gunicorn with the gateway, wait until it answers, stop it."""
    environment = {
        **read_environment(),
        "PENSTOCK_REDIS": redis_url,
        **{f"PENSTOCK_{name.upper()}": str(value) for name, value in settings.items()},
    }
    with (
        socket.create_server(("127.0.0.1", 0), backlog=2048) as listener,
        tempfile.NamedTemporaryFile(suffix=".log") as log,
    ):
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--config", "python:gateway.server"),
                *("--bind", f"fd://{listener.fileno()}"),
            ],
            env=environment,
            pass_fds=(listener.fileno(),),
            stdout=log,
            stderr=log,
        )
        connection = BlockingConnection(redis_url)
        port = listener.getsockname()[1]
        try:
            gateway = RunningGateway(
                port=port,
                pid=process.pid,
                redis_url=redis_url,
                connection=connection,
                log=Path(log.name),
            )
            eventually(lambda: _is_alive(gateway), within_s=15)
            yield gateway
        finally:
            connection.close()
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            finally:
                process.kill()
                process.wait()


@contextmanager
def closed_gateway(
    folder: Path, *manifests: Manifest, **settings: object
) -> Iterator[RunningGateway]:
    """Start a gateway that asks for keys and has these functions, on a Redis of its own."""
    with own_redis(folder) as url, running_gateway(url, auth="required", **settings) as gateway:
        gateway.headers = make_key(gateway.connection, "publisher", "admin").headers
        gateway.publish(*manifests)
        yield gateway


def error_json(kind: str, message: str, **more: str) -> bytes:
    """Return an attempt's error as workers write it."""
    return msgspec.json.encode({"type": kind, "message": message, "traceback": "", **more})


def _is_alive(gateway: RunningGateway) -> bool:
    try:
        return httpx.get(f"{gateway.url}/livez", timeout=1).is_success
    except httpx.HTTPError:
        return False
