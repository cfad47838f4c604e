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

_MOST_PARTS = 1_000


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
    """Return the parts of a multipart form (RFC 7578; RFC 2046, section 5.1.1)."""
    from email.message import Message  # noqa: PLC0415 - slow to import, and rarely needed
    from email.parser import HeaderParser  # noqa: PLC0415

    said = Message()
    said["Content-Type"] = content_type
    boundary = said.get_boundary()
    if not boundary:
        raise ValueError("a multipart form needs a boundary in its Content-Type")
    _, *pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"))
    if not pieces or not pieces[-1].startswith(b"--"):
        raise ValueError("the form ends before its last boundary")
    if len(pieces) > _MOST_PARTS:
        raise ValueError(f"the form has more than {_MOST_PARTS} parts")
    fields: list[tuple[str, Any]] = []
    for piece in pieces[:-1]:
        head, blank, data = piece.partition(b"\r\n\r\n")
        part = HeaderParser().parsestr(head.decode("utf-8", "replace").lstrip())
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str) or not blank:
            raise ValueError("a part of the form has no name")
        filename = part.get_filename()
        if filename is None:
            fields.append((name, _decoded(data, part.get_content_charset())))
        else:
            file = FormFile(filename, part.get_content_type(), data)
            fields.append((name, file))
    return fields


def _decoded(data: bytes, charset: str | None) -> str:
    try:
        return data.decode(charset or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
