"""From `key=value` words to the argument object that a function's schema asks for.

Pure but for reading the files that `@file` names. A value is JSON where the schema
takes something other than text, else text as typed; `key=@file` is the file's
content, in base64 where the schema asks for bytes. What does not fit is left for the
gateway to refuse, which knows better.
"""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.cli.client.api_client import System, path_to
from gateway.cli.errors import CommandError, ExitCode

_BOOLEANS = {"true": True, "false": False}  # as spreadsheets and Python write them, too
_BYTES_FORMATS = {"binary", "byte", "base64", "base64url"}


def parse_arguments(words: Sequence[str], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that the words name.

    Args:
        words: `key=value` or `key=@file`.
        parameters: JSON Schema of the argument object.

    Raises:
        CommandError: A word is neither, or a file cannot be read.
    """
    arguments: dict[str, Any] = {}
    for word in words:
        key, sign, text = word.partition("=")
        if not sign or not key:
            raise CommandError(
                f"{word!r} is not an argument; write key=value or key=@file",
                exit_code=ExitCode.USAGE,
            )
        if key in arguments:
            raise CommandError(f"{key!r} is given twice", exit_code=ExitCode.USAGE)
        schema = _resolve(parameters.get("properties", {}).get(key, {}), parameters)
        if text.startswith("@"):
            arguments[key] = _from_file(read_file(text[1:]), schema, parameters)
        else:
            arguments[key] = _from_text(text, schema, parameters)
    return arguments


def read_file(name: str) -> bytes:
    """Return the content of the file, or of standard input for `-`.

    Raises:
        CommandError: It cannot be read.
    """
    try:
        return Path("/dev/stdin" if name == "-" else name).read_bytes()
    except OSError as error:
        raise CommandError(
            f"cannot read {name}: {error.strerror}", exit_code=ExitCode.USAGE
        ) from error


def read_text(name: str, text: str, parameters: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return what a text means as the argument `name`."""
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
    """Return the JSON types the schema takes; empty where it does not say."""
    kinds: set[str] = set()
    for branch in schema.get("anyOf") or schema.get("oneOf") or [schema]:
        resolved = _resolve(branch, root)
        kind = resolved.get("type", [])
        kinds.update([kind] if isinstance(kind, str) else kind)
        if "enum" in resolved and all(isinstance(value, str) for value in resolved["enum"]):
            kinds.add("string")
    return kinds


def _resolve(schema: Any, root: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401
    """Follow references inside the schema."""
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
    """Return the body to send and its media type; the function's schema says how words are meant.

    Raises:
        CommandError: Both are given, a file cannot be read, or the function is unknown.
    """
    if data is None:
        parameters = system.get(path_to("functions", name)).json().get("parameters") or {}
        return json.dumps(parse_arguments(words, parameters)).encode(), JSON
    if words:
        raise CommandError(
            "give either key=value arguments or --data, not both", exit_code=ExitCode.USAGE
        )
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
