"""How a call ended, as `invoke --wait` and `run` print it: its result, or its failure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from gateway.cli.call.arguments import JSON
from gateway.cli.tables import note, print_value

PROBLEM = "application/problem+json"


def print_result(content: bytes, media_type: str, output: Path | None) -> None:
    """Write a result to a file or to standard output; only text to a terminal."""
    if output is not None:
        output.write_bytes(content)
        note(f"{len(content)} bytes of {media_type} in {output}")
    elif media_type == JSON:
        print_value(json.loads(content))
    elif media_type.startswith("text/"):
        sys.stdout.write(content.decode(errors="replace").removesuffix("\n") + "\n")
    elif sys.stdout.isatty():
        note(f"{len(content)} bytes of {media_type}; save them with --output FILE")
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


def print_failure(invocation: dict[str, Any]) -> None:
    """Print how an invocation failed, was cancelled or expired."""
    error = invocation.get("error") or {}
    if error.get("traceback"):
        note(str(error["traceback"]).rstrip())
    said = f": {error.get('type')}: {error.get('message')}" if error else ""
    note(f"penstock: {invocation['function']} {invocation['status']}{said}")
