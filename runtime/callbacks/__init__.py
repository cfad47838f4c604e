"""Callbacks: deliver the end of an invocation to its caller's URL, signed and with retries."""

from __future__ import annotations
