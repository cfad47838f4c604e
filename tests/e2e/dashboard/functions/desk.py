"""Functions for somebody who looks at the dashboard."""

# ruff: noqa: T201, D417 - what they print is part of what is looked at; ctx is no argument

from __future__ import annotations

import asyncio
import base64
import time
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr

from penstock import Context, Reject, Request, Response, function

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@function(name="desk.count")
def count(
    steps: Annotated[int, Field(ge=1, le=100)] = 3,
    pause_s: float = 0.05,
    label: Literal["step", "stage"] = "step",
    loud: bool = False,
    *,
    ctx: Context,
) -> dict[str, Any]:
    """Count slowly, and say so.

    Args:
        steps: How far.
        pause_s: Seconds between steps.
        label: What a step is called.
        loud: Shout.
    """
    for step in range(1, steps + 1):
        ctx.progress(step, steps, f"{label} {step}")
        print(f"{label} {step}".upper() if loud else f"{label} {step}")
        time.sleep(pause_s)
    return {"counted": steps, "large": 9007199254740993}


@function(name="desk.divide")
def divide(dividend: int, divisor: int) -> float:
    """Divide."""
    print(f"dividing {dividend} by {divisor}")
    return dividend / divisor


@function(name="desk.stubborn", retries={"retries": 2, "first": "10ms"})
def stubborn(*, ctx: Context) -> int:
    """Succeed at the third attempt."""
    print(f"try {ctx.attempt}")
    if ctx.attempt < 3:
        raise ConnectionError("not yet")
    return ctx.attempt


@function(name="desk.hook")
def hook(request: Request) -> dict[str, Any]:
    """Take other people's webhooks."""
    if request.headers.get("X-Event") != "paid":
        raise Reject(f"no event of ours: {request.headers.get('X-Event')}")
    return {"signed": "X-Signature" in request.headers, "body": request.text, **request.query}


@function(name="desk.answer", cors=["https://app.example"])
def answer(request: Request) -> Response:
    """Answer requests of many kinds."""
    if request.path == "/markup":
        return Response("<script>window.harmed = 1</script>", media_type="text/html")
    if request.path == "/picture":
        return Response(DOT, media_type="image/png")
    if request.path == "/moved":
        return Response.redirect("/keys")
    seen = {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "sender": request.headers.get("X-Sender"),
        "body": request.text,
    }
    return Response(seen, status=201, headers={"X-Desk": "seen"})


@function(name="desk.signed", verify="github:DESK")
def signed(request: Request) -> str:
    """Take what its sender has signed."""
    return request.text


@function(name="desk.needs")
def needs(file: str) -> str:
    """Succeed once a file is there."""
    return Path(file).read_text()


@function(name="desk.wait", timeout="5m")
def wait(seconds: float = 120) -> None:
    """Wait."""
    time.sleep(seconds)


@function(name="desk.listen", timeout="5m")
async def listen(seconds: float = 1) -> None:
    """Wait beside others."""
    await asyncio.sleep(seconds)


@function(name="desk.fetch", timeout="5m", per_process=20)
def fetch(seconds: float = 1) -> None:
    """Wait in a thread beside others."""
    time.sleep(seconds)


@function(name="desk.near", isolation="thread")
def near() -> None:
    """Run in a thread of the worker."""


@function(name="desk.line", queue="line")
def line(number: int = 0) -> int:
    """Stand in a queue of its own."""
    return number


@function(name="desk.dot")
def dot() -> Annotated[bytes, Field(json_schema_extra={"contentMediaType": "image/png"})]:
    """Return a picture."""
    return DOT


@function(name="desk.feed")
def feed(items: int = 3):
    """Yield."""
    for number in range(items):
        yield {"number": number}
        time.sleep(0.05)


@function(name="desk.hostile")
def hostile(kind: Literal["markup", "long", "deep", "wide", "raise"]) -> Any:
    """Return what nobody should trust."""
    script = "<script>window.harmed = 1</script><img src=x onerror='window.harmed = 1'>"
    print(f"\x1b[31m{script}\u202e")
    if kind == "raise":
        raise ValueError(f"{script}\u202egpj.exe")
    if kind == "long":
        return f"{script}{'a' * 1_000_000}"
    if kind == "wide":
        return list(range(50_000))
    if kind == "deep":
        deep: list[Any] = []
        for _ in range(60):
            deep = [deep]
        return deep
    return {"markup": script, "__proto__": {"harmed": 1}, script: "x", "name": "a\u202egpj.exe"}


class Login(BaseModel):
    """Whom to let in."""

    user: str
    password: SecretStr


@function(name="desk.unlock")
def unlock(
    user: str, password: SecretStr, more: Annotated[list[Login], Field(default_factory=list)]
) -> str:
    """Say what it was given, as nobody should."""
    return f"{password.get_secret_value()}, {len(more)} more"
