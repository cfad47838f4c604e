"""A command in Redis's wire format, packed in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import hiredis

from runtime.store.scripts import Argument


def pack(words: Sequence[Argument]) -> bytes:
    """Return one command as a RESP array of bulk strings."""
    packed: bytes = hiredis.pack_command(cast("Any", tuple(words)))
    return packed
