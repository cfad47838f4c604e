"""A function of many types, which takes whatever fits them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from penstock import function


class Place(BaseModel):
    """Where something is."""

    x: float
    y: float
    label: Annotated[str, Field(max_length=20)] = ""


@function(timeout="10s")
def compose(
    text: Annotated[str, Field(min_length=1, max_length=200)],
    count: Annotated[int, Field(ge=0, le=1000)] = 1,
    kind: Literal["plain", "fancy"] = "plain",
    places: Annotated[list[Place], Field(max_length=5)] | None = None,
    moment: datetime | None = None,
    reference: UUID | None = None,
    extra: dict[str, int] | None = None,
    *,
    urgent: bool = False,
) -> dict[str, object]:
    """Return what it was given, counted.

    Args:
        text: Any text.
        count: How many.
        kind: Which kind.
        places: Some places.
        moment: A moment.
        reference: What it refers to.
        extra: Numbers by name.
        urgent: Whether it is.
    """
    return {
        "length": len(text),
        "count": count,
        "kind": kind,
        "places": len(places or []),
        "given": [moment is not None, reference is not None, urgent],
        "extra": len(extra or {}),
    }
