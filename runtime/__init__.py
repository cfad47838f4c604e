"""What a function author imports: `from runtime import Context, Reject, Request, Retry, function`.

Nothing heavy is loaded here; everything behind these names is standard library.
"""

from __future__ import annotations

from runtime.sdk.context import Context
from runtime.sdk.decorator import function
from runtime.sdk.exceptions import Reject, Retry
from runtime.sdk.request import Request

__all__ = ["Context", "Reject", "Request", "Retry", "function"]
