"""What tests of functions import: `from penstock.testing import call, record`.

It runs a function as Penstock would, without a system: `docs/write-a-function.md` shows how.
Function files do not import it: it needs all that Penstock depends on.
"""

from __future__ import annotations

from runtime.errors import ArgumentsError, LoadError, ResultNotSerializableError
from runtime.testing.call import call
from runtime.testing.notes import Progress
from runtime.testing.record import RecordedCall, record

__all__ = [
    "ArgumentsError",
    "LoadError",
    "Progress",
    "RecordedCall",
    "ResultNotSerializableError",
    "call",
    "record",
]
