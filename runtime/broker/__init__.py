"""The Dramatiq broker over the store: enqueue, consume, settle."""

from __future__ import annotations

from runtime.broker.broker import PenstockBroker

__all__ = ["PenstockBroker"]
