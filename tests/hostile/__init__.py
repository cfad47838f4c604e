"""Functions that mean harm, and the boundary they stand at."""

from __future__ import annotations
