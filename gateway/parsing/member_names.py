"""What is wrong with the members of a body, each named by a JSON pointer.

Names that nobody knows are told with a hint at what was meant. Comparing names costs more than
anything else that is done with a body, so few are compared.
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
    """Return what is wrong with a member of the body."""
    pointer = "/" + name[:_LONGEST_HINTED].replace("~", "~0").replace("/", "~1")
    return ArgumentFault(pointer=pointer, detail=detail)


def unknown_members(
    given: Iterable[str], known: Collection[str], reasons: Mapping[str, str] | None = None
) -> list[ArgumentFault]:
    """Return a fault for each of the first members that are not known.

    Args:
        given: The members of the body.
        known: Those it may have.
        reasons: What to say of names that a reader may expect here.
    """
    faults = []
    unknown = islice((name for name in given if name not in known), _MOST_NAMES)
    for place, name in enumerate(unknown):
        is_compared = place < _MOST_HINTS and len(name) <= _LONGEST_HINTED
        close = difflib.get_close_matches(name, known, n=1) if is_compared else []
        hint = f"did you mean {close[0]!r}? " if close else ""
        usual = f"is unknown; {hint}It takes: {', '.join(known)}"
        faults.append(fault_at(name, (reasons or {}).get(name, usual)))
    return faults
