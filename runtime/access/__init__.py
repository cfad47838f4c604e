"""Who may do what: API keys, what they may, and how their texts are written and checked."""

from __future__ import annotations
