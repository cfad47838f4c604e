"""Clients for the commands: the HTTP API, event streams, lists, and API keys."""

from __future__ import annotations
