"""From a request's body to the argument object: JSON, a raw body, a form, or the request whole.

The JSON object a caller sends is kept byte for byte. Only the gateway's own objects
(from a raw body or a form) are encoded here. Nothing is validated against the schema
yet; that is `runtime.registry.arguments`' business.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from gateway.form_arguments import read_form
from gateway.json_boundary import read_json_object
from gateway.problems import ProblemError
from runtime.registry.manifest import Manifest
from runtime.sdk.request import Request, encode_request

# The gateway's own: its API keys and session cookies are not the function's business.
WITHHELD_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What of an HTTP request can become arguments."""

    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """The arguments of a call: as bytes to keep, decoded to validate; the request if asked for."""

    encoded: bytes
    decoded: dict[str, Any]
    request: bytes | None = None


def read_arguments(manifest: Manifest, incoming: Incoming) -> Sourced:
    """Return the arguments a request carries for a function.

    Raises:
        ProblemError: The body is broken, or of a media type the function does not take.
    """
    if manifest.takes_request:
        return _from_request(manifest, incoming)
    body = incoming.body
    media_type = incoming.content_type.partition(";")[0].strip().lower()
    if media_type == "multipart/form-data":
        return _encoded(read_form(manifest, incoming.content_type, body))
    if not body and media_type in ("", "application/json"):
        return Sourced(encoded=b"{}", decoded={})
    if media_type == "application/json":
        return Sourced(encoded=body, decoded=read_json_object(body))
    if manifest.raw_parameter is not None:
        return _encoded({manifest.raw_parameter: base64.b64encode(body).decode("ascii")})
    raise ProblemError("unsupported_media_type", _wanted(manifest, media_type))


def _from_request(manifest: Manifest, incoming: Incoming) -> Sourced:
    """Keep the request whole; its body is arguments only where there are parameters for them."""
    decoded: dict[str, Any] = {}
    encoded = b"{}"
    media_type = incoming.content_type.partition(";")[0].strip().lower()
    if manifest.parameters.get("properties") and media_type == "application/json" and incoming.body:
        decoded, encoded = read_json_object(incoming.body), incoming.body
    return Sourced(encoded=encoded, decoded=decoded, request=_request_record(incoming))


def _request_record(incoming: Incoming) -> bytes:
    headers: dict[str, str] = {}
    for name, value in incoming.headers:
        if name not in WITHHELD_HEADERS:
            key, text = name.decode("latin-1"), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    query: dict[str, str | list[str]] = {}
    for key, text in parse_qsl(incoming.query, keep_blank_values=True):
        before = query.get(key)
        if before is None:
            query[key] = text
        else:
            query[key] = [*before, text] if isinstance(before, list) else [before, text]
    return encode_request(
        Request(
            method=incoming.method,
            path=incoming.path,
            headers=headers,
            query=query,
            body=incoming.body,
        )
    )


def _encoded(arguments: dict[str, Any]) -> Sourced:
    return Sourced(encoded=msgspec.json.encode(arguments), decoded=arguments)


def _wanted(manifest: Manifest, media_type: str) -> str:
    takes = ["application/json"]
    if manifest.bytes_parameters:
        takes.append("multipart/form-data")
    given = f"not {media_type}" if media_type else "and the request has no Content-Type"
    return f"{manifest.name} takes {' or '.join(takes)}, {given}."
