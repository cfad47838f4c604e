"""One call of a function: its record, statuses, submission and view."""

from __future__ import annotations
