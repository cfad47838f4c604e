"""Authorization: API keys, their scopes, and how their texts are written and checked."""

from __future__ import annotations
