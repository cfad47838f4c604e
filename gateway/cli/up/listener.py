"""The socket that `up` listens on; it is opened before anything is started.

A port that is taken is reported at once. The gateway inherits the socket, so a gateway that is
restarted keeps the port and the connections that wait to be accepted.
"""

from __future__ import annotations

import errno
import socket

from gateway.cli.errors import CannotStartError

BACKLOG = 2048
_REASONS = {
    errno.EADDRINUSE: "it is already in use; choose another with --port (0 takes a free one)",
    errno.EACCES: "permission denied; choose a port above 1023 with --port",
    errno.EADDRNOTAVAIL: "this machine has no such address; choose another with --host",
}


def open_listener(host: str, port: int) -> socket.socket:
    """Bind and listen; port 0 chooses a free port.

    Raises:
        CommandError: The address cannot be used; one sentence says why.
    """
    try:
        [(family, _, _, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise CannotStartError(
            f"{host!r} is not an address to listen on; choose another with --host"
        ) from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        reason = _REASONS.get(error.errno or 0, error.strerror)
        raise CannotStartError(f"cannot listen on port {port} of {host}: {reason}") from error
    return listener


def reachable_host(host: str) -> str:
    """Return the host to connect to from this machine: loopback if bound to every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def url_of(host: str, port: int) -> str:
    """Return the base URL to use from this machine."""
    name = reachable_host(host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
