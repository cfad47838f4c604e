"""The HTTP request of a call, for functions that receive webhooks from other services.

It is injected into parameters annotated `Request`. The gateway stores it as JSON with the
invocation (`encode_request`); the runner decodes it (`decode_request`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from runtime.sdk.headers import Headers


class FormFile(NamedTuple):
    """A file in a form."""

    filename: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request as it was received.

    Attributes:
        method: The HTTP method.
        path: What follows the function's name in the path of the URL; "/" if nothing does.
        url: The whole URL, as the caller wrote it.
        headers: Header fields; lookup ignores the case of names.
        query: Query parameters; a repeated parameter has a list of texts.
        body: The bytes exactly as sent, so that signatures can be checked.
    """

    method: str = "POST"
    path: str = "/"
    url: str = ""
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

    def form(self) -> dict[str, Any]:
        """Return the fields of a form: text, `FormFile` for a file, a list for a repeated field.

        Raises:
            ValueError: The body is not a form, by its `Content-Type`.
        """
        content_type = self.headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == "application/x-www-form-urlencoded":
            return _by_name(parse_qsl(self.text, keep_blank_values=True))
        if media_type == "multipart/form-data":
            return _by_name(_read_parts(content_type, self.body))
        raise ValueError(f"the body is not a form: its Content-Type is {content_type!r}")

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies of the request, by name."""
        pairs = (pair.strip().partition("=") for pair in self.headers.get("cookie", "").split(";"))
        return {name: value.strip('"') for name, _, value in pairs if name}


def encode_request(request: Request) -> bytes:
    """Return the request as JSON, with the body in base64."""
    return json.dumps(
        {
            "method": request.method,
            "path": request.path,
            "url": request.url,
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
        url=parts.get("url") or "",
        headers=Headers(parts.get("headers")),
        query=parts.get("query") or {},
        body=base64.b64decode(parts.get("body") or ""),
    )


def _by_name(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields:
        before = found.get(name)
        if before is None:
            found[name] = value
        else:
            found[name] = [*before, value] if isinstance(before, list) else [before, value]
    return found


def _read_parts(content_type: str, body: bytes) -> list[tuple[str, Any]]:
    """Return the parts of a multipart form (RFC 7578)."""
    from email import message_from_bytes  # noqa: PLC0415 - slow to import, and rarely needed
    from email.policy import HTTP  # noqa: PLC0415

    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = message_from_bytes(head + body, policy=HTTP)
    fields: list[tuple[str, Any]] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            raise ValueError("a part of the form has no name")  # noqa: TRY004 - what it holds is wrong
        data = part.get_payload(decode=True)
        data = data if isinstance(data, bytes) else b""
        filename = part.get_filename()
        if filename is None:
            fields.append((name, data.decode("utf-8", "replace")))
        else:
            fields.append((name, FormFile(filename, part.get_content_type(), data)))
    return fields
