"""A call packed once, but for the two words that differ from use to use.

For what is on the way of every request: to gather and pack some thirty words anew costs
more than all else that it takes to send them. Made from an ordinary call, in which marks
stand where the words will be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from runtime.store.keys import Keys
from runtime.store.line import command_words
from runtime.store.packing import pack
from runtime.store.scripts import Argument, Call

T = TypeVar("T")


class CallTemplate(Generic[T]):
    """Packs one call with ever other words in the places of its marks.

    Args:
        call: Each mark is one of its words, once.
        marks: In the order in which they stand there.
        keys: The partition it runs on.

    Attributes:
        parse: Reads the reply.
    """

    def __init__(self, call: Call[T], marks: tuple[Argument, Argument], keys: Keys) -> None:
        self.parse: Callable[[Any], T] = call.parse
        self._format = _format_of(command_words(call, keys), marks)
        self._whole = _format_of(command_words(call, keys, whole=True), marks)

    def fill(self, first: bytes, second: bytes) -> bytes:
        """Return the command with two words in the places of the marks."""
        return self._format % (len(first), first, len(second), second)

    def fill_whole(self, first: bytes, second: bytes) -> bytes:
        """Return the same with the script's source, for a Redis that does not hold it."""
        return self._whole % (len(first), first, len(second), second)


def _format_of(words: tuple[Argument, ...], marks: tuple[Argument, Argument]) -> bytes:
    places = [words.index(mark) for mark in marks]
    if places != sorted(places):
        raise ValueError("the marks stand in another order than they are given")
    pieces = [b"*%d\r\n" % len(words)]
    for place, word in enumerate(words):
        if place in places:
            pieces.append(b"$%d\r\n%b\r\n")
        else:
            pieces.append(pack((word,)).removeprefix(b"*1\r\n").replace(b"%", b"%%"))
    return b"".join(pieces)
