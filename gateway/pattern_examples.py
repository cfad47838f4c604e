"""A text that a regular expression matches, for examples people can send as they stand.

Walks what the standard library's own parser makes of the pattern, and asks the pattern whether it
worked; a pattern too clever for this has no example.
"""

from __future__ import annotations

import re
import re._constants as words  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Callable, Iterable
from typing import Any

_FAVOURITES = "aA1_- "
_PRINTABLE = [chr(code) for code in range(33, 127)]
_CATEGORIES = {
    words.CATEGORY_DIGIT: r"\d",
    words.CATEGORY_NOT_DIGIT: r"\D",
    words.CATEGORY_WORD: r"\w",
    words.CATEGORY_NOT_WORD: r"\W",
    words.CATEGORY_SPACE: r"\s",
    words.CATEGORY_NOT_SPACE: r"\S",
}
_MOST_MORE = 64
_LONGEST = 1_000


def is_found_in(pattern: str, text: str) -> bool:
    """Whether a pattern, as far as it can be read here, is found in a text."""
    try:
        return re.search(pattern, text) is not None
    except (re.error, RecursionError, OverflowError):
        return False


def text_like(pattern: str, *, shortest: int = 0, longest: int | None = None) -> str | None:
    """Return a text that the pattern is found in, of a length within bounds; None where none is."""
    try:
        tree = parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    most = _LONGEST if longest is None else longest
    for more in range(_MOST_MORE):
        try:
            text = _write(tree, more)
        except (LookupError, RecursionError):
            return None
        text = text.ljust(shortest, "x") if compiled.search(text.ljust(shortest, "x")) else text
        if shortest <= len(text) <= most and compiled.search(text):
            return text
    return None


def _write(tree: Iterable[Any], more: int) -> str:
    """Write one text; where a part may be repeated, so many times `more` than it must."""
    return "".join(_part(kind, value, more) for kind, value in tree)


def _part(kind: Any, value: Any, more: int) -> str:  # noqa: ANN401 - the parser's own
    if kind in _SIGNS:
        return str(_SIGNS[kind](value))
    if kind in _REPEATS:
        least, most, inner = value
        return str(_write(inner, 0)) * min(int(most), int(least) + more, _LONGEST)
    return _write(_INNER[kind](value), more)


def _one_of(members: list[Any]) -> str:
    """Return a sign of a set such as [a-z_] or [^"]."""
    for sign in [*_FAVOURITES, *_PRINTABLE, *_first_of(members)]:
        if _is_in(sign, members):
            return str(sign)
    raise LookupError(members)


def _first_of(members: list[Any]) -> list[str]:
    literals = [chr(value) for kind, value in members if kind is words.LITERAL]
    return literals + [chr(value[0]) for kind, value in members if kind is words.RANGE]


def _is_in(sign: str, members: list[Any]) -> bool:
    is_negated = bool(members) and members[0][0] is words.NEGATE
    return is_negated is not any(_fits(sign, kind, value) for kind, value in members)


def _fits(sign: str, kind: Any, value: Any) -> bool:  # noqa: ANN401 - the parser's own
    if kind is words.LITERAL:
        return bool(ord(sign) == value)
    if kind is words.RANGE:
        return bool(value[0] <= ord(sign) <= value[1])
    if kind is words.CATEGORY:
        return re.fullmatch(_CATEGORIES[value], sign) is not None
    return False


_SIGNS: dict[Any, Callable[[Any], str]] = {
    words.LITERAL: chr,
    words.NOT_LITERAL: lambda value: "a" if value != ord("a") else "b",
    words.ANY: lambda _: "a",
    words.IN: _one_of,
    words.AT: lambda _: "",
    words.ASSERT: lambda _: "",
    words.ASSERT_NOT: lambda _: "",
}
_REPEATS = frozenset({words.MAX_REPEAT, words.MIN_REPEAT, words.POSSESSIVE_REPEAT})
_INNER: dict[Any, Callable[[Any], Iterable[Any]]] = {
    words.SUBPATTERN: lambda value: value[-1],
    words.ATOMIC_GROUP: lambda value: value,
    words.BRANCH: lambda value: value[1][0],
}
