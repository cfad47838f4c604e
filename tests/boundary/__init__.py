"""The boundary: what comes in from outside, tried from every side."""

from __future__ import annotations
