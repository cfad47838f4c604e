"""An example call of a function, made up from its JSON Schema; for people to copy.

Pure: from what `GET /functions` says to arguments and a command line. Used by the
supervisor's greeting and by `new`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

from gateway.openapi.examples import example_of

_FAVOURITE = "hello"


def choose_function(functions: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the function to show: `hello` if it is there, else the first that works."""
    working = [
        item for item in functions if item.get("state") != "loading" and not item.get("error")
    ]
    for item in working:
        if item.get("name") == _FAVOURITE:
            return item
    return working[0] if working else None


def example_arguments(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a value for every argument that has to be given, or for the first if none has."""
    properties = parameters.get("properties", {})
    names = parameters.get("required") or list(properties)[:1]
    definitions = parameters.get("$defs", {})
    return {name: example_of(properties.get(name, {}), definitions) for name in names}


def curl_line(url: str, function: dict[str, Any]) -> str:
    """Return a curl command that calls the function and waits for its result."""
    body = json.dumps(example_arguments(function.get("parameters") or {}), ensure_ascii=False)
    address = shlex.quote(f"{url}/functions/{function['name']}")
    headers = "-H 'Content-Type: application/json' -H 'Prefer: wait=10'"
    return f"curl {headers} -d {shlex.quote(body)} {address}"
