"""The error of an attempt as its record keeps it, for logs, spans and Dramatiq's middleware."""

from __future__ import annotations

import msgspec


class Failure(msgspec.Struct):
    """Why an attempt failed; `type` is `error.type` of the invocation."""

    type: str = "exception"
    message: str = ""
    exception_type: str | None = None
    traceback: str | None = None


read_failure = msgspec.json.Decoder(Failure).decode
