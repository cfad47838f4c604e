"""From a multipart/form-data body to arguments: each part is a parameter.

A part for a bytes parameter becomes base64. Any other part is text: JSON where the
schema asks for something else than a string and the text is JSON, else the text.
"""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import falcon
import falcon.media
import falcon.media.multipart

from gateway.json_boundary import read_json_value
from gateway.problems import ProblemError
from runtime.errors import ArgumentFault
from runtime.registry.manifest import Manifest

_MOST_PARTS = 128
_LONGEST_PART_HEADERS_BYTES = 8192


def read_form(manifest: Manifest, content_type: str, body: bytes) -> dict[str, Any]:
    """Return the arguments a form holds.

    Raises:
        ProblemError: The form is broken (`invalid_multipart`), or names a parameter twice.
    """
    arguments: dict[str, Any] = {}
    for name, data in _read_parts(content_type, body):
        if name in arguments:
            fault = ArgumentFault(pointer=f"/{name}", detail="given more than once")
            raise ProblemError(
                "arguments_invalid", f"{fault.pointer}: {fault.detail}", errors=[fault]
            )
        if name in manifest.bytes_parameters:
            arguments[name] = base64.b64encode(data).decode("ascii")
        else:
            arguments[name] = _read_text(name, data, manifest.parameters)
    return arguments


def _read_parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    options = falcon.media.multipart.MultipartParseOptions()
    options.max_body_part_count = _MOST_PARTS
    options.max_body_part_headers_size = _LONGEST_PART_HEADERS_BYTES
    options.max_body_part_buffer_size = len(body) + 1
    handler = falcon.media.MultipartFormHandler(parse_options=options)
    parts = []
    try:
        for part in handler.deserialize(BytesIO(body), content_type, len(body)):
            if not part.name:
                raise ProblemError("invalid_multipart", "A part of the form has no name.")
            parts.append((part.name, part.get_data()))
    except falcon.HTTPError as error:
        detail = error.description or error.title or "The form cannot be read."
        raise ProblemError("invalid_multipart", detail) from error
    except (UnicodeDecodeError, ValueError) as error:
        raise ProblemError("invalid_multipart", f"The form cannot be read: {error}.") from error
    return parts


def _read_text(name: str, data: bytes, parameters: dict[str, Any]) -> object:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        fault = ArgumentFault(pointer=f"/{name}", detail="not UTF-8 text")
        raise ProblemError(
            "arguments_invalid", f"{fault.pointer}: {fault.detail}", errors=[fault]
        ) from None
    schema = parameters.get("properties", {}).get(name)
    if isinstance(schema, dict) and _wants_text(schema):
        return text
    try:
        return read_json_value(data)
    except ProblemError:
        return text


def _wants_text(schema: dict[str, Any]) -> bool:
    """Whether a string passes the schema; then a text part is taken as it is."""
    if schema.get("type") == "string" or "const" in schema or "enum" in schema:
        return bool(schema.get("type", "string") == "string")
    return any(
        isinstance(branch, dict) and branch.get("type") == "string"
        for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    )
