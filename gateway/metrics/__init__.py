"""The exposition of `/metrics`, and the table of its metrics."""

from __future__ import annotations
