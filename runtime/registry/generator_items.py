"""The items that a generator yields: each is serialised once, reported at once, and kept.

`LoadedFunction` uses it for generators and async generators. The result is the list of the items,
or what the generator returned if that is not None. All items together may be no longer than a
result.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator
from contextlib import aclosing, closing
from typing import Any, cast

from runtime.errors import ResultTooLargeError
from runtime.json_shape import DEEPEST
from runtime.registry.results import Produced, encode_json
from runtime.registry.return_type import ReturnType

SendItem = Callable[[bytes], None]
_BRACKETS = 2


class Items:
    """The items of one call.

    Args:
        returns: The declared type of an item; None for any value.
        report: Called with each item's JSON when it is yielded.
        most_bytes: Longest JSON of all items together; None for no limit.
    """

    def __init__(
        self, *, returns: ReturnType | None, report: SendItem, most_bytes: int | None
    ) -> None:
        self._returns = returns
        self._report = report
        self._most_bytes = most_bytes
        self._items: list[bytes] = []
        self._size = _BRACKETS - 1  # `_add` counts a comma for each item, one too many

    def run(self, generator: Generator[Any, None, Any]) -> object:
        """Run a generator to its end and return what it returned."""
        with closing(generator):
            while True:
                try:
                    value = next(generator)
                except StopIteration as end:
                    return cast("object", end.value)
                self._add(value)

    async def collect(self, generator: AsyncIterator[Any]) -> None:
        """Run an async generator to its end."""
        async with aclosing(cast("Any", generator)):
            async for value in generator:
                self._add(value)

    def produced(self) -> Produced:
        """Return the list of the items as a result."""
        return Produced(
            result=b"[%b]" % b",".join(self._items),
            result_type="json",
            media_type="application/json",
        )

    def _add(self, value: object) -> None:
        place = f"result[{len(self._items)}]"
        data = encode_json(value, returns=self._returns, name=place, deepest=DEEPEST - 1)
        self._size += len(data) + 1
        if self._most_bytes is not None and self._size > self._most_bytes:
            raise ResultTooLargeError(
                f"{len(self._items) + 1} items have {self._size} bytes; "
                f"at most {self._most_bytes} are kept"
            )
        self._items.append(data)
        self._report(data)
