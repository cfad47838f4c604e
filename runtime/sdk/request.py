"""The HTTP request behind a call, for functions that receive other people's webhooks.

Injected where a parameter is annotated `Request`. The gateway stores it with the
invocation as JSON (`encode_request`), the runner builds it again (`decode_request`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class Headers(Mapping[str, str]):
    """Header fields; names match in any case, and keep the case they came in."""

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
    """One HTTP request as it came in.

    Attributes:
        headers: Case-insensitive by name.
        query: Query parameters; a list of texts where one was repeated.
        body: The bytes as sent, so that signatures can be checked.
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
        """The body as UTF-8 text; what is not UTF-8 becomes U+FFFD."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:  # noqa: ANN401 - a JSON value is any
        """Return the body parsed as JSON; raises ValueError when it is not."""
        return json.loads(self.body.decode("utf-8-sig"))


def encode_request(request: Request) -> bytes:
    """Return the request as JSON, the body in base64."""
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
    """Read what `encode_request` wrote."""
    parts = json.loads(data)
    return Request(
        method=parts["method"],
        path=parts["path"],
        headers=Headers(parts.get("headers")),
        query=parts.get("query") or {},
        body=base64.b64decode(parts.get("body") or ""),
    )
