"""The HTTP API as the commands call it."""

from __future__ import annotations
