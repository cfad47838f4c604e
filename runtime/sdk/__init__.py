"""The interface for function authors; imports only the standard library."""

from __future__ import annotations
