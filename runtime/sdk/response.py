"""The HTTP response that a function may return: `return Response("<ok/>", media_type="text/xml")`.

The runner encodes it (`encode_response`) as one line of JSON, the status and the header fields,
followed by the bytes of the body. The result of the invocation is stored in this form, and the
gateway answers the raw path `/function/{name}` with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runtime.sdk.headers import Headers

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, section 5.5, as ISO 8859-1
_MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(\s*;[ -~]{0,200})?"
)
_SERVERS_OWN = frozenset(
    {
        # Hop-by-hop (RFC 9110, section 7.6.1) or computed from the body.
        *("connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te", "trailer"),
        *("transfer-encoding", "upgrade", "content-length"),
    }
)
_NO_CONTENT = frozenset({204, 304})
_LEAST_STATUS, _MOST_STATUS = 200, 599
_MOST_FIELDS = 100
_MOST_HEAD_BYTES = 16 * 1024
Fields = tuple[tuple[str, str], ...]
HeaderValues = Mapping[str, str | Sequence[str]]


class Response:
    """An HTTP response.

    Attributes:
        body: `bytes`, `str` (sent as UTF-8) or a JSON value.
        status: From 200 to 599.
        headers: The header fields, the media type included; lookup ignores the case of names.
        fields: The same as (name, value), in order, repeated ones one by one.

    Args:
        body: As above; a status of 204 or 304 allows none.
        status: As above.
        headers: Names and values; a list of values for a repeated field. Fields that belong to the
            connection and `Content-Length` are refused: the gateway sets them.
        media_type: The `Content-Type`; by default that of the kind of body.

    Raises:
        ValueError: A part cannot be sent; the text says which, and what would be right.
    """

    __slots__ = ("body", "fields", "headers", "status")

    def __init__(
        self,
        body: object = b"",
        status: int = 200,
        headers: HeaderValues | None = None,
        media_type: str | None = None,
    ) -> None:
        if isinstance(body, bytearray | memoryview):
            body = bytes(body)
        fields = list(_read_fields(headers or {}))
        given = [value for name, value in fields if name.lower() == "content-type"]
        if media_type is not None and given:
            raise ValueError("give the media type once: as media_type or in headers")
        is_empty = isinstance(body, bytes | str) and not body
        if status in _NO_CONTENT and not is_empty:
            raise ValueError(f"a response with status {status} has no body")
        if not given and not (is_empty and media_type is None):
            fields.insert(0, ("Content-Type", media_type or _media_type_of(body)))
        self.body = body
        self.status = status
        self.fields: Fields = tuple(fields)
        check_head(self.status, self.fields)
        self.headers = Headers.of(self.fields)

    @classmethod
    def redirect(cls, url: str, status: int = 302) -> Response:
        """Return a response that sends the caller to another URL."""
        if not 300 < status < 400:  # noqa: PLR2004
            raise ValueError(f"a redirect has a status from 301 to 399, not {status!r}")
        return cls(status=status, headers={"Location": url})

    def __repr__(self) -> str:
        return f"Response(status={self.status}, headers={dict(self.headers)!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """A response as it is stored: its body is bytes."""

    status: int
    headers: Fields
    body: bytes

    @property
    def media_type(self) -> str:
        """The `Content-Type`; "" without one."""
        return next((v for name, v in self.headers if name.lower() == "content-type"), "")


def encode_response(status: int, headers: Fields, body: bytes) -> bytes:
    """Return the stored form of a response."""
    return json.dumps([status, headers], separators=(",", ":")).encode() + b"\n" + body


def decode_response(data: bytes) -> StoredResponse:
    """Decode what `encode_response` returned.

    Raises:
        ValueError: It is not a stored response, or one that may not be sent.
    """
    head, newline, body = data.partition(b"\n")
    if not newline or len(head) > _MOST_HEAD_BYTES:
        raise ValueError("not a response: its first line is missing or too long")
    try:
        parts: Any = json.loads(head)
    except RecursionError:
        raise ValueError("not a response: its first line is nested too deeply") from None
    if not (isinstance(parts, list) and len(parts) == 2 and isinstance(parts[1], list)):  # noqa: PLR2004
        raise ValueError("not a response: its first line is not [status, headers]")
    status, fields = parts
    if any(not isinstance(field, list) or len(field) != 2 for field in fields):  # noqa: PLR2004
        raise ValueError("not a response: a header field is not [name, value]")
    headers = tuple((name, value) for name, value in fields)
    check_head(status, headers)
    if status in _NO_CONTENT and body:
        raise ValueError(f"a response with status {status} has no body")
    return StoredResponse(status=status, headers=headers, body=body)


def check_head(status: object, headers: Iterable[tuple[object, object]]) -> None:
    """Check the status and the header fields of a response.

    Raises:
        ValueError: One of them cannot be sent; the text says which, and what would be right.
    """
    if type(status) is not int or not _LEAST_STATUS <= status <= _MOST_STATUS:
        raise ValueError(f"a status is a whole number from 200 to 599, not {status!r}")
    size_bytes, media_types = 0, 0
    for count, (name, value) in enumerate(headers, start=1):
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a header field")
        lower = name.lower()
        if lower in _SERVERS_OWN:
            raise ValueError(f"the gateway sets {name} itself; leave it out")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} is {value!r}; write one line of ISO 8859-1")
        if lower == "content-type":
            media_types += 1
            if media_types > 1 or not _MEDIA_TYPE.fullmatch(value):
                raise ValueError(f"{value!r} is not one media type, such as text/html")
        size_bytes += len(name) + len(value)
        if count > _MOST_FIELDS or size_bytes > _MOST_HEAD_BYTES // 2:
            raise ValueError(
                f"a response has at most {_MOST_FIELDS} header fields, together at most "
                f"{_MOST_HEAD_BYTES // 2} characters"
            )


def _read_fields(headers: HeaderValues) -> Iterable[tuple[str, str]]:
    for name, value in headers.items():
        if isinstance(value, list | tuple):
            for one in value:
                yield name, one
        else:
            yield name, value  # type: ignore[misc] # whatever it is, `check_head` says so


def _media_type_of(body: object) -> str:
    if isinstance(body, bytes):
        return "application/octet-stream"
    return "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
