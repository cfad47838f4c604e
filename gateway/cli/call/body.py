"""The body of a call: from `key=value` words or `--data` to bytes and their media type."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Sequence

from gateway.cli.call.arguments import parse_arguments, read_file
from gateway.cli.client.api_client import System, path_to
from gateway.cli.errors import CommandError
from gateway.cli.exit_codes import ExitCode

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
