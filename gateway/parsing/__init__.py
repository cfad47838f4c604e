"""Parse headers, query and bodies of requests into typed values; faults become problems."""

from __future__ import annotations
