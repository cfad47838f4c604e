"""Child processes forked from a warmed parent, and the frames between."""

from __future__ import annotations
