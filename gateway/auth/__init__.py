"""Who calls, and what they may do: API keys, sessions, scopes."""

from __future__ import annotations
