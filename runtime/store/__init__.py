"""The only package that speaks Redis: connections, keys, scripts."""

from __future__ import annotations
