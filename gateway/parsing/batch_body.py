"""From the body of a batch to the arguments of each call, kept byte for byte.

A body is a JSON array, or one object per line (NDJSON). Every item is parsed and validated like
the body of a call, before any item is queued. In between, the event loop gets to run, so that a
large batch does not delay other requests.
"""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import Any

import msgspec

from gateway.parsing.json_body import read_long_json_object
from gateway.problems import ProblemError
from runtime.errors import ArgumentFault, ArgumentsError
from runtime.media_types import is_json, media_type_of
from runtime.registry.argument_check import check_arguments
from runtime.registry.manifest import Manifest

MOST_ITEMS = 10_000
_MOST_FAULTS = 50
_LONGEST_STRETCH_S = 0.01
_LINE_TYPES = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}
)


class Turns:
    """Yields to the event loop when it has been busy for `longest_s`."""

    def __init__(self, longest_s: float = _LONGEST_STRETCH_S) -> None:
        self._longest_s = longest_s
        self._since = time.perf_counter()

    async def take(self) -> None:
        """Yield to the event loop if it has been busy too long."""
        if time.perf_counter() - self._since > self._longest_s:
            await asyncio.sleep(0)
            self._since = time.perf_counter()


async def read_items(
    manifest: Manifest, content_type: str, body: bytes, *, longest_item_bytes: int
) -> list[bytes]:
    """Return the argument objects of a batch, each with the bytes that were sent.

    Raises:
        ProblemError: The body is not a batch (`batch_invalid`, `unsupported_media_type`) or not
            valid JSON (`invalid_json`).
        ArgumentsError: Items do not fit the schema; each pointer begins with the item's index.
    """
    media_type = media_type_of(content_type)
    is_array = is_json(media_type)
    if not is_array and media_type not in _LINE_TYPES:
        raise ProblemError(
            "unsupported_media_type",
            "A batch must be application/json (an array) or application/x-ndjson (one object per "
            "line).",
        )
    numbered = _split_array(body) if is_array else _split_lines(body)
    if not numbered:
        raise ProblemError(
            "batch_invalid", f"The batch is empty; it needs 1 to {MOST_ITEMS:,} items."
        )
    turns = Turns()
    faults: list[ArgumentFault] = []
    items: list[bytes] = []
    for index, (line, raw) in enumerate(numbered):
        item = bytes(raw)
        place = f"Item {index}" if line is None else f"Line {line}"
        faults += await _check(manifest, item, index, place, longest_item_bytes)
        if len(faults) >= _MOST_FAULTS:
            break
        items.append(item)
        await turns.take()
    if faults:
        raise ArgumentsError(tuple(faults[:_MOST_FAULTS]))
    return items


async def _check(
    manifest: Manifest, item: bytes, index: int, place: str, longest_bytes: int
) -> list[ArgumentFault]:
    here = f"/{index}"
    if len(item) > longest_bytes:
        return [ArgumentFault(pointer=here, detail=f"has more than {longest_bytes} bytes")]
    try:
        arguments = await read_long_json_object(item)
    except ProblemError as problem:
        if _is_other_value(item):
            return [ArgumentFault(pointer=here, detail="is not a JSON object")]
        raise ProblemError("invalid_json", f"{place}: {problem.detail}") from problem
    try:
        check_arguments(manifest, arguments)
    except ArgumentsError as error:
        return [
            ArgumentFault(pointer=here + fault.pointer, detail=fault.detail)
            for fault in error.faults
        ]
    return []


def _is_other_value(item: bytes) -> bool:
    """Whether an item is valid JSON but not an object."""
    if item.lstrip(b" \t\r\n").startswith(b"{"):
        return False
    try:
        msgspec.json.decode(item)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _split_array(body: bytes) -> list[tuple[int | None, Any]]:
    try:
        found = _array_decoder().decode(body)
    except msgspec.ValidationError as error:
        if body.lstrip(b" \t\r\n").startswith(b"["):
            raise _too_many() from error
        raise ProblemError("batch_invalid", "The body is not a JSON array of objects.") from error
    except RecursionError as error:
        raise ProblemError("invalid_json", "An item is nested deeper than 64 levels.") from error
    except msgspec.DecodeError as error:
        raise ProblemError("invalid_json", f"{error}.") from error
    return [(None, raw) for raw in msgspec.structs.astuple(found) if raw is not msgspec.UNSET]


def _split_lines(body: bytes) -> list[tuple[int | None, Any]]:
    if body.count(b"\n") > 2 * MOST_ITEMS:
        raise _too_many()
    lines: list[tuple[int | None, Any]] = [
        (number, line)
        for number, line in enumerate(body.split(b"\n"), start=1)
        if line.strip(b" \t\r")
    ]
    if len(lines) > MOST_ITEMS:
        raise _too_many()
    return lines


def _too_many() -> ProblemError:
    return ProblemError(
        "batch_invalid",
        f"The batch is too large: the limit is {MOST_ITEMS:,} items. Split it into several.",
    )


@cache
def _array_decoder() -> msgspec.json.Decoder[Any]:
    """Return a decoder that splits an array into its items without decoding them.

    It decodes into a struct with one field per item, because that stops at the first item over the
    limit. Decoding into a list would read the array to its end, however long it is.
    """
    fields = [(f"item_{index}", msgspec.Raw, msgspec.UNSET) for index in range(MOST_ITEMS)]
    items = msgspec.defstruct("Items", fields, array_like=True, forbid_unknown_fields=True)
    return msgspec.json.Decoder(items)
