"""One command of `penstock` a file."""

from __future__ import annotations
