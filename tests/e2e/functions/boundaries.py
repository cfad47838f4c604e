"""Functions whose types say more than a JSON Schema can, and results that say too much."""

from __future__ import annotations

import datetime as dt
import enum
import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import (
    AliasPath,
    AwareDatetime,
    BaseModel,
    Discriminator,
    Field,
    PastDate,
    SecretStr,
    StringConstraints,
    Tag,
)

from penstock import Context, Reject, function


class Level(enum.IntEnum):
    """Keys of a dictionary."""

    LOW = 1
    HIGH = 2


class Event(BaseModel):
    """Read by a path."""

    user_id: int = Field(validation_alias=AliasPath("user", "id"))


class Apple(BaseModel):
    """A pie's filling."""

    fruit: Literal["apple"] = "apple"
    minutes: int


class Pumpkin(BaseModel):
    """A pie's filling."""

    filling: Literal["pumpkin"] = "pumpkin"
    minutes: int


class Login(BaseModel):
    """A secret within something else."""

    user: str
    password: SecretStr


class Doc(BaseModel):
    """Bytes within something else."""

    data: bytes = b"\xff\xfe\xfb"


def _kind_of(value: Any) -> str | None:
    return value.get("fruit", value.get("filling")) if isinstance(value, dict) else None


Pie = Annotated[
    Annotated[Apple, Tag("apple")] | Annotated[Pumpkin, Tag("pumpkin")], Discriminator(_kind_of)
]


@function(name="take_wide")
def take_wide(
    name: Annotated[str, Field(pattern=r"^\w+$")] = "a",
    code: Annotated[str, Field(pattern=re.compile(r"^[a-z]{3}$", re.IGNORECASE))] = "eur",
    counts: dict[Level, int] | None = None,
    event: Event | None = None,
    pie: Pie | None = None,
) -> str:
    """Take what the published schema does not know."""
    return f"{name} {code} {counts} {event} {type(pie).__name__}"


@function(name="take_narrow", retries=3)
def take_narrow(
    price: Annotated[Decimal, Field(gt=0)] = Decimal(1),
    at: AwareDatetime | None = None,
    born: PastDate | None = None,
    pause: Annotated[dt.timedelta, Field(le=dt.timedelta(hours=1))] = dt.timedelta(),
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)] = "ab",
    weights: dict[float, str] | None = None,
) -> str:
    """Refuse what the published schema does not know."""
    return f"{price} {at} {born} {pause} {name} {weights}"


@function(name="take_narrow_in_thread", retries=3, isolation="thread")
def take_narrow_in_thread(price: Annotated[Decimal, Field(gt=0)]) -> Decimal:
    """Do the same without a process of its own."""
    return price


@function(name="count_bytes")
def count_bytes(data: Annotated[bytes, Field(min_length=10, max_length=1000)]) -> int:
    """Count what a length limits."""
    return len(data)


@function(name="keep_digits")
def keep_digits(amount: Decimal, more: list[Decimal] | None = None) -> list[Decimal]:
    """Give back the digits."""
    return [amount, *(more or ())]


@function(name="hold_secrets")
def hold_secrets(
    password: SecretStr, login: Login | None = None, keys: list[SecretStr] | None = None
) -> list[str]:
    """Say how long the secrets are and how they begin."""
    secrets = [password, *(keys or ()), *([login.password] if login else ())]
    return [f"{len(s.get_secret_value())}{s.get_secret_value()[:1]}" for s in secrets]


@function(name="hold_secrets_and_fail")
def hold_secrets_and_fail(password: SecretStr) -> None:
    """Fail, without a word about it."""
    raise ValueError(f"not with {password}")


@function(name="refuse_politely")
def refuse_politely() -> None:
    """Reject."""
    raise Reject("not with me")


@function(name="return_docs")
def return_docs():
    """Return bytes at every depth."""
    return {"bare": b"\xff\xfe\xfb", "doc": Doc(), "docs": [Doc()]}


@function(name="return_dict_as_model")
def return_dict_as_model() -> Login:
    """Return a dict that has a secret."""
    return {"user": "ada", "password": "hunter2"}  # type: ignore[return-value]


@function(name="return_text_as_int")
def return_text_as_int() -> int:
    """Return something else than is said."""
    return "five"  # type: ignore[return-value]


@function(name="return_huge_number")
def return_huge_number():
    """Return more digits than are taken."""
    return 10**5000


@function(name="return_one_key_twice")
def return_one_key_twice():
    """Return two keys that are one in JSON."""
    return {1: "a", "1": "b"}


@function(name="emit_one_key_twice")
def emit_one_key_twice(ctx: Context) -> None:
    """Emit two keys that are one in JSON."""
    ctx.emit({1: "a", "1": "b"})
