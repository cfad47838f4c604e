"""The commands of `penstock`, one per file."""

from __future__ import annotations
