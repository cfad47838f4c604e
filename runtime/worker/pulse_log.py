"""The lines about what a worker has looked after: take-overs and expiries."""

from __future__ import annotations

from runtime.store.aftercare_calls import Aftercare
from runtime.telemetry.status_log import Change, tell


def tell_aftercare(care: Aftercare) -> None:
    """Attempts of dead workers went back, or ended; others had waited for too long."""
    taken_over = [
        Change(event="invocation_taken_over", id=id_, status=status)
        for id_, status in care.taken_over
    ]
    expired = [Change(event="invocation_expired", id=id_) for id_ in care.expired]
    tell([*taken_over, *expired])
