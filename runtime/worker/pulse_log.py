"""The lines about what a heartbeat has changed: take-overs and expiries."""

from __future__ import annotations

from runtime.store.invocation_calls import Pulse
from runtime.telemetry.status_log import Change, tell


def tell_pulse(pulse: Pulse) -> None:
    """Attempts of dead workers went back, or ended; others had waited for too long."""
    taken_over = [
        Change(event="invocation_taken_over", id=id_, status=status)
        for id_, status in pulse.taken_over
    ]
    expired = [Change(event="invocation_expired", id=id_) for id_ in pulse.expired]
    tell([*taken_over, *expired])
