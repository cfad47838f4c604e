"""Retry a finished invocation: the same arguments, on the version that serves now."""

from __future__ import annotations

import msgspec

from runtime.invocations.record import Record
from runtime.invocations.submission import CallOptions, Submission, prepare
from runtime.registry.argument_check import check_arguments
from runtime.registry.manifest import Manifest
from runtime.store.submission_commands import Idempotency, Pace
from runtime.telemetry.trace_context import TraceContext

_tags = msgspec.json.Decoder(tuple[str, ...]).decode


def prepare_retry(  # noqa: PLR0913 - the parts of a submission
    manifest: Manifest,
    record: Record,
    *,
    waiter: str | None = None,
    is_only_retry: bool = False,
    max_waiting: int = 0,
    idempotency: Idempotency | None = None,
    trace: TraceContext | None = None,
    pace: Pace | None = None,
    api_key: str = "",
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
        ),
        idempotency=idempotency,
        trace=trace,
        request=record.request or None,
        waiter=waiter,
        retry_of=record.id,
        is_only_retry=is_only_retry,
        max_waiting=max_waiting,
        pace=pace,
        caller=record.caller,
        api_key=api_key,
    )
