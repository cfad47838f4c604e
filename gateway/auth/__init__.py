"""Authentication and authorization: API keys, sessions, scopes and the CSRF check."""

from __future__ import annotations
