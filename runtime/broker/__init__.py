"""The Dramatiq broker on Redis, and the parts of a worker that claim, track and settle attempts."""

from __future__ import annotations

from runtime.broker.broker import PenstockBroker

__all__ = ["PenstockBroker"]
