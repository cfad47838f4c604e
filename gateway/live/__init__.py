"""What messages from Redis keep current in a gateway process: manifests, waiters, event streams."""

from __future__ import annotations
