"""The parts of a gateway process that follow Redis: manifests, waiting callers, event streams."""

from __future__ import annotations
