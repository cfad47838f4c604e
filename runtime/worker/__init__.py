"""The worker process: boot, the actor, supervision."""

from __future__ import annotations
