"""Falcon's ASGI application, its limits on bodies and its error handlers."""

from __future__ import annotations
