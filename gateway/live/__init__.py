"""What a gateway process keeps current by news from Redis: manifests, waiters, event streams."""

from __future__ import annotations
