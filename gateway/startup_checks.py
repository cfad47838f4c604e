"""Who is asked for a key, and which addresses may be listened on while there are none.

Asked by gunicorn's arbiter and by `up` before anything listens, and by the doorkeeper;
light, so that the arbiter need not load the framework.
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
from runtime.settings import Settings

_ANSWER_LIMIT_S = 3.0


def is_loopback(host: str) -> bool:
    """Whether a bind to `host` can be reached from this machine only."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)  # noqa: S104
    except OSError:
        return False
    return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


def is_open(settings: Settings) -> bool:
    """Whether callers need no key."""
    if settings.auth == "auto":
        return is_loopback(settings.host)
    return settings.auth == "off"


def expected_hosts(settings: Settings) -> AllowedHosts | None:
    """Return whom requests may be for; None where that is not judged.

    Judged where nobody shows a key and only this machine reaches us, since there a page's name
    that was rebound is all that stands between a web site and everything. A key is proof enough.
    On another bind with `auth` off, service names, addresses and proxies are without number, and
    the operator has said that everybody may call.
    """
    if not (is_open(settings) and is_loopback(settings.host)):
        return None
    public = urlsplit(settings.public_url).hostname or ""
    return AllowedHosts((settings.host, public))


def require_safe_bind(settings: Settings, count_keys: Callable[[], int | None]) -> None:
    """Refuse a bind that others can reach where nobody could show a key.

    Args:
        settings: Where to listen, and whether keys are asked for.
        count_keys: Asked only where it matters; None where Redis does not say. Serving is
            safe even then, since everybody is asked for a key.

    Raises:
        SettingsError: There are no keys, and that was not said to be on purpose.
    """
    if settings.auth == "off" or is_loopback(settings.host) or count_keys() != 0:
        return
    raise SettingsError(
        f"refusing to listen on {settings.host}, which others can reach, without API keys; make "
        "one with `penstock keys create --name NAME --scope SCOPE`, listen on 127.0.0.1, or say "
        "that everybody may call: `up --insecure`, PENSTOCK_AUTH=off"
    )


def count_keys_at(url: str) -> int | None:
    """Return how many valid keys are in a Redis; None when it does not answer."""
    from runtime.store.access_commands import count_valid_keys  # noqa: PLC0415 - rarely asked
    from runtime.store.blocking_connection import BlockingConnection  # noqa: PLC0415

    line = BlockingConnection(url, timeout_s=_ANSWER_LIMIT_S)
    try:
        return line.run(count_valid_keys())
    except StoreError:
        return None
    finally:
        line.close()


def read_caller_rate(settings: Settings) -> Rate | None:
    """Return the rate; None is any number of calls.

    Raises:
        SettingsError: It cannot be understood.
    """
    if not settings.caller_rate:
        return None
    try:
        return parse_rate(settings.caller_rate)
    except ValueError as error:
        raise SettingsError(
            f"PENSTOCK_CALLER_RATE: {error} (got {settings.caller_rate!r})"
        ) from error
