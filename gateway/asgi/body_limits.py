"""The maximum size of a request body, by the operation in the route table.

`application` compares and refuses.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.routing.routes import BY_TEMPLATE
from runtime.settings import Settings

SMALL_BYTES = 4096


class BodyLimit(NamedTuple):
    """A maximum size in bytes, and the setting that defines it; "" if none does."""

    most_bytes: int
    setting: str

    def explain(self) -> str:
        """Return the detail of a refusal."""
        said = f"The body of this request may have at most {self.most_bytes} bytes"
        return f"{said}; {self.setting} sets this limit." if self.setting else f"{said}."


class BodyLimits:
    """The limits of one gateway; an unknown path has the limit of a call."""

    def __init__(self, settings: Settings) -> None:
        call = BodyLimit(settings.max_body_bytes, "PENSTOCK_MAX_BODY_BYTES")
        batch = BodyLimit(settings.max_batch_bytes, "PENSTOCK_MAX_BATCH_BYTES")
        self._call = call
        self._by_kind = {
            "call": call,
            "batch": batch,
            "small": BodyLimit(min(SMALL_BYTES, call.most_bytes), ""),
        }

    def find(self, template: str, method: str) -> BodyLimit:
        """Return the limit of the operation with this path template and method."""
        operation = BY_TEMPLATE.get((template, method))
        return self._call if operation is None else self._by_kind[operation.body]
