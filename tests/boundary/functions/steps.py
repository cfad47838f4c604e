"""A function that yields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field


def steps(most: Annotated[int, Field(ge=0, le=20)] = 3) -> Iterator[int]:
    """Yield the numbers up to `most`."""
    yield from range(most)
