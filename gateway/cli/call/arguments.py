"""Arguments for a function, from words on the command line or from `--data`.

`parse_arguments` turns `key=value` words into the argument object. A value is text if the schema
allows strings or if it is not JSON, otherwise JSON. `key=@file` sends a file's content, in base64
if the schema asks for bytes. `read_body` returns the body of a request and its media type.
Nothing is validated here: the gateway refuses what does not fit.
"""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.cli.client.api_client import System, path_to
from gateway.cli.errors import UsageError

_BOOLEANS = {"true": True, "false": False}  # as spreadsheets and Python write them, too
_BYTES_FORMATS = {"binary", "byte", "base64", "base64url"}


def parse_arguments(words: Sequence[str], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the argument object that the words describe.

    Args:
        words: `key=value` or `key=@file`.
        parameters: The JSON Schema of the argument object.

    Raises:
        CommandError: A word has no `=`, a key is repeated, or a file cannot be read.
    """
    arguments: dict[str, Any] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign or not key:
            raise UsageError(f"{word!r} is not an argument; write key=value or key=@file")
        if key in arguments:
            raise UsageError(f"{key!r} is given twice")
        schema = _resolve(parameters.get("properties", {}).get(key, {}), parameters)
        if text.startswith("@"):
            arguments[key] = _from_file(read_file(text[1:]), schema, parameters)
        else:
            arguments[key] = _from_text(text, schema, parameters)
    return arguments


def read_file(name: str) -> bytes:
    """Return the content of a file, or of standard input for `-`.

    Raises:
        CommandError: The file cannot be read.
    """
    try:
        return Path("/dev/stdin" if name == "-" else name).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}") from error


def read_text(name: str, text: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return the value of the argument `name` that is written as `text`."""
    schema = _resolve(parameters.get("properties", {}).get(name, {}), parameters)
    return _from_text(text, schema, parameters)


def _from_text(text: str, schema: dict[str, Any], root: dict[str, Any]) -> Any:  # noqa: ANN401
    kinds = _kinds(schema, root)
    if kinds == {"string"} or ("string" in kinds and text != "null"):
        return text
    if "boolean" in kinds and text.strip().lower() in _BOOLEANS:
        return _BOOLEANS[text.strip().lower()]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _from_file(content: bytes, schema: dict[str, Any], root: dict[str, Any]) -> Any:  # noqa: ANN401
    branches = [_resolve(branch, root) for branch in (schema, *schema.get("anyOf", []))]
    if any(
        branch.get("contentEncoding") == "base64" or branch.get("format") in _BYTES_FORMATS
        for branch in branches
    ):
        return base64.b64encode(content).decode()
    try:
        return _from_text(content.decode(), schema, root)
    except UnicodeDecodeError:
        return base64.b64encode(content).decode()


def _kinds(schema: dict[str, Any], root: dict[str, Any]) -> set[str]:
    """Return the JSON types that the schema allows; empty if it names none."""
    kinds: set[str] = set()
    for branch in schema.get("anyOf") or schema.get("oneOf") or [schema]:
        resolved = _resolve(branch, root)
        kind = resolved.get("type", [])
        kinds.update([kind] if isinstance(kind, str) else kind)
        if "enum" in resolved and all(isinstance(value, str) for value in resolved["enum"]):
            kinds.add("string")
    return kinds


def _resolve(schema: Any, root: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Follow `$ref`s within the schema."""
    for _ in range(16):
        reference = schema.get("$ref") if isinstance(schema, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part, {}) if isinstance(target, dict) else {}
        schema = target
    return schema if isinstance(schema, dict) else {}


JSON = "application/json"


def read_body(
    system: System, name: str, words: Sequence[str], data: str | None
) -> tuple[bytes, str]:
    """Return the request body and its media type; `key=value` words are read by the schema.

    Raises:
        CommandError: Words and `data` are given, a file cannot be read, or the function is
            unknown.
    """
    if data is not None:
        return read_data(words, data)
    return write_arguments(words, system.get(path_to("functions", name)).json().get("parameters"))


def write_arguments(words: Sequence[str], parameters: dict[str, Any] | None) -> tuple[bytes, str]:
    """Return words as the body of a request, and its media type; raises as `parse_arguments`."""
    return json.dumps(parse_arguments(words, parameters or {})).encode(), JSON


def read_data(words: Sequence[str], data: str) -> tuple[bytes, str]:
    """Return the body that `--data` says, and its media type.

    Raises:
        CommandError: Words are given as well, or a file cannot be read.
    """
    if words:
        raise UsageError("give key=value arguments or --data, not both")
    if not data.startswith("@"):
        return data.encode(), JSON
    content = read_file(data[1:])
    guessed = mimetypes.guess_type(data[1:])[0]
    if guessed in {None, JSON} and _is_json(content):
        return content, JSON
    return content, guessed or "application/octet-stream"


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True
