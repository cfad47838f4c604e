"""What `invoke` and `batch` share: arguments, options, rows, progress."""

from __future__ import annotations
