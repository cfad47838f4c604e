"""The HTTP request of a call, for functions that receive webhooks from other services.

It is injected into parameters annotated `Request`. The gateway stores it as JSON with the
invocation (`encode_request`); the runner decodes it (`decode_request`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class Headers(Mapping[str, str]):
    """Header fields; lookup ignores the case of names, iteration keeps it."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | None = None) -> None:
        self._fields = {name.lower(): (name, value) for name, value in (fields or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()][1]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._fields.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __repr__(self) -> str:
        return f"Headers({dict(self)!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it was received.

    Attributes:
        method: The HTTP method.
        path: The path of the URL.
        headers: Header fields; lookup ignores the case of names.
        query: Query parameters; a repeated parameter has a list of texts.
        body: The bytes exactly as sent, so that signatures can be checked.
    """

    method: str = "POST"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=Headers)
    query: Mapping[str, str | list[str]] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        if not isinstance(self.headers, Headers):
            object.__setattr__(self, "headers", Headers(self.headers))

    @property
    def text(self) -> str:
        """The body as UTF-8 text; invalid bytes become U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the body parsed as JSON; raises ValueError if it is not JSON."""
        return json.loads(self.body.decode("utf-8-sig"))


def encode_request(request: Request) -> bytes:
    """Return the request as JSON, with the body in base64."""
    return json.dumps(
        {
            "method": request.method,
            "path": request.path,
            "headers": dict(request.headers),
            "query": dict(request.query),
            "body": base64.b64encode(request.body).decode("ascii"),
        }
    ).encode()


def decode_request(data: bytes) -> Request:
    """Decode what `encode_request` returned."""
    parts = json.loads(data)
    return Request(
        method=parts["method"],
        path=parts["path"],
        headers=Headers(parts.get("headers")),
        query=parts.get("query") or {},
        body=base64.b64decode(parts.get("body") or ""),
    )
