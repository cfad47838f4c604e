"""The worker process: its loop, its heartbeat, its attempts, and its maintenance thread."""

from __future__ import annotations
