"""Pages of other origins in a real browser: they call functions where CORS lets them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext

from tests.support.receiver import receiving
from tests.support.system import System
from tests.support.waiting import eventually

# Runs in the page. What the browser keeps from it is an exception, shown as "kept".
CALL = """async ([url, method, body, headers, credentials]) => {
  try {
    const answer = await fetch(url, {method, headers, credentials, body: body ?? undefined});
    const text = await answer.text();
    const read = name => answer.headers.get(name);
    return {status: answer.status, text, call: read("X-Call-Id"), where: read("Location"),
            unnamed: read("X-Content-Type-Options")};
  } catch (error) { return "kept"; }
}"""
FOLLOW = """url => new Promise(resolve => {
  const seen = [];
  const events = new EventSource(url);
  const note = event => {
    seen.push(event.type);
    if (event.type === "end" || event.type === "error") { events.close(); resolve(seen); }
  };
  for (const type of ["status", "log", "end", "error"]) events.addEventListener(type, note);
})"""
ASKED = {"Content-Type": "application/json", "Prefer": "wait=10"}
Run = Callable[..., Any]


@pytest.fixture
def run(own_context: BrowserContext) -> Run:
    """Run a script in a page of the address given, and return what it returns."""

    def run(address: str, script: str, argument: Any) -> Any:
        page = own_context.new_page()
        page.goto(address)
        return page.evaluate(script, argument)

    return run


@pytest.fixture
def other_page() -> Iterator[str]:
    with receiving() as server:
        yield server.url("/ok")


@pytest.fixture
def key(desk: System) -> Iterator[dict[str, str]]:
    made = desk.http.post("/keys", json={"name": "page", "scopes": ["invoke:*"]}).json()
    yield {"Authorization": f"Bearer {made['key']}"}
    desk.http.delete(f"/keys/{made['id']}")


def call(
    desk: System, function: str, headers: dict[str, str], credentials: str = "same-origin"
) -> list[Any]:
    url = f"{desk.base_url}/functions/{function}"
    return [url, "POST", '{"dividend": 6, "divisor": 3}', ASKED | headers, credentials]


def test_a_listed_page_calls_with_a_key_reads_and_follows(desk, run, key, listed_page):
    answer = run(listed_page, CALL, call(desk, "desk.divide", key))
    refused = run(listed_page, CALL, call(desk, "desk.nothing", key))
    events = run(listed_page, FOLLOW, f"{desk.base_url}{answer['where']}/events")

    assert (answer["status"], '"result":2.0' in answer["text"]) == (200, True)
    assert answer["where"] == f"/invocations/{answer['call']}"
    assert answer["unnamed"] == "nosniff"
    assert (refused["status"], "function_not_found" in refused["text"]) == (404, True)
    assert events[0] == "status"
    assert {"log", "end"} <= set(events)


def test_a_page_that_nobody_lists_gets_nothing_through(desk, run, key, other_page):
    counted = desk.http.get("/functions/desk.divide").json()["stats"]

    with_key = run(other_page, CALL, call(desk, "desk.divide", key))
    simple = [f"{desk.base_url}/functions/desk.divide", "POST", "{}", {}, "omit"]
    unasked = run(other_page, CALL, simple)
    looked = run(other_page, CALL, [f"{desk.base_url}/invocations", "GET", None, {}, "omit"])

    assert (with_key, unasked, looked) == ("kept", "kept", "kept")
    assert desk.http.get("/functions/desk.divide").json()["stats"] == counted


def test_a_function_lists_its_own_pages(desk, run, other_page):
    origin = other_page.removesuffix("/ok")
    file = desk.write(
        "paging",
        f"""
        from penstock import function

        @function(cors=[{origin!r}])
        def paging(dividend: int, divisor: int) -> int:
            print("paged")
            return dividend // divisor
        """,
    )
    try:
        eventually(lambda: desk.http.get("/functions/paging").json().get("version"), within_s=20)
        answer = run(other_page, CALL, call(desk, "paging", {}))
        shown = run(other_page, CALL, [desk.base_url + answer["where"], "GET", None, {}, "omit"])
        events = run(other_page, FOLLOW, f"{desk.base_url}{answer['where']}/events")
        elsewhere = run(other_page, CALL, call(desk, "desk.divide", {}))
    finally:
        file.unlink()
        eventually(
            lambda: httpx.get(f"{desk.base_url}/functions/paging").status_code == 404, within_s=20
        )

    assert (answer["status"], shown["status"]) == (200, 200)
    assert events[-1] == "end"
    assert elsewhere == "kept"


def test_cookies_of_the_gateway_are_of_no_use_to_a_listed_page(desk, run, listed_page):
    counted = desk.http.get("/functions/desk.divide").json()["stats"]

    answer = run(listed_page, CALL, call(desk, "desk.divide", {}, credentials="include"))

    assert answer == "kept"
    assert desk.http.get("/functions/desk.divide").json()["stats"] == counted
