"""From a request's body to the argument object: JSON, a raw body, a form, or the request whole.

The JSON object a caller sends is kept byte for byte. Only the gateway's own objects
(from a raw body or a form) are encoded here. Nothing is validated against the schema
yet; that is `runtime.registry.argument_check`' business.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from gateway.parsing.form_arguments import MULTIPART, URLENCODED, read_form
from gateway.parsing.json_body import (
    JSON,
    is_json,
    media_type_of,
    read_json_object,
    require_no_coding,
)
from gateway.problems import ProblemError
from gateway.serving.request_parser import headers_by_name
from runtime.access.api_key import holds_key
from runtime.registry.manifest import Manifest
from runtime.sdk.request import Request, encode_request

_AUTHORIZATION = b"authorization"
# The gateway's own: its API keys and session cookies are not the function's business.
WITHHELD_HEADERS = frozenset({_AUTHORIZATION, b"proxy-authorization", b"cookie"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """What of an HTTP request can become arguments.

    Attributes:
        shows_authorization: Whether a function that takes the request sees that header: where
            it was no credential for the gateway. One that holds a key of ours it never sees.
    """

    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    content_type: str
    body: bytes
    shows_authorization: bool = False


class ParsedArguments(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of a call: as bytes to keep, decoded to validate; the request if asked for."""

    encoded: bytes
    decoded: dict[str, Any]
    request: bytes | None = None


def holds_json(manifest: Manifest, incoming: RawRequest) -> bool:
    """Whether the body of a request is an argument object in JSON."""
    media_type = media_type_of(incoming.content_type)
    if manifest.takes_request:
        return bool(manifest.parameters.get("properties")) and is_json(media_type)
    return media_type == JSON or (manifest.raw_parameter is None and is_json(media_type))


def read_arguments(
    manifest: Manifest, incoming: RawRequest, decoded: dict[str, Any] | None = None
) -> ParsedArguments:
    """Return the arguments a request carries for a function.

    Args:
        manifest: Of the function.
        incoming: The request.
        decoded: The body, if it was read as JSON already (`holds_json`).

    Raises:
        ProblemError: The body is broken, or of a media type the function does not take.
    """
    if manifest.takes_request:
        return _from_request(manifest, incoming, decoded)
    body = incoming.body
    media_type = media_type_of(incoming.content_type)
    if body:
        require_no_coding(headers_by_name(incoming.headers))
    if media_type == MULTIPART:
        return _encoded(read_form(manifest, incoming.content_type, body))
    if not body and (not media_type or holds_json(manifest, incoming)):
        return ParsedArguments(encoded=b"{}", decoded={})
    if holds_json(manifest, incoming):
        return ParsedArguments(encoded=body, decoded=decoded or read_json_object(body))
    # curl names this type for whatever it sends, so bytes are taken as they are.
    if media_type == URLENCODED and manifest.raw_parameter is None:
        if body.lstrip().startswith(b"{"):
            raise ProblemError(
                "unsupported_media_type",
                f"The body looks like JSON, and is said to be a form ({URLENCODED}, as curl has it "
                f"by default): send `Content-Type: {JSON}`.",
            )
        return _encoded(read_form(manifest, incoming.content_type, body))
    if manifest.raw_parameter is not None:
        return _encoded({manifest.raw_parameter: base64.b64encode(body).decode("ascii")})
    raise ProblemError("unsupported_media_type", _wanted(manifest, media_type))


def _from_request(
    manifest: Manifest, incoming: RawRequest, decoded: dict[str, Any] | None
) -> ParsedArguments:
    """Keep the request whole; its body is arguments only where there are parameters for them."""
    arguments: dict[str, Any] = {}
    encoded = b"{}"
    if incoming.body and holds_json(manifest, incoming):
        require_no_coding(headers_by_name(incoming.headers))
        arguments, encoded = decoded or read_json_object(incoming.body), incoming.body
    return ParsedArguments(encoded=encoded, decoded=arguments, request=_request_record(incoming))


def _request_record(incoming: RawRequest) -> bytes:
    headers: dict[str, str] = {}
    for name, value in incoming.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        is_shown = name == _AUTHORIZATION and incoming.shows_authorization and not holds_key(text)
        if is_shown or name not in WITHHELD_HEADERS:
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


def _encoded(arguments: dict[str, Any]) -> ParsedArguments:
    return ParsedArguments(encoded=msgspec.json.encode(arguments), decoded=arguments)


def _wanted(manifest: Manifest, media_type: str) -> str:
    given = f"not {media_type}" if media_type else "and the request has no Content-Type"
    return f"{manifest.name} takes {JSON}, {MULTIPART} or {URLENCODED}, {given}."
