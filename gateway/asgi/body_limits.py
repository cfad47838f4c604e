"""How long the body of a request may be: by its operation, as the route table has it."""

from __future__ import annotations

from typing import NamedTuple

from gateway.routing.routes import BY_TEMPLATE
from runtime.settings import Settings

SMALL_BYTES = 4096


class BodyLimit(NamedTuple):
    """Most bytes, and the setting that says so; "" if none does."""

    most_bytes: int
    setting: str

    def explain(self) -> str:
        """Return the detail of a refusal."""
        said = f"A request body has at most {self.most_bytes} bytes here"
        return f"{said}; {self.setting} sets that." if self.setting else f"{said}."


class BodyLimits:
    """The limits of one gateway; whoever sends to an unknown path may send a call."""

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
        """Return the limit of the operation that a path template and a method stand for."""
        operation = BY_TEMPLATE.get((template, method))
        return self._call if operation is None else self._by_kind[operation.body]
