"""A command in Redis's wire format, packed in C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hiredis

from runtime.store.scripts import Argument

_pack: Any = hiredis.pack_command


def pack(words: Sequence[Argument]) -> bytes:
    """Return one command as a RESP array of bulk strings."""
    packed: bytes = _pack(words if type(words) is tuple else tuple(words))
    return packed
