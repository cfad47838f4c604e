"""What processes tell of themselves while they run: status lines and traces."""

from __future__ import annotations
