"""From the body of a request to the arguments of a call: JSON, raw bytes, a form, or the request.

A JSON object from the caller is kept byte for byte; only objects that the gateway builds from raw
bytes or a form are encoded here. `runtime.registry.argument_check` validates them later.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from gateway.parsing.cookies import without_session
from gateway.parsing.form_arguments import MULTIPART, URLENCODED, read_form
from gateway.parsing.json_body import read_json_object, require_no_coding
from gateway.problems import ProblemError
from gateway.serving.request_parser import headers_by_name
from runtime.access.api_key import holds_key
from runtime.media_types import JSON, is_json, media_type_of
from runtime.registry.manifest import Manifest
from runtime.sdk.request import Request, encode_request

_AUTHORIZATION = b"authorization"
_COOKIE = b"cookie"
# These may hold the gateway's API keys and session cookies, which functions must not see.
WITHHELD_HEADERS = frozenset({_AUTHORIZATION, b"proxy-authorization", _COOKIE})


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """The parts of an HTTP request that can become arguments.

    Attributes:
        path: What follows the function's name in the path; "/" if nothing does.
        url: The whole URL.
        shows_authorization: Whether a function that reads the request gets its Authorization
            header. It is True if the gateway did not use that header; even then, a header that
            holds an API key of the gateway is left out.
        shows_cookies: Whether it gets the cookies, except the session of the dashboard.
    """

    method: str
    path: str
    query: str
    headers: list[tuple[bytes, bytes]]
    content_type: str
    body: bytes
    url: str = ""
    shows_authorization: bool = False
    shows_cookies: bool = False


class ParsedArguments(msgspec.Struct, frozen=True, kw_only=True):
    """The arguments of a call: bytes to store, decoded to validate, and the request if needed.

    `target` is what of its request line an idempotent repetition must have in common.
    """

    encoded: bytes
    decoded: dict[str, Any]
    request: bytes | None = None
    target: bytes = b""


def holds_json(manifest: Manifest, incoming: RawRequest) -> bool:
    """Whether the body of a request holds the arguments as JSON."""
    media_type = media_type_of(incoming.content_type)
    if manifest.takes_request:
        return bool(manifest.parameters.get("properties")) and is_json(media_type)
    return media_type == JSON or (manifest.raw_parameter is None and is_json(media_type))


def read_arguments(
    manifest: Manifest, incoming: RawRequest, decoded: dict[str, Any] | None = None
) -> ParsedArguments:
    """Return the arguments that a request holds for a function.

    Args:
        manifest: The manifest of the function.
        incoming: The HTTP request.
        decoded: The decoded body, if it was already read as JSON (`holds_json`).

    Raises:
        ProblemError: The body is malformed, or the function does not accept its media type.
    """
    if manifest.takes_request:
        return _from_request(manifest, incoming, decoded)
    body = incoming.body
    media_type = media_type_of(incoming.content_type)
    if body:
        require_no_coding(headers_by_name(incoming.headers))
    if media_type == MULTIPART:
        return encode_arguments(read_form(manifest, incoming.content_type, body))
    if not body and (not media_type or holds_json(manifest, incoming)):
        return ParsedArguments(encoded=b"{}", decoded={})
    if holds_json(manifest, incoming):
        return ParsedArguments(encoded=body, decoded=decoded or read_json_object(body))
    # curl sends this Content-Type by default, so a function that takes raw bytes accepts it.
    if media_type == URLENCODED and manifest.raw_parameter is None:
        if body.lstrip().startswith(b"{"):
            raise ProblemError(
                "unsupported_media_type",
                f"The body looks like JSON, but its Content-Type is {URLENCODED}, the default of "
                f"curl. Send `Content-Type: {JSON}`.",
            )
        return encode_arguments(read_form(manifest, incoming.content_type, body))
    if manifest.raw_parameter is not None:
        return encode_arguments({manifest.raw_parameter: base64.b64encode(body).decode("ascii")})
    raise ProblemError("unsupported_media_type", _wanted(manifest, media_type))


def _from_request(
    manifest: Manifest, incoming: RawRequest, decoded: dict[str, Any] | None
) -> ParsedArguments:
    """Return the whole request; its body is read as arguments only if the function has any."""
    arguments: dict[str, Any] = {}
    encoded = b"{}"
    if incoming.body and holds_json(manifest, incoming):
        require_no_coding(headers_by_name(incoming.headers))
        arguments, encoded = decoded or read_json_object(incoming.body), incoming.body
    target = incoming.query
    if (incoming.method, incoming.path) != ("POST", "/"):
        target = f"{incoming.method} {incoming.path}?{incoming.query}"
    return ParsedArguments(
        encoded=encoded,
        decoded=arguments,
        request=_request_record(incoming),
        target=target.encode(),
    )


def _request_record(incoming: RawRequest) -> bytes:
    headers: dict[str, str] = {}
    for name, value in incoming.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        shows = name == _COOKIE and incoming.shows_cookies
        if shows and (cookies := without_session(text)):
            headers[key] = f"{headers[key]}; {cookies}" if key in headers else cookies
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
            url=incoming.url,
            headers=headers,
            query=query,
            body=incoming.body,
        )
    )


def encode_arguments(arguments: dict[str, Any]) -> ParsedArguments:
    """Return arguments that the gateway has built itself."""
    return ParsedArguments(encoded=msgspec.json.encode(arguments), decoded=arguments)


def _wanted(manifest: Manifest, media_type: str) -> str:
    given = f"not {media_type}" if media_type else "but the request has no Content-Type"
    return f"{manifest.name} accepts {JSON}, {MULTIPART} or {URLENCODED}, {given}."
