"""Telling the caller: signing, address guard, delivery."""

from __future__ import annotations
