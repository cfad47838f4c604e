"""The only package that speaks to Redis: connections, keys, scripts and typed commands."""

from __future__ import annotations
