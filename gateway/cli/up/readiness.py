"""When the system is ready, and the example call that `up` prints then.

Used by the supervisor. `Probe` asks the gateway over a plain socket, because importing
`http.client` would cost the supervisor 5 MB of memory. Each request has a short timeout; no answer
counts as status 0. `choose_function` and `curl_line` make the example call.
"""

from __future__ import annotations

import json
import shlex
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gateway.openapi.examples import example_of

_ANSWER_LIMIT_S = 1.5
_STRAGGLERS_S = 1.0
_READ_BYTES = 65_536


class Probe:
    """Sends plain HTTP requests to one gateway."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def is_ready(self) -> bool:
        """Whether the gateway reaches Redis and functions are published."""
        return self._get("/readyz")[0] == 200  # noqa: PLR2004 - OK

    def has_route(self, path: str) -> bool:
        """Whether the gateway serves this path."""
        return self._get(path)[0] in {200, 301, 302, 307, 308, 401}

    def functions(self) -> list[dict[str, Any]]:
        """Return the published functions; empty if the gateway does not answer."""
        status, body = self._get("/functions")
        try:
            items = json.loads(body)["items"] if status == 200 else []  # noqa: PLR2004 - OK
        except (ValueError, KeyError, TypeError):
            return []
        return [item for item in items if isinstance(item, dict)]

    def _get(self, path: str) -> tuple[int, bytes]:
        """Return status and body; status 0 means no answer."""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = b""
        try:
            with socket.create_connection((self._host, self._port), _ANSWER_LIMIT_S) as client:
                client.sendall(request.encode("ascii"))
                while data := client.recv(_READ_BYTES):
                    answer += data
        except OSError:
            return 0, b""
        head, _, body = answer.partition(b"\r\n\r\n")
        words = head.split(b" ", 2)
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0, body


class Readiness:
    """Whether the whole system is ready; called until it returns True.

    It is ready when every function file is published, or one second after the first is, so that
    one file that hangs does not delay the rest. If no function has been published after one second
    (an empty folder, or only broken files), it is ready once the gateway lists its functions and
    none of them is still being loaded.
    """

    def __init__(self, probe: Probe, functions: Path, clock: Callable[[], float]) -> None:
        self._probe = probe
        self._functions = functions
        self._clock = clock
        self._since: float | None = None
        self._works = False

    def __call__(self) -> bool:
        """Return whether the system is ready now."""
        now = self._clock()
        if not self._works and self._probe.is_ready():
            self._works, self._since = True, now
        if self._since is None:
            self._since = now
        is_late = now - self._since >= _STRAGGLERS_S
        files = count_function_files(self._functions)
        if self._works:
            return is_late or sum(not _is_loading(one) for one in self._probe.functions()) >= files
        if not is_late or not self._probe.has_route("/functions"):
            return False
        found = self._probe.functions()
        return not files or (bool(found) and not any(map(_is_loading, found)))


def _is_loading(item: dict[str, Any]) -> bool:
    return item.get("state") == "loading"


def count_function_files(folder: Path) -> int:
    """Return the number of function files; names that start with `_` or `.` do not count."""
    paths = (path.relative_to(folder) for path in folder.rglob("*.py"))
    return sum(not any(part.startswith(("_", ".")) for part in path.parts) for path in paths)


_FAVOURITE = "hello"


def choose_function(functions: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the function for the example: `hello` if it works, else the first that works."""
    working = [item for item in functions if not _is_loading(item) and not item.get("error")]
    for item in working:
        if item.get("name") == _FAVOURITE:
            return item
    return working[0] if working else None


def example_arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a value for each required argument, or for the first one if none is required."""
    properties = parameters.get("properties", {})
    names = parameters.get("required") or list(properties)[:1]
    definitions = parameters.get("$defs", {})
    return {name: example_of(properties.get(name, {}), definitions) for name in names}


def curl_line(url: str, function: dict[str, Any]) -> str:
    """Return a curl command that calls the function and waits for its result."""
    body = json.dumps(example_arguments(function.get("parameters") or {}), ensure_ascii=False)
    address = shlex.quote(f"{url}/functions/{function['name']}")
    headers = "-H 'Content-Type: application/json' -H 'Prefer: wait=10'"
    return f"curl {headers} -d {shlex.quote(body)} {address}"
