"""Everything that runs a function: queue, workers, runners, callbacks, schedules.

Function authors import from `penstock`. The names below are the same ones; `from runtime import …`
is the earlier spelling and keeps working. Only the standard library is loaded here.
"""

from __future__ import annotations

from runtime.sdk.context import Context
from runtime.sdk.decorator import function
from runtime.sdk.exceptions import Reject, Retry
from runtime.sdk.request import Request
from runtime.sdk.response import Response

__all__ = ["Context", "Reject", "Request", "Response", "Retry", "function"]
