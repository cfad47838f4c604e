"""Webhooks by declaration: whether a request was signed by the sender that a function names."""

from __future__ import annotations
