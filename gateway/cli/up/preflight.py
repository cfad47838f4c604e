"""The checks of `up` before it starts anything: settings, bind, functions folder, Redis.

Each check returns what the start needs, or raises one sentence that says what is wrong and what
to do. Used only by `up`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.cli.errors import CannotStartError
from gateway.cli.up.embedded_redis import find_server, prepare_folder, socket_path
from gateway.cli.up.temporary_redis import has_data, momentary_redis
from gateway.startup_checks import count_keys_at, read_caller_rate, read_origins, require_safe_bind
from runtime.errors import SettingsError, StoreUnavailableError
from runtime.settings import Settings
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.scripts import Command

_REDIS_LIMIT_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlan:
    """The URL of Redis, and the supervisor's flags to run it (empty if it runs elsewhere)."""

    url: str
    flags: dict[str, object]


def check_gateway_settings(settings: Settings) -> None:
    """Refuse what the gateway would refuse when it starts.

    Raises:
        CommandError: A setting is malformed.
    """
    try:
        read_caller_rate(settings)
        read_origins(settings)
    except SettingsError as error:
        raise CannotStartError(str(error)) from error


def check_bind(settings: Settings, redis: RedisPlan, data: Path, lock_fd: int) -> None:
    """Refuse an address that others can reach, if no API key exists and auth is not off.

    Raises:
        CommandError: The address is refused.
    """

    def count_keys() -> int | None:
        if not redis.flags:
            return count_keys_at(redis.url)
        if not has_data(data):
            return 0
        with momentary_redis(data, lock_fd) as url:
            return count_keys_at(url)

    try:
        require_safe_bind(settings, count_keys)
    except SettingsError as error:
        raise CannotStartError(str(error)) from error


def make_functions_folder(folder: Path) -> None:
    """Create the folder of function files if it does not exist.

    Raises:
        CommandError: The path is not a folder and cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = "a file" if folder.is_file() else error.strerror
        raise CannotStartError(
            f"the functions folder {folder} cannot be used: {what}; choose another with --functions"
        ) from error


def plan_redis(settings: Settings, folder: Path) -> RedisPlan:
    """Return the Redis to use, after checking that it can be used.

    Raises:
        CommandError: Redis does not answer, or none can be embedded.
        SettingsError: The URL in the settings is malformed.
        StoreTooOldError: The Redis in the settings is too old.
    """
    if settings.redis:
        connection = BlockingConnection(settings.redis, timeout_s=_REDIS_LIMIT_S)
        try:
            connection.run(Command(("PING",), lambda reply: reply))
        except StoreUnavailableError as error:
            raise CannotStartError(
                f"cannot use the Redis named by --redis or PENSTOCK_REDIS: {error}"
            ) from error
        finally:
            connection.close()
        return RedisPlan(url=settings.redis, flags={})
    server = find_server()
    socket_at = socket_path(prepare_folder(folder, server))
    return RedisPlan(
        url=f"unix://{socket_at}",
        flags={"redis-server": server.program, "redis-socket": socket_at},
    )
