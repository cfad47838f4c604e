"""What can be imported, and what that loads; the two clients offer the same."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import unquote

import httpx
import pytest

import penstock.client
from penstock.client import async_client, sync_client
from runtime.settings import read_environment

SERVER = {
    *("falcon", "dramatiq", "redis", "hiredis", "pydantic", "msgspec", "structlog", "gunicorn"),
    *("gateway", "runtime.settings", "runtime.store", "runtime.worker", "runtime.broker"),
    *("typer", "jsonschema_rs"),  # rich is loaded by httpx, where it is installed
}
LOADS = {
    "from penstock.client import AsyncClient, Client": SERVER,
    "from penstock.client.event_stream import parse_events": SERVER | {"httpx", "httpcore"},
    "import penstock": SERVER | {"httpx", "httpcore", "penstock.client"},
}


@pytest.mark.parametrize("statement", LOADS)
def test_importing_does_not_load_the_server(statement: str):
    reported = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"],
        env=read_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )

    assert LOADS[statement] & set(reported.stdout.split()) == set()


def test_everything_that_is_offered_is_there():
    assert [name for name in penstock.client.__all__ if not hasattr(penstock.client, name)] == []
    assert not hasattr(penstock.client, "Clien")


def public(kind: type) -> Iterator[tuple[str, object]]:
    for name, member in inspect.getmembers(kind):
        if name.startswith("_"):
            continue
        is_called = inspect.isfunction(member)
        names = tuple(inspect.signature(member).parameters.values()) if is_called else ()
        yield name, tuple((one.name, one.kind, one.default) for one in names)


@pytest.mark.parametrize("name", ["Client", "Calls", "Invocation", "Batch"])
def test_both_clients_offer_the_same(name: str):
    blocking, awaited = getattr(sync_client, name), getattr(async_client, f"Async{name}")

    assert dict(public(blocking)) == dict(public(awaited))
    assert inspect.getdoc(blocking.__init__) == inspect.getdoc(awaited.__init__)


@pytest.mark.parametrize("url", ["ftp://a", "localhost:8000", "", "http://"])
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(ValueError, match="http://host:port"):
        penstock.client.Client(url)


def test_a_key_that_no_header_can_carry_is_refused():
    with pytest.raises(ValueError, match="the API key takes printable ASCII"):
        penstock.client.Client("http://a", "pk_é")


def greet(request: httpx.Request) -> httpx.Response:
    """Answer as a system behind a proxy at `/base` that knows one key."""
    if request.headers.get("Authorization") != "Bearer pk_right":
        return httpx.Response(401, json={"code": "unauthenticated", "status": 401})
    assert request.url.raw_path == b"/base/functions/greet"
    return httpx.Response(200, json={"id": "one", "status": "succeeded", "result": "Hello!"})


def test_the_environment_names_the_system_and_the_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PENSTOCK_URL", "http://named:1/base/")
    monkeypatch.setenv("PENSTOCK_KEY", "pk_right")

    async def awaited() -> object:
        async with httpx.AsyncClient(transport=httpx.MockTransport(greet)) as http:
            return await penstock.client.AsyncClient(http=http).call("greet")

    with httpx.Client(transport=httpx.MockTransport(greet)) as http:
        assert penstock.client.Client(http=http).call("greet") == "Hello!"
        with pytest.raises(penstock.client.UnauthenticatedError):
            penstock.client.Client(key="", http=http).call("greet")
    assert asyncio.run(awaited()) == "Hello!"


@pytest.mark.parametrize("name", [".", "..", "../keys", "a/./b", "a?b#c"])
def test_a_name_is_one_part_of_the_path(name: str):
    asked: list[bytes] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(404, json={"code": "function_not_found", "status": 404})

    with (
        httpx.Client(transport=httpx.MockTransport(note)) as http,
        pytest.raises(penstock.client.FunctionNotFoundError),
    ):
        penstock.client.Client("http://a/base", http=http).call(name)

    before, after = asked[0].decode().split("/functions/")
    assert (before, unquote(after), "/" in after) == ("/base", name, False)


def test_a_redirect_is_not_followed():
    def move(request: httpx.Request) -> httpx.Response:
        assert request.method == "POST"
        return httpx.Response(301, headers={"Location": "https://elsewhere"})

    with (
        httpx.Client(transport=httpx.MockTransport(move), follow_redirects=True) as http,
        pytest.raises(penstock.client.ProblemError) as caught,
    ):
        penstock.client.Client("http://a", http=http).call("greet")

    assert caught.value.status == 301
