"""Sessions of browsers, and the door: no script reads the cookie, no other site can use it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from runtime.store import access_commands
from tests.e2e.gateway.conftest import GREET
from tests.support.api_keys import make_key
from tests.support.gateway_process import RunningGateway, closed_gateway

CALL = {"name": "Ada"}
WRONG = "pk_000000000000_" + "0" * 49


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    folder = tmp_path_factory.mktemp("redis")
    with closed_gateway(folder, GREET) as gateway:
        yield gateway


@pytest.fixture
def browser(closed: RunningGateway) -> Iterator[httpx.Client]:
    """Something that keeps cookies and says where its requests come from, as browsers do."""
    headers = {"Origin": closed.url}
    with httpx.Client(base_url=closed.url, headers=headers, timeout=20, trust_env=False) as http:
        yield http


def test_a_login_gives_a_session_and_leaving_ends_it(closed: RunningGateway, browser: httpx.Client):
    made = make_key(closed.connection, "ada", "operate", "invoke:greet")

    before = browser.get("/session")
    login = browser.post("/session", json={"key": made.text})
    who = browser.get("/session").json()
    called = browser.post("/functions/greet", json=CALL)
    stolen = dict(browser.cookies)
    left = browser.delete("/session")
    after = httpx.get(f"{closed.url}/session", cookies=stolen)

    assert before.status_code == 401
    [cookie] = login.headers.get_list("set-cookie")
    assert "HttpOnly; SameSite=Strict" in cookie
    assert "Secure" not in cookie
    assert made.text not in login.text + str(login.headers)
    assert (who["name"], who["session"], who["operates"]) == ("ada", True, True)
    assert (called.status_code, called.json()["caller"]) == (202, "ada")
    assert left.status_code == 204
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert after.status_code == 401


def test_over_tls_the_cookie_stays_there(closed: RunningGateway, browser: httpx.Client):
    made = make_key(closed.connection, "ada", "read")

    login = browser.post(
        "/session", json={"key": made.text}, headers={"X-Forwarded-Proto": "https"}
    )

    assert login.headers["set-cookie"].endswith("; Secure")


def test_a_session_ends_with_its_key_and_a_wrong_key_begins_none(
    closed: RunningGateway, browser: httpx.Client
):
    made = make_key(closed.connection, "ada", "read")

    wrong = browser.post("/session", json={"key": made.text[:-1]})
    browser.post("/session", json={"key": made.text})
    during = browser.get("/queues").status_code
    closed.connection.run(access_commands.revoke_key(made.id))

    assert wrong.status_code == 401
    assert "set-cookie" not in wrong.headers
    assert during == 200
    assert browser.get("/queues").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({}, 403),  # a cookie, and no word of where from
        ({"Sec-Fetch-Site": "same-origin"}, 202),
    ],
)
def test_another_site_can_do_nothing_with_a_session(closed: RunningGateway, headers, status):
    made = make_key(closed.connection, "ada", "invoke:greet")
    login = httpx.post(f"{closed.url}/session", json={"key": made.text})
    cookies = dict(login.cookies)

    answer = httpx.post(
        f"{closed.url}/functions/greet", json=CALL, cookies=cookies, headers=headers
    )

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "cross_site_refused"


@pytest.mark.parametrize("path", ["/functions/hook", "/session", "/queues/default/invocations"])
def test_another_site_can_do_nothing_on_an_open_gateway_either(gateway: RunningGateway, path: str):
    method = "DELETE" if path.startswith("/queues") else "POST"
    from_evil = {"Origin": "https://evil.example"}

    refused = httpx.request(method, gateway.url + path, headers=from_evil)
    with_password = httpx.request(
        method,
        gateway.url + path,
        headers=from_evil,
        auth=("x", make_key(gateway.connection, "a", "admin").text),
    )

    assert {answer.json()["code"] for answer in (refused, with_password)} == {"cross_site_refused"}


def test_an_old_cookie_does_not_shut_anybody_out_of_an_open_gateway(gateway: RunningGateway):
    cookies = {"penstock_session": "ps_" + "0" * 43}

    assert httpx.get(f"{gateway.url}/queues", cookies=cookies).status_code == 200


def test_an_open_gateway_still_checks_a_key_that_is_shown(gateway: RunningGateway):
    made = make_key(gateway.connection, "shop", "invoke:greet")

    def listed(**headers: str) -> int:
        return httpx.get(f"{gateway.url}/queues", headers=headers).status_code

    assert listed() == 200
    assert listed(Authorization=f"Bearer {WRONG}") == 401
    assert listed(**made.headers) == 403
    assert listed(Authorization="Basic bWU6b3RoZXI=") == 200
    assert httpx.get(f"{gateway.url}/session").json()["open"] is True


def test_many_wrong_keys_from_one_address_have_to_wait_and_known_ones_do_not(
    closed: RunningGateway,
):
    """Last here: strangers of this address are not welcome for a minute."""
    with httpx.Client(base_url=closed.url, timeout=20, trust_env=False) as http:
        before = http.get("/session", headers=closed.headers).status_code
        answers = [http.post("/session", json={"key": WRONG}) for _ in range(25)]
        after = http.get("/session", headers=closed.headers).status_code

    codes = [answer.status_code for answer in answers]
    assert codes == sorted(codes)
    assert set(codes) == {401, 429}
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].json()["code"] == "too_many_failures"
    assert (before, after) == (200, 200)
