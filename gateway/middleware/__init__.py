"""One concern a file, around every request."""

from __future__ import annotations
