"""From a request on `/function/{name}` to arguments, read as OpenFaaS's callers write it.

They send JSON without a media type or as text, forms, and bare text. Where that leaves no doubt it
is accepted; `gateway.parsing.arguments` is the strict reading, for `/functions/{name}`. The query
belongs to the function, never to Penstock's options.
"""

from __future__ import annotations

import base64
from typing import Any

from gateway.parsing.arguments import (
    ParsedArguments,
    RawRequest,
    encode_arguments,
    holds_json,
    read_arguments,
)
from gateway.parsing.form_arguments import MULTIPART, URLENCODED, read_form
from gateway.parsing.json_body import read_long_json_object, require_no_coding
from gateway.parsing.preferences import fault_of, refuse_parameters
from gateway.problems import ProblemError
from gateway.serving.request_parser import headers_by_name
from runtime.media_types import is_json, media_type_of
from runtime.registry.manifest import Manifest

_UNTYPED = frozenset({"", "text/plain", URLENCODED})  # what curl and faas-cli send by default


async def read_leniently(manifest: Manifest, incoming: RawRequest) -> ParsedArguments:
    """Return the arguments that a request holds for a function.

    Args:
        manifest: The manifest of the function.
        incoming: The HTTP request.

    Raises:
        ProblemError: The body or the query is malformed, or the function does not accept the body's
            media type.
    """
    body = incoming.body
    decoded: dict[str, Any] | None = None
    if manifest.takes_request:
        if body and holds_json(manifest, incoming):
            require_no_coding(headers_by_name(incoming.headers))
            decoded = await read_long_json_object(body)
        return read_arguments(manifest, incoming, decoded)
    if not body:
        return _from_query(manifest, incoming.query)
    if incoming.query:
        name = incoming.query.partition("&")[0].partition("=")[0]
        refuse_parameters(
            [fault_of(f"?{name}", "comes with a body; give all arguments in one of them")]
        )
    require_no_coding(headers_by_name(incoming.headers))
    media_type = media_type_of(incoming.content_type)
    if is_json(media_type):
        decoded = await read_long_json_object(body)
    elif media_type in _UNTYPED:
        decoded = await _json_object(body)
    if decoded is not None:
        return ParsedArguments(encoded=body, decoded=decoded)
    return encode_arguments(_from_other(manifest, incoming, media_type))


def _from_other(manifest: Manifest, incoming: RawRequest, media_type: str) -> dict[str, Any]:
    """Return the arguments in a body that is not JSON."""
    body = incoming.body
    text_parameter = _text_parameter(manifest)
    if media_type == MULTIPART or (
        media_type == URLENCODED and (text_parameter is None or _is_form_of(manifest, body))
    ):
        return read_form(manifest, incoming.content_type, body)
    if manifest.raw_parameter is not None:
        return {manifest.raw_parameter: base64.b64encode(body).decode("ascii")}
    if text_parameter is not None:
        return {text_parameter: _text_of(body)}
    raise ProblemError(
        "unsupported_media_type",
        f"{manifest.name} takes a JSON object or a form"
        + (f", not {media_type}." if media_type else "; the body is neither."),
    )


def _from_query(manifest: Manifest, query: str) -> ParsedArguments:
    if not query:
        return ParsedArguments(encoded=b"{}", decoded={})
    return encode_arguments(read_form(manifest, URLENCODED, query.encode()))


async def _json_object(body: bytes) -> dict[str, Any] | None:
    if not body.lstrip().startswith(b"{"):
        return None
    try:
        return await read_long_json_object(body)
    except ProblemError:
        return None


def _text_parameter(manifest: Manifest) -> str | None:
    """Return the only parameter without a default, if it takes text or bytes."""
    if manifest.raw_parameter is not None:
        return manifest.raw_parameter
    required = manifest.parameters.get("required", ())
    if len(required) != 1:
        return None
    rule = manifest.parameters.get("properties", {}).get(required[0], {})
    return required[0] if rule.get("type") == "string" else None


def _is_form_of(manifest: Manifest, body: bytes) -> bool:
    """Whether each field of a form is a parameter: `curl -d` sends bare text as a form too."""
    names = {field.partition(b"=")[0].decode("latin-1") for field in body.split(b"&")}
    return b"=" in body and names <= set(manifest.parameters.get("properties", {}))


def _text_of(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise ProblemError("arguments_invalid", "The body is not UTF-8 text.") from None
