"""The Dramatiq broker over the store: enqueue, consume, settle."""

from __future__ import annotations
