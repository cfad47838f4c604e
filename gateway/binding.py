"""Which addresses the gateway may listen on: without keys, only those others cannot reach.

Asked by gunicorn's arbiter and by `up` before anything listens, and by the doorkeeper;
light, so that the arbiter need not load the framework.
"""

from __future__ import annotations

import ipaddress
import socket

from runtime.errors import SettingsError
from runtime.settings import Settings


def is_loopback(host: str) -> bool:
    """Whether a bind to `host` can be reached from this machine only."""
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", None, type=socket.SOCK_STREAM)  # noqa: S104
    except OSError:
        return False
    return all(ipaddress.ip_address(entry[4][0]).is_loopback for entry in found)


def require_safe_bind(settings: Settings) -> None:
    """Refuse to serve the world without keys.

    Raises:
        SettingsError: The bind is not loopback, and `auth` was not set on purpose.
    """
    if settings.auth == "auto" and not is_loopback(settings.host):
        raise SettingsError(
            f"PENSTOCK_HOST: {settings.host!r} can be reached by others, and there are no API "
            "keys; bind 127.0.0.1, or say PENSTOCK_AUTH=off on purpose"
        )
