"""Where `keys` creates, lists and revokes keys: through a running system, or in its Redis.

Over HTTP this needs a key with the scope `admin`. A process that can connect to the Redis needs
none, because it could write anything there. This is how the first key is created before anything
runs, and how a new one is created if all keys are lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from gateway.cli.client.api_client import System, accept, find_system, path_to
from gateway.cli.errors import CommandError, ExitCode
from gateway.cli.up.data_folder import lock_data_folder, make_data_folder, read_state
from gateway.cli.up.embedded_redis import socket_path
from gateway.cli.up.temporary_redis import momentary_redis
from runtime.settings import Settings, are_set, read_settings
from runtime.store.blocking_connection import BlockingConnection


class KeyStore(Protocol):
    """A place where keys can be created, listed and revoked."""

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Create a key from a body of POST /keys; return that route's answer."""

    def list(self) -> list[dict[str, Any]]:
        """Return all keys, as GET /keys does."""

    def revoke(self, key_id: str) -> None:
        """Revoke a key; raises a CommandError if there is no such key."""


class KeysOverHttp:
    """Keys through the HTTP API of a running system."""

    def __init__(self, system: System) -> None:
        self._system = system

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Create a key."""
        made: dict[str, Any] = self._system.send("POST", "/keys", wanted)
        return made

    def list(self) -> list[dict[str, Any]]:
        """Return all keys."""
        found: list[dict[str, Any]] = self._system.get("/keys").json()["items"]
        return found

    def revoke(self, key_id: str) -> None:
        """Revoke a key."""
        accept(self._system.ask("DELETE", path_to("keys", key_id)))


class KeysInRedis:
    """Keys in Redis itself, by the same rules as the HTTP API and with the same messages."""

    def __init__(self, url: str) -> None:
        self._connection = BlockingConnection(url)

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Create a key."""
        from gateway.auth.key_body import read_new_key  # noqa: PLC0415 - slow to import
        from gateway.auth.key_view import (  # noqa: PLC0415
            draw_callback_secret,
            made_view,
            making,
        )
        from gateway.problems import ProblemError  # noqa: PLC0415
        from runtime.access.api_key import generate_key_text  # noqa: PLC0415

        try:
            new = read_new_key(json.dumps(wanted).encode())
        except ProblemError as problem:
            raise CommandError(problem.detail, exit_code=ExitCode.REFUSED) from problem
        text, secret = generate_key_text(), draw_callback_secret()
        made = self._connection.run(making(text, new, secret))
        return made_view(text, new, made, secret)

    def list(self) -> list[dict[str, Any]]:
        """Return all keys."""
        from gateway.auth.key_view import listed_view  # noqa: PLC0415
        from runtime.store import access_commands  # noqa: PLC0415

        return listed_view(self._connection.run(access_commands.read_keys()))

    def revoke(self, key_id: str) -> None:
        """Revoke a key."""
        from runtime.store import access_commands  # noqa: PLC0415

        if self._connection.run(access_commands.revoke_key(key_id)) is None:
            raise CommandError(f"no API key has the id {key_id!r}", exit_code=ExitCode.REFUSED)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def open_key_store(url: str | None, data: Path | None) -> Iterator[KeyStore]:
    """Yield the place where keys are kept: the first of these that applies.

    1. `--url` is given: that system, over HTTP.
    2. PENSTOCK_REDIS is set and `--data` is not given: that Redis.
    3. `up` runs on the data folder: its embedded Redis, else that system over HTTP.
    4. The settings name a host or port where a system answers: that system, over HTTP.
    5. Otherwise: the Redis of the data folder, started for this command only.

    Raises:
        CommandError: None of them can be used.
    """
    if url is not None:
        yield KeysOverHttp(find_system(url))
        return
    settings = read_settings(data=data)
    if data is None and settings.redis:
        yield KeysInRedis(settings.redis)
        return
    place = _of_what_runs(settings, data)
    if place is not None:
        yield place
        return
    folder = settings.data.resolve()
    make_data_folder(folder)
    lock_fd = lock_data_folder(folder)
    with momentary_redis(folder, lock_fd) as address:
        in_redis = KeysInRedis(address)
        yield in_redis
        in_redis.close()


def _of_what_runs(settings: Settings, data: Path | None) -> KeyStore | None:
    folder = settings.data.resolve()
    if read_state(folder) is not None:
        if (folder / "redis").is_dir() and (path := socket_path(folder / "redis")).is_socket():
            return KeysInRedis(f"unix://{path}")
        return KeysOverHttp(find_system(None, data))
    if data is None and are_set("host", "port"):
        system = find_system(None)
        try:
            accept(system.ask("GET", "/livez"))
        except CommandError:
            return None
        return KeysOverHttp(system)
    return None
