"""The dashboard of a gateway that asks for keys: a real browser logs in, acts, and leaves."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from runtime.registry.manifest import Manifest
from runtime.store import access_commands, function_commands
from tests.support.api_keys import make_key
from tests.support.gateway_process import RunningGateway, closed_gateway
from tests.support.receiver import receiving

HELLO = Manifest(name="hello", version="aaaaaaaaaaaa", file="hello.py")


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("redis")
    with closed_gateway(folder, HELLO) as gateway:
        yield gateway


def log_in(page: Page, text: str) -> None:
    page.get_by_label("API key").fill(text)
    page.get_by_role("button", name="Log in").click()


def test_who_logs_in_goes_on_where_he_wanted_to_and_out_again(
    closed: RunningGateway, own_context: BrowserContext
):
    made = make_key(closed.connection, "ada", "operate")
    page = own_context.new_page()
    page.goto(f"{closed.url}/dashboard/queues")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()

    expect(page.get_by_label("API key")).to_be_focused()
    log_in(page, made.text[:-1])
    expect(page.get_by_role("alert")).to_contain_text("mistyped")
    log_in(page, made.text)

    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    assert page.url == f"{closed.url}/dashboard/queues"
    expect(page.locator("#who")).to_contain_text("ada")
    assert page.evaluate("document.cookie") == ""
    assert made.text not in page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}])"
    )
    [cookie] = own_context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert own_context.cookies() == []
    page.goto(f"{closed.url}/docs")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_what_a_key_may_not_do_is_told_and_a_revoked_one_leads_back_to_the_login(
    closed: RunningGateway, own_context: BrowserContext
):
    made = make_key(closed.connection, "caller", "invoke:hello")
    page = own_context.new_page()
    page.goto(f"{closed.url}/dashboard/login?next=/dashboard/functions/hello")

    log_in(page, made.text)

    expect(page.get_by_role("heading", name="hello").first).to_be_visible()
    expect(page.locator("#who")).to_contain_text("(may invoke)")
    page.get_by_role("link", name="Workers").click()
    expect(page.get_by_role("alert")).to_contain_text("lacks the scope `read`")
    closed.connection.run(access_commands.revoke_key(made.id))
    page.get_by_role("link", name="Functions").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_a_session_that_may_only_read_is_told_that_it_may_not_cancel_many(
    closed: RunningGateway, own_context: BrowserContext
):
    waiting = httpx.post(
        f"{closed.url}/functions/hello?delay=1h", headers=closed.headers, trust_env=False
    ).json()
    seen = f"{closed.url}/invocations/{waiting['id']}"
    page = own_context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{closed.url}/dashboard/login?next=/dashboard/invocations%3Fstatus%3Dscheduled")

    log_in(page, make_key(closed.connection, "onlooker", "read").text)
    page.get_by_role("button", name="Cancel all scheduled").click()
    page.get_by_role("button", name="Cancel 1").click()

    expect(page.locator("#notices")).to_contain_text("lacks the scope `operate`")
    assert httpx.get(seen, headers=closed.headers, trust_env=False).json()["status"] == "scheduled"
    page.get_by_role("button", name="Log out").click()
    page.goto(f"{closed.url}/dashboard/login?next=/dashboard/invocations%3Fstatus%3Dscheduled")
    log_in(page, make_key(closed.connection, "operator", "operate").text)
    page.get_by_role("button", name="Cancel all scheduled").click()
    page.get_by_role("button", name="Cancel 1").click()
    expect(page.locator("#notices")).to_contain_text("1 cancelled")
    assert complaints == []


def test_another_sites_page_cannot_use_the_session(
    closed: RunningGateway, own_context: BrowserContext
):
    made = make_key(closed.connection, "ada", "operate", "invoke:hello")
    page = own_context.new_page()
    page.goto(f"{closed.url}/dashboard/login")
    log_in(page, made.text)
    expect(page.locator("#who")).to_contain_text("ada")
    attack = """async (address) => {
        const options = { method: "POST", mode: "no-cors", credentials: "include" };
        await fetch(address, options);
    }"""

    with receiving() as evil:
        page.goto(evil.url("/ok"))  # another port: the browser does send the cookie
        page.evaluate(attack, f"{closed.url}/functions/hello")
    from_elsewhere = closed.connection.run(function_commands.read_waiting())
    page.goto(f"{closed.url}/dashboard")
    page.evaluate(attack, f"{closed.url}/functions/hello")

    assert from_elsewhere == {}
    assert closed.connection.run(function_commands.read_waiting()) == {"hello": 1}
