"""The problem codes that several operations of the route table share."""

from __future__ import annotations

READS = ("store_unavailable",)  # of an operation that asks Redis
WRITES = (*READS, "store_refused")  # of one that changes something there
BODY = ("invalid_json", "unsupported_media_type", "body_too_large")
UNKNOWN = ("invocation_not_found", "invocation_gone")
UNKNOWN_BATCH = ("batch_not_found", "batch_gone")
# How an invocation ends that does not succeed.
FINISHED = (
    *("function_failed", "function_timeout", "rejected", "arguments_invalid"),
    *("invocation_cancelled", "invocation_expired"),
)
# Why a call, a retry or a batch is not accepted.
ADMISSION = (
    *("function_not_found", "function_unavailable", "arguments_invalid", "parameter_invalid"),
    *("idempotency_key_reused", "rate_limited", "queue_full"),
    *WRITES,
)
