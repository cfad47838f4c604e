"""HTTP and the command line over the runtime: no business rule, no state, no user code."""

from __future__ import annotations
