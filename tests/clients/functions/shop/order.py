"""A function of many types, in a folder of its own."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field


class Size(StrEnum):
    """How large a parcel is."""

    SMALL = "small"
    LARGE = "large"


class Item(BaseModel):
    """What is ordered."""

    name: Annotated[str, Field(min_length=1)]
    count: Annotated[int, Field(gt=0)] = 1


class Parcel(BaseModel):
    """What is sent."""

    size: Size
    items: list[Item]
    due: date | None


def order(
    items: list[Item], due: date | None = None, speed: Literal["slow", "fast"] = "slow"
) -> Parcel:
    """Pack what is ordered.

    Args:
        items: What is ordered.
        due: The day on which it is wanted.
        speed: How it is sent.
    """
    size = Size.SMALL if len(items) == 1 and speed == "fast" else Size.LARGE
    return Parcel(size=size, items=items, due=due)
