"""RESP, the wire protocol of Redis: pack commands, and map error replies to StoreErrors.

Every connection uses it. Packing and parsing are done in C, by hiredis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import hiredis

from runtime.errors import StoreError, StoreRefusedError, StoreUnavailableError
from runtime.store.scripts import Argument

_pack: Any = hiredis.pack_command


def pack(words: Sequence[Argument]) -> bytes:
    """Return one command as a RESP array of bulk strings."""
    packed: bytes = _pack(words if type(words) is tuple else tuple(words))
    return packed


# The server cannot serve us now: it is loading, failing over, or refuses the login.
_AWAY = ("LOADING", "BUSY", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "NOAUTH", "WRONGPASS")
# The server refuses writes.
_REFUSED = ("OOM", "MISCONF", "READONLY", "NOREPLICAS")


class NoScriptError(StoreError):
    """Redis does not have the script; nothing was run."""


def failure_of(text: str) -> StoreError:
    """Return the StoreError for an error reply of Redis.

    Scripts wrap the inner error ("ERR Error running script … -OOM …" before Redis 7), so the words
    are searched anywhere in the text.
    """
    first = text.split(" ", 1)[0]
    if first == "NOSCRIPT":
        return NoScriptError(text)
    if first in _REFUSED or any(f"-{word}" in text or f"{word} " in text for word in _REFUSED):
        return StoreRefusedError(text)
    if first in _AWAY:
        return StoreUnavailableError(text)
    return StoreError(text)


def is_demotion(reply: object) -> bool:
    """Return whether the reply shows that the server is now a replica, so another is the master."""
    return isinstance(reply, StoreRefusedError) and "READONLY" in str(reply)
