"""Functions of every kind, as authors write them."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from penstock import Context, Reject, Request, Retry, function


class Colour(StrEnum):
    """A choice."""

    RED = "red"


class Order(BaseModel):
    """A model with an alias, which is what callers write."""

    number: int = Field(alias="orderNumber")
    paid_at: datetime | None = None


def _even(value: int) -> int:
    if value % 2:
        raise ValueError("odd")
    return value


@function(name="shout.loud", timeout="5s")
def shout(text: str, times: int = 2) -> str:
    return text.upper() * times


def typed(
    day: date, price: Decimal, raw: bytes, colour: Colour, order: Order, password: SecretStr
) -> list[Any]:
    kinds = [type(each).__name__ for each in (day, price, raw, colour, order, password)]
    return [*kinds, price, raw, order.number, password.get_secret_value()]


def take_even(number: Annotated[int, AfterValidator(_even)]) -> Order:
    return Order(orderNumber=number)


def backwards(content: bytes) -> bytes:
    return content[::-1]


def lie() -> int:
    return "text"  # type: ignore[return-value]


def look(ctx: Context) -> dict[str, Any]:
    return {
        "function": ctx.function,
        "attempt": ctx.attempt,
        "cancelled": ctx.cancelled,
        "remaining": round(ctx.remaining_s),
        "id": ctx.id,
    }


def report(ctx: Context, count: int = 2) -> Iterator[dict[str, int]]:
    for number in range(1, count + 1):
        ctx.progress(number, count, f"at {number}")
        ctx.emit({"raw": b"\0"})
        yield {"number": number}
    if count > 2:
        raise ValueError("too many")


def speak(ctx: Context) -> None:
    print("printed")  # noqa: T201 - what it prints is looked for
    sys.stdout.buffer.write("bytés\n".encode())
    print("to stderr", file=sys.stderr)  # noqa: T201
    ctx.log.info("attempt %d", ctx.attempt)
    logging.getLogger("app").info("logged")
    logging.getLogger("app").debug("not kept")


def receive(request: Request, name: str = "-") -> list[str]:
    return [request.method, request.headers.get("x-event", ""), request.text, name]


def plain_name(request: str, context: int, target: str) -> list[Any]:
    return [request, context, target]


async def wait_for(seconds: float = 0) -> int:
    await asyncio.sleep(seconds)
    return id(asyncio.get_running_loop())


async def stream(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(0)
        yield number


def own_loop() -> str:
    return asyncio.run(asyncio.sleep(0, "ran"))


def fail(how: str) -> None:
    if how == "retry":
        raise Retry("busy", after="5m")
    if how == "reject":
        raise Reject("never")
    if how == "exit":
        sys.exit(3)
    raise KeyError(how)
