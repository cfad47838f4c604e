"""From a form to arguments: each field is a parameter, and repeated fields fill a list.

A field of a bytes parameter becomes base64. Any other field is text; it is read as JSON if the
schema does not ask for a string and the text is valid JSON. A list takes one item from each field
with its name, as browsers send them, or all items from one field that holds a JSON array.
"""

from __future__ import annotations

import base64
import re
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import falcon
import falcon.media
import falcon.media.multipart

from gateway.parsing.json_body import read_json_value
from gateway.problems import ProblemError
from runtime.errors import ArgumentFault
from runtime.registry.manifest import Manifest

MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"
_MOST_FIELDS = 128
_LONGEST_PART_HEADERS_BYTES = 8192
_LONGEST_REFERENCE = 16
_CODING = re.compile(rb"content-transfer-encoding", re.IGNORECASE)
_NO_CODING = re.compile(
    rb"^content-transfer-encoding:[ \t]*(?:7bit|8bit|binary)[ \t]*\r\n",
    re.IGNORECASE | re.MULTILINE,
)

Fields = list[tuple[str, bytes]]


def read_form(manifest: Manifest, content_type: str, body: bytes) -> dict[str, Any]:
    """Return the arguments in a form, multipart or urlencoded.

    Raises:
        ProblemError: The form is malformed (`invalid_multipart`), or a field is not UTF-8 or is
            repeated without being a list (`arguments_invalid`).
    """
    is_multipart = content_type.lstrip().lower().startswith(MULTIPART)
    fields = _read_parts(content_type, body) if is_multipart else _read_pairs(body)
    by_name: dict[str, list[bytes]] = {}
    for name, data in fields:
        by_name.setdefault(name, []).append(data)
    return {name: _argument(manifest, name, given) for name, given in by_name.items()}


def _argument(manifest: Manifest, name: str, given: list[bytes]) -> object:
    rules = manifest.parameters
    rule = _resolved(rules.get("properties", {}).get(name), rules)
    if rule.get("type") != "array":
        if len(given) > 1:
            raise _invalid(name, "was given more than once")
        is_bytes = name in manifest.bytes_parameters or _is_bytes(rule)
        return _value(name, given[0], rule, is_bytes=is_bytes)
    items = _resolved(rule.get("items"), rules)
    if len(given) == 1 and not _is_bytes(items):
        whole = _json_or_none(given[0])
        if isinstance(whole, list):
            return whole
    return [_value(name, data, items, is_bytes=_is_bytes(items)) for data in given]


def _value(name: str, data: bytes, rule: dict[str, Any], *, is_bytes: bool) -> object:
    if is_bytes:
        return base64.b64encode(data).decode("ascii")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _invalid(name, "is not UTF-8 text") from None
    if _wants_text(rule):
        return text
    try:
        return read_json_value(data)
    except ProblemError:
        return text


def _json_or_none(data: bytes) -> object:
    try:
        return read_json_value(data)
    except ProblemError:
        return None


def _resolved(rule: object, rules: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and replace an optional schema by its only branch besides null."""
    for _ in range(_LONGEST_REFERENCE):
        if not isinstance(rule, dict):
            return {}
        branches = [
            branch
            for branch in rule.get("anyOf", ())
            if isinstance(branch, dict) and branch.get("type") != "null"
        ]
        reference = rule.get("$ref")
        if isinstance(reference, str):
            rule = rules.get("$defs", {}).get(reference.removeprefix("#/$defs/"))
        elif len(branches) == 1:
            [rule] = branches
        else:
            return rule
    return {}


def _is_bytes(rule: dict[str, Any]) -> bool:
    return rule.get("contentEncoding") == "base64"


def _wants_text(schema: dict[str, Any]) -> bool:
    """Whether the schema accepts a string, so that the text is used unchanged."""
    if schema.get("type") == "string" or "const" in schema or "enum" in schema:
        return bool(schema.get("type", "string") == "string")
    return any(
        isinstance(branch, dict) and branch.get("type") == "string"
        for branch in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))
    )


def _read_pairs(body: bytes) -> Fields:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=_MOST_FIELDS,
        )
        return [(name.encode().decode(), _bytes_of(text)) for name, text in pairs]
    except ValueError as error:
        raise ProblemError("invalid_multipart", f"The form cannot be read: {error}.") from error


def _bytes_of(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _read_parts(content_type: str, body: bytes) -> Fields:
    options = falcon.media.multipart.MultipartParseOptions()
    options.max_body_part_count = _MOST_FIELDS
    options.max_body_part_headers_size = _LONGEST_PART_HEADERS_BYTES
    options.max_body_part_buffer_size = len(body) + 1
    handler = falcon.media.MultipartFormHandler(parse_options=options)
    parts = []
    try:
        plain = _without_codings(content_type, body)
        for part in handler.deserialize(BytesIO(plain), content_type, len(plain)):
            if not part.name:
                raise ProblemError("invalid_multipart", "A part of the form has no name.")
            parts.append((part.name, part.get_data()))
    except falcon.HTTPError as error:
        detail = error.description or error.title or "The form cannot be read."
        raise ProblemError("invalid_multipart", detail) from error
    except (UnicodeDecodeError, ValueError) as error:
        raise ProblemError("invalid_multipart", f"The form cannot be read: {error}.") from error
    return parts


def _without_codings(content_type: str, body: bytes) -> bytes:
    """Return a form without the Content-Transfer-Encoding headers that have no effect.

    Falcon's parser accepts only `binary`, in lower case. Codings that change the content stay, and
    the parser refuses them. Only lines after a boundary are headers; a file may hold any text.
    """
    if _CODING.search(body) is None:
        return body
    boundary = falcon.parse_header(content_type)[1].get("boundary", "")
    head = re.compile(
        rb"(?:\A|(?<=\r\n))--%b[ \t]*\r\n(?:[^\r\n]+\r\n)+" % re.escape(boundary.encode("latin-1"))
    )
    return head.sub(lambda match: _NO_CODING.sub(b"", match[0]), body)


def _invalid(name: str, detail: str) -> ProblemError:
    fault = ArgumentFault(pointer=f"/{name}", detail=detail)
    return ProblemError("arguments_invalid", f"{fault.pointer}: {fault.detail}", errors=[fault])
