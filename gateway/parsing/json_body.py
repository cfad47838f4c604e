"""Read JSON bodies strictly: check the content coding, then parse.

A body is accepted if it is one JSON object as `runtime.strict_json` defines it, and is passed on
byte for byte. A refused body is read again to find the first fault and its line and column; for a
long body, the error names only the place that the decoder reports.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from gateway.parsing.json_diagnostics import (
    RULES_BROKEN,
    JsonFault,
    find_encoding_fault,
    find_fault,
    locate,
)
from gateway.problems import ProblemError
from runtime import strict_json
from runtime.json_shape import DEEPEST, is_plain

LONGEST_LOCATED_BYTES = 32 * 1024
LONG_BYTES = 128 * 1024
_CUT_OFF = "Input data was truncated"
_EMPTY = "The body is empty"
_BYTE = re.compile(r" \(byte (\d+)\)$")


def read_json_object(body: bytes) -> dict[str, Any]:
    """Return the decoded object of a body; integers stay exact.

    Raises:
        ProblemError: `invalid_json`, with the fault and its place.
    """
    value = _decoded(body)
    if not is_plain(body, value, strict_json.encode):
        raise _problem(body)
    return value


async def read_long_json_object(body: bytes) -> dict[str, Any]:
    """Do the same as `read_json_object`, but yield to the event loop if the body is long.

    Raises:
        ProblemError: `invalid_json`, with the fault and its place.
    """
    if len(body) <= LONG_BYTES:
        return read_json_object(body)
    value = _decoded(body)
    await asyncio.sleep(0)
    if not is_plain(body, value, strict_json.encode):
        raise _problem(body)
    await asyncio.sleep(0)
    return value


def read_json_value(text: bytes) -> object:
    """Return any JSON value, by the same rules, for one field of a form.

    Raises:
        ProblemError: `invalid_json`.
    """
    try:
        return strict_json.decode(text)
    except ValueError as error:
        raise ProblemError("invalid_json", "This is not a JSON value.") from error


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        value = strict_json.parse(body)
    except strict_json.ERRORS as error:
        raise _problem(body, error) from error
    if type(value) is not dict:
        raise _problem(body)
    return value


def _problem(body: bytes, error: Exception | None = None) -> ProblemError:
    """Return the problem of a body; a long one is not read again by the slow reader."""
    fault = _long_fault(body, error) if len(body) > LONGEST_LOCATED_BYTES else find_fault(body)
    if fault is None:
        return ProblemError("invalid_json", "The body is not a JSON object that is accepted here.")
    return ProblemError(
        "invalid_json",
        f"{fault.what} (line {fault.line}, column {fault.column}).",
        members={
            "line": str(fault.line).encode(),
            "column": str(fault.column).encode(),
        },
    )


def _long_fault(body: bytes, error: Exception | None) -> JsonFault | None:
    encoding = find_encoding_fault(body)
    if encoding is not None:
        return encoding
    if error is None or isinstance(error, RecursionError):
        # The syntax is right but a rule is broken. Only a fault that begins like these counts: any
        # other comes from cutting the text off here.
        early = find_fault(body[:LONGEST_LOCATED_BYTES].decode(errors="ignore").encode())
        if early is not None and early.what.startswith(RULES_BROKEN):
            return early
        raise _unlocated(f"The body is nested deeper than {DEEPEST} levels, or has a duplicate key")
    said = str(error)
    if said == _CUT_OFF:
        return locate(body, "The body ends too early" if body.strip() else _EMPTY, len(body))
    place = _BYTE.search(said)
    if place is None:
        raise _unlocated(said)
    return locate(body, said[: place.start()], min(int(place[1]), len(body)))


def _unlocated(what: str) -> ProblemError:
    return ProblemError(
        "invalid_json",
        f"{what}. The place is shown only for bodies up to {LONGEST_LOCATED_BYTES // 1024} KiB.",
    )


def require_no_coding(headers: Mapping[bytes, bytes]) -> None:
    """Return if the body has no content coding.

    Args:
        headers: The headers by name, with repeated headers joined by commas.

    Raises:
        ProblemError: `unsupported_media_type`, if the body is compressed.
    """
    codings = headers.get(b"content-encoding")
    if codings is None:
        return
    for text in codings.decode("latin-1").split(","):
        coding = text.strip().lower()
        if coding not in ("", "identity"):
            raise ProblemError(
                "unsupported_media_type",
                f"The Content-Encoding {coding[:64]!r} is not supported; send the body without.",
                headers={"Accept-Encoding": "identity"},
            )
