"""The HTTP gateway and the command line: no business rules, no user code; Redis holds all state."""

from __future__ import annotations
