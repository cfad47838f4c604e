"""Build the settlement of an attempt from its outcome, or from a failure to run it at all."""

from __future__ import annotations

import msgspec

from runtime.execution.assignment import Outcome
from runtime.registry.manifest import Manifest
from runtime.store.invocation_commands import FAILURE_TTL_MS, Claimed, Settlement


def settlement_of(claimed: Claimed, manifest: Manifest, outcome: Outcome) -> Settlement:
    """Return the settlement of a run that has ended."""
    result_ttl_ms = int(manifest.options.result_ttl_s * 1000)
    has_failed = outcome.status != "succeeded"
    return Settlement(
        id=claimed.id,
        token=claimed.token,
        status=outcome.status,
        ttl_ms=max(FAILURE_TTL_MS, result_ttl_ms) if has_failed else result_ttl_ms,
        retry_after_ms=outcome.retry_after_ms,
        result_type=outcome.result_type,
        media_type=outcome.media_type,
        result=outcome.result,
        error=outcome.error,
        logs=outcome.logs,
    )


def failed(claimed: Claimed, message: str) -> Settlement:
    """Return the settlement of an attempt that could not be run, without a retry."""
    error = {"type": "exception", "message": message, "traceback": None}
    return Settlement(
        id=claimed.id,
        token=claimed.token,
        status="failed",
        ttl_ms=FAILURE_TTL_MS,
        error=msgspec.json.encode(error),
    )
