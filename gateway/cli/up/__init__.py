"""What `penstock up` consists of: checks, the embedded Redis, the supervisor, the log."""

from __future__ import annotations
