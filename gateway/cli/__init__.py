"""The `penstock` command: one command a file."""

from __future__ import annotations
