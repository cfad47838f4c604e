"""Retry a finished invocation: the same arguments, on the version that serves now."""

from __future__ import annotations

from typing import Unpack

import msgspec

from runtime.invocations.record import Record
from runtime.invocations.submission import CallOptions, RequestParts, Submission, prepare
from runtime.registry.argument_check import check_arguments
from runtime.registry.manifest import Manifest

_tags = msgspec.json.Decoder(tuple[str, ...]).decode


def prepare_retry(
    manifest: Manifest,
    record: Record,
    *,
    max_waiting: int = 0,
    **parts: Unpack[RequestParts],
) -> Submission:
    """Return a submission like the one that created `record`, its callback included.

    `record` must have been read whole. The retry belongs to the first caller, whoever requests it.

    Raises:
        FunctionUnavailableError: No version of the function has ever loaded.
        ArgumentsError: The arguments do not fit the function as it is now.
    """
    check_arguments(manifest, msgspec.json.decode(record.arguments))
    return prepare(
        manifest,
        record.arguments,
        call_options=CallOptions(
            priority=record.priority,
            key=record.key,
            tags=_tags(record.tags),
            callback=record.callback,
            callback_as=record.callback_as,
            call_id=record.call_id,
            timeout_ms=record.timeout_ms,
        ),
        request=record.request or None,
        retry_of=record.id,
        caller=record.caller,
        max_waiting=max_waiting,
        **parts,
    )
