"""Make a text that a regular expression matches, for examples that people can send unchanged.

It follows the pattern as parsed by the standard library and then tests the text against it. A
pattern that is too complex gets no example. Function authors write the patterns, so the time must
be bounded: texts are at most 1,000 characters, and much shorter if the pattern can backtrack.
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
_SHORT = 16
# Search starts at every character and multiplies with every choice of the pattern: (number of
# choices, maximum length of the text).
_BY_CHOICES = ((1, _LONGEST), (2, 200), (3, 60), (4, 30))


def is_found_in(pattern: str, text: str) -> bool:
    """Whether a pattern matches somewhere in a text; False if the pattern is invalid here."""
    try:
        return re.search(pattern, text) is not None
    except (re.error, RecursionError, OverflowError):
        return False


def text_like(pattern: str, *, shortest: int = 0, longest: int | None = None) -> str | None:
    """Return a text of a length within bounds that the pattern matches; None if none is found."""
    try:
        tree = parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return None
    most = min(_longest_searched(tree), _LONGEST if longest is None else longest)
    if shortest > most:
        return None
    for more in range(_MOST_MORE):
        try:
            text = _write(tree, more)
        except (LookupError, RecursionError):
            return None
        if len(text) > most:
            return None
        for long_enough in (text.ljust(shortest, "x"), text):
            if len(long_enough) >= shortest and compiled.search(long_enough):
                return long_enough
    return None


def _longest_searched(tree: Iterable[Any]) -> int:
    """Return the maximum length of a text that a pattern can search within milliseconds."""
    choices = list(_choices(tree, is_repeated=False))
    if any(choices):
        return _SHORT
    return next((length for count, length in _BY_CHOICES if len(choices) <= count), _SHORT)


def _choices(tree: Iterable[Any], *, is_repeated: bool) -> Iterable[bool]:
    """Yield, for each part that can match in several ways, whether it is inside a repetition."""
    for kind, value in tree:
        if kind in _REPEATS:
            least, most, inner = value
            if least != most:
                yield is_repeated
            yield from _choices(inner, is_repeated=is_repeated or most > 1)
        elif kind is words.BRANCH:
            yield is_repeated
            for branch in value[1]:
                yield from _choices(branch, is_repeated=is_repeated)
        elif kind in _INNER:
            yield from _choices(_INNER[kind](value), is_repeated=is_repeated)
        elif kind in (words.ASSERT, words.ASSERT_NOT):
            yield from _choices(value[1], is_repeated=is_repeated)


def _write(tree: Iterable[Any], more: int) -> str:
    """Write one text; repeat each repeatable part `more` times beyond its minimum."""
    return "".join(_part(kind, value, more) for kind, value in tree)


def _part(kind: Any, value: Any, more: int) -> str:  # noqa: ANN401 - types of `re._parser`
    if kind in _SIGNS:
        return str(_SIGNS[kind](value))
    if kind in _REPEATS:
        least, most, inner = value
        text, times = _write(inner, 0), min(int(most), int(least) + more)
        if len(text) * times > _LONGEST:
            raise LookupError(times)
        return text * times
    return _write(_INNER[kind](value), more)


def _one_of(members: list[Any]) -> str:
    """Return a character of a set such as [a-z_] or [^"]."""
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


def _fits(sign: str, kind: Any, value: Any) -> bool:  # noqa: ANN401 - types of `re._parser`
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
