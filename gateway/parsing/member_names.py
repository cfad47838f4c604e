"""Faults of the members of a JSON body, each with a JSON pointer.

An unknown name gets a hint at a similar known name. Comparing names is the most expensive step of
reading a body, so only the first few are compared.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from runtime.errors import ArgumentFault

_MOST_NAMES = 50
_MOST_HINTS = 5
_LONGEST_HINTED = 64


def fault_at(name: str, detail: str) -> ArgumentFault:
    """Return a fault of a top-level member of the body."""
    pointer = "/" + name[:_LONGEST_HINTED].replace("~", "~0").replace("/", "~1")
    return ArgumentFault(pointer=pointer, detail=detail)


def unknown_members(
    given: Iterable[str], known: Collection[str], reasons: Mapping[str, str] | None = None
) -> list[ArgumentFault]:
    """Return a fault for each unknown member, at most the first 50.

    Args:
        given: The names of the members of the body.
        known: The names that it may have.
        reasons: The details for unknown names that callers may expect to work.
    """
    faults = []
    unknown = islice((name for name in given if name not in known), _MOST_NAMES)
    for place, name in enumerate(unknown):
        is_compared = place < _MOST_HINTS and len(name) <= _LONGEST_HINTED
        close = difflib.get_close_matches(name, known, n=1) if is_compared else []
        hint = f"did you mean {close[0]!r}? " if close else ""
        usual = f"is unknown; {hint}Known members: {', '.join(known)}"
        faults.append(fault_at(name, (reasons or {}).get(name, usual)))
    return faults
