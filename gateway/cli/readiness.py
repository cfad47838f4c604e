"""Asking a gateway that is coming up whether it is ready, and what it offers.

Used by the supervisor, which stays small: `http.client`, and nothing it does not
need. Every question has a short deadline and no answer is an answer.
"""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from typing import Any

_ANSWER_LIMIT_S = 1.5


class Probe:
    """Asks one gateway over plain HTTP."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def is_ready(self) -> bool:
        """Whether Redis answers it and functions are published."""
        return self._get("/readyz")[0] == 200  # noqa: PLR2004 - OK

    def has_route(self, path: str) -> bool:
        """Whether it serves this path."""
        return self._get(path)[0] in {200, 301, 302, 307, 308, 401}

    def functions(self) -> list[dict[str, Any]]:
        """Return the published functions; none when it does not say."""
        status, body = self._get("/functions")
        try:
            items = json.loads(body)["items"] if status == 200 else []  # noqa: PLR2004 - OK
        except (ValueError, KeyError, TypeError):
            return []
        return [item for item in items if isinstance(item, dict)]

    def _get(self, path: str) -> tuple[int, bytes]:
        connection = HTTPConnection(self._host, self._port, timeout=_ANSWER_LIMIT_S)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            return 0, b""
        finally:
            connection.close()
