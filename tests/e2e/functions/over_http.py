"""Functions that are called by HTTP without an envelope."""

from __future__ import annotations

import asyncio
from typing import Any

from penstock import Request, Response, function


@function(methods=["GET", "POST"])
def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


@function
def mirror(request: Request) -> Response | dict[str, Any]:  # noqa: PLR0911 - a branch for each path
    """Answer with the request, or with what its path names."""
    if request.path == "/teapot":
        headers = {"X-Pot": "tea", "Set-Cookie": ["a=1", "penstock_session=stolen", "b=2"]}
        return Response("short and stout", status=418, headers=headers)
    if request.path == "/forged":
        forged = {
            "content-type": "text/xml",
            "Host": "evil.internal",
            "X-Call-Id": "fake",
            "Webhook-Id": "fake",
            "webhook-signature": "v1,fake",
            "X-Named": "é",
            "Set-Cookie": "=penstock_session=evil",
            "Cache-Control": "max-age=60",
            "Access-Control-Allow-Origin": "*",
            "Clear-Site-Data": '"*"',
            "Link": ["<a>", "<b>"],
        }
        return Response("<a/>", headers=forged)
    if request.path == "/moved":
        return Response.redirect("https://example.com/there")
    if request.path == "/empty":
        return Response(status=204)
    if request.path == "/page":
        return Response("<script>1</script>", media_type="text/html")
    if request.path == "/sms":
        said = request.form()["Body"]
        return Response(f"<Response><Message>{said}</Message></Response>", media_type="text/xml")
    if request.path == "/challenge":
        given = request.query.get("hub.challenge") or request.json()["challenge"]
        return Response(str(given))
    return {
        "method": request.method,
        "path": request.path,
        "url": request.url,
        "query": dict(request.query),
        "headers": dict(request.headers),
        "cookies": request.cookies,
        "body": request.text,
    }


@function
def banner(text: str) -> str:
    """Frame a text."""
    return f"* {text} *"


@function
def flip(data: bytes) -> bytes:
    """Turn bytes around."""
    return data[::-1]


@function
def fails_plainly() -> None:
    """Fail."""
    raise ValueError("no\nway")


@function(timeout="30s")
async def dawdle(seconds: float = 5) -> str:
    """Take a while."""
    await asyncio.sleep(seconds)
    return "done"
