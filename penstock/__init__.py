"""What function authors import: `from penstock import Context, Response, function` and so on.

It loads nothing but the standard library. `runtime` and `gateway` are how Penstock is made; no
function needs to import them (`from runtime import …`, the earlier spelling, keeps working).
"""

from __future__ import annotations

from runtime.sdk.context import Context
from runtime.sdk.decorator import function
from runtime.sdk.exceptions import Reject, Retry
from runtime.sdk.request import Request
from runtime.sdk.response import Response

__all__ = ["Context", "Reject", "Request", "Response", "Retry", "function"]
