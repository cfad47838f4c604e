"""What `invoke`, `batch` and `bench` share: arguments, options, rows of a file, progress."""

from __future__ import annotations
