"""Checks of the settings at startup: who needs a key, the bind, hosts, origins, the caller rate.

Gunicorn's arbiter and `up` refuse an unsafe bind before they listen; the application takes the
other answers from here. The rule: an address that others can reach is not served without keys
unless the operator said so. Imports are few, so that the arbiter need not load the framework.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from gateway.serving.allowed_hosts import AllowedHosts
from runtime.errors import SettingsError, StoreError
from runtime.sdk.option_parsing import parse_rate
from runtime.sdk.options import Rate
from runtime.sdk.origins import ANY_ORIGIN, parse_origins
from runtime.settings import Settings

_ANSWER_LIMIT_S = 3.0


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a bind to `host`."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)  # noqa: S104
    except OSError:
        return False
    return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


def is_open(settings: Settings) -> bool:
    """Whether callers may call without a key."""
    if settings.auth == "auto":
        return is_loopback(settings.host)
    return settings.auth == "off"


def expected_hosts(settings: Settings) -> AllowedHosts | None:
    """Return the host names that a request may be for; None allows any.

    They are limited if callers need no key and only this machine can reach the gateway: then the
    host name is all that reveals a page of another site (DNS rebinding). A key proves enough. On
    any other bind with `auth` off, the names of services and proxies cannot be listed, and the
    operator has said that everybody may call.
    """
    if not (is_open(settings) and is_loopback(settings.host)):
        return None
    public = urlsplit(settings.public_url).hostname or ""
    return AllowedHosts((settings.host, public))


def require_safe_bind(settings: Settings, count_keys: Callable[[], int | None]) -> None:
    """Refuse a bind that others can reach while there are no API keys.

    Args:
        settings: The bind, and whether keys are required.
        count_keys: Called only if it matters; returns None if Redis does not answer. Serving is
            safe even then, because every caller needs a key.

    Raises:
        SettingsError: There are no keys, and `auth` is not off.
    """
    if settings.auth == "off" or is_loopback(settings.host) or count_keys() != 0:
        return
    raise SettingsError(
        f"refusing to listen on {settings.host}, which others can reach, without API keys; create "
        "one with `penstock keys create --name NAME --scope SCOPE`, listen on 127.0.0.1, or let "
        "everybody call with `up --insecure` or PENSTOCK_AUTH=off"
    )


def count_keys_at(url: str) -> int | None:
    """Return how many valid keys a Redis holds; None if it does not answer."""
    from runtime.store.access_commands import count_valid_keys  # noqa: PLC0415 - rarely needed
    from runtime.store.blocking_connection import BlockingConnection  # noqa: PLC0415

    connection = BlockingConnection(url, timeout_s=_ANSWER_LIMIT_S)
    try:
        return connection.run(count_valid_keys())
    except StoreError:
        return None
    finally:
        connection.close()


def read_caller_rate(settings: Settings) -> Rate | None:
    """Return the rate limit of each caller; None for no limit.

    Raises:
        SettingsError: The setting is malformed.
    """
    if not settings.caller_rate:
        return None
    try:
        return parse_rate(settings.caller_rate)
    except ValueError as error:
        raise SettingsError(
            f"PENSTOCK_CALLER_RATE: {error} (got {settings.caller_rate!r})"
        ) from error


def read_origins(settings: Settings) -> tuple[str, ...]:
    """Return the origins whose pages may use every path.

    Raises:
        SettingsError: The setting is malformed.
    """
    try:
        return parse_origins(settings.cors_origins)
    except ValueError as error:
        raise SettingsError(f"PENSTOCK_CORS_ORIGINS: {error}") from error


def warn_of_origins(settings: Settings) -> str | None:
    """Return a warning if every web page may use a gateway that needs no key."""
    if not (is_open(settings) and ANY_ORIGIN in settings.cors_origins):
        return None
    return (
        "PENSTOCK_CORS_ORIGINS=* without keys: every web page that a browser opens can call the "
        "functions and read every invocation; name the origins, or set PENSTOCK_AUTH=required"
    )
