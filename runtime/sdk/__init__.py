"""What a function author uses; standard library only."""

from __future__ import annotations
