"""Names that a body has and nobody knows: a few are told, with a hint at what was meant.

Comparing names costs more than anything else that is done with a body, so few are compared.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from itertools import islice

_MOST_NAMES = 50
_MOST_HINTS = 5
_LONGEST_HINTED = 64


def unknown_names(given: Iterable[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the first of the names that are not known, each with a hint or "".

    A hint ends with a space, to stand before a sentence.
    """
    unknown = islice((name for name in given if name not in known), _MOST_NAMES)
    for place, name in enumerate(unknown):
        is_compared = place < _MOST_HINTS and len(name) <= _LONGEST_HINTED
        close = difflib.get_close_matches(name, known, n=1) if is_compared else []
        yield name, f"did you mean {close[0]!r}? " if close else ""
