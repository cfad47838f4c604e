"""Calls on /function/{name} and /async-function/{name}: no envelope, any method."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.receiver import receiving
from tests.support.system import System
from tests.support.waiting import eventually


@pytest.fixture
def http(system: System) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=system.base_url, timeout=20) as client:
        yield client


def invocation_of(http: httpx.Client, answer: httpx.Response) -> dict:
    return http.get(f"/invocations/{answer.headers['x-call-id']}").json()


def test_a_function_answers_with_its_own_status_headers_and_body(http: httpx.Client):
    answer = http.get("/function/mirror/teapot")

    assert (answer.status_code, answer.text) == (418, "short and stout")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-pot"] == "tea"
    # A function cannot replace the session of the dashboard.
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert float(answer.headers["x-duration-seconds"]) < 20
    assert abs(int(answer.headers["x-start-time"]) / 1e9 - time.time()) < 60


def test_the_invocation_shows_the_response_and_its_result_is_the_response(http: httpx.Client):
    answer = http.get("/function/mirror/teapot")

    shown = invocation_of(http, answer)
    assert shown["status"] == "succeeded"
    assert shown["result"]["status"] == 418
    assert shown["result"]["body"] == "short and stout"
    assert shown["result"]["headers"]["Content-Type"] == "text/plain; charset=utf-8"
    result = http.get(shown["links"]["result"])
    assert (result.status_code, result.text) == (418, "short and stout")
    assert "set-cookie" not in result.headers


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_the_request_reaches_the_function_in_any_method(http: httpx.Client, method: str):
    answer = http.request(
        method,
        "/function/mirror/a/b%20c?q=1&q=2",
        content=b"\x00raw" if method == "POST" else None,
        headers={"X-Mine": "yes", "X-Start-Time": "1", "Cookie": "penstock_session=ps_x; shop=7"},
    )

    seen = answer.json()
    assert (seen["method"], seen["path"], seen["query"]) == (method, "/a/b c", {"q": ["1", "2"]})
    assert seen["url"] == f"{http.base_url}/function/mirror/a/b%20c?q=1&q=2".replace("//f", "/f")
    assert seen["headers"]["x-mine"] == "yes"
    assert abs(int(seen["headers"]["x-start-time"]) / 1e9 - time.time()) < 60
    assert seen["cookies"] == {"shop": "7"}
    assert seen["headers"]["x-call-id"] == answer.headers["x-call-id"]


def test_head_reaches_it_too_and_has_no_body(http: httpx.Client):
    answer = http.head("/function/mirror")

    assert (answer.status_code, answer.content) == (200, b"")
    assert invocation_of(http, answer)["request"]["method"] == "HEAD"


def test_empty_and_moved(http: httpx.Client):
    assert http.get("/function/mirror/empty").status_code == 204
    moved = http.get("/function/mirror/moved")
    assert (moved.status_code, moved.headers["location"]) == (302, "https://example.com/there")


def test_a_page_runs_apart_from_the_gateway(http: httpx.Client):
    page = http.get("/function/mirror/page")

    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "allow-same-origin" not in policy


def test_challenges_by_get_and_by_post_and_a_form_that_gets_xml(http: httpx.Client):
    by_get = http.get("/function/mirror/challenge", params={"hub.challenge": "1158201444"})
    by_post = http.post("/function/mirror/challenge", json={"challenge": "3eZbrw1aB"})
    message = http.post("/function/mirror/sms", data={"Body": "hi", "From": "+1"})

    assert (by_get.text, by_post.text) == ("1158201444", "3eZbrw1aB")
    assert message.text == "<Response><Message>hi</Message></Response>"
    assert message.headers["content-type"] == "text/xml"


def test_query_parameters_are_typed_arguments(http: httpx.Client):
    assert http.get("/function/add?a=3").json() == 5
    assert http.post("/function/add?a=3&b=4").json() == 7

    wrong = http.get("/function/add?a=x")
    assert wrong.status_code == 422
    assert "/a" in wrong.text
    both = http.post("/function/add?a=3", json={"b": 4})
    assert both.status_code == 422
    assert "one of them" in both.text


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b'{"a": 1}', "application/json"),
        (b'{"a": 1}', "text/plain"),
        (b' {"a": 1}', None),
        (b'{"a": 1}', "application/x-www-form-urlencoded"),
        (b"a=1", "application/x-www-form-urlencoded"),
    ],
)
def test_arguments_are_read_as_callers_of_openfaas_send_them(
    http: httpx.Client, content: bytes, media_type: str | None
):
    headers = {} if media_type is None else {"Content-Type": media_type}
    assert http.post("/function/add", content=content, headers=headers).json() == 3


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_bare_body_is_the_only_argument(http: httpx.Client, media_type: str | None):
    headers = {} if media_type is None else {"Content-Type": media_type}

    said = http.post("/function/banner", content=b"a=b & c", headers=headers)
    turned = http.post("/function/flip", content=b"abc", headers=headers)

    assert (said.text, said.headers["content-type"]) == (
        "* a=b & c *",
        "text/plain; charset=utf-8",
    )
    assert (turned.content, turned.headers["content-type"]) == (b"cba", "application/octet-stream")


def test_methods_that_a_function_does_not_take(http: httpx.Client):
    refused = http.get("/function/banner")
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST, PUT, PATCH, DELETE"
    assert "methods=" in refused.text
    assert http.put("/function/add", json={"a": 1}).status_code == 405


def test_failures_are_text_and_json_for_those_who_ask(http: httpx.Client):
    failed = http.post("/function/fails_plainly")
    assert (failed.status_code, failed.headers["content-type"]) == (
        500,
        "text/plain; charset=utf-8",
    )
    assert failed.text == "fails_plainly failed with ValueError: no way\n"
    assert "x-openfaas-internal" in failed.headers

    asked = http.post("/function/fails_plainly", headers={"Accept": "application/json"})
    assert asked.json()["code"] == "function_failed"
    assert asked.json()["invocation"]["id"] == asked.headers["x-call-id"]
    assert http.post("/function/nothing_like_it").status_code == 404


def test_the_caller_may_shorten_the_timeout(http: httpx.Client):
    late = http.post("/function/dawdle", json={"seconds": 9}, headers={"X-Timeout": "1s"})

    assert late.status_code == 504
    assert invocation_of(http, late)["error"]["type"] == "timeout"
    for wrong in ("soon", "-1s", "0s"):
        refused = http.post("/function/banner", content="x", headers={"X-Timeout": wrong})
        assert refused.status_code == 422
        assert "X-Timeout" in refused.text


def test_the_namespace_and_hyphens_of_openfaas_names(http: httpx.Client):
    assert http.post("/function/banner.openfaas-fn", content="x").text == "* x *"
    assert http.post("/function/fails-plainly.openfaas-fn").status_code == 500


def test_an_idempotency_key_answers_the_second_call_with_the_first_response(http: httpx.Client):
    headers = {"Idempotency-Key": "once"}

    first, second = (http.post("/function/mirror/teapot", headers=headers) for _ in range(2))

    assert first.headers["x-call-id"] == second.headers["x-call-id"]
    assert (second.status_code, second.text) == (418, "short and stout")
    assert second.headers["idempotency-replayed"] == "true"


def test_a_caller_that_goes_away_does_not_stop_the_function(http: httpx.Client):
    with pytest.raises(httpx.ReadTimeout):
        http.post("/function/dawdle", json={"seconds": 1}, timeout=0.3)

    def newest() -> str:
        [one] = http.get("/invocations?function=dawdle&limit=1").json()["items"]
        return one["status"]

    eventually(lambda: newest() == "succeeded")


def test_a_later_call_is_answered_at_once_and_called_back_as_openfaas_does(http: httpx.Client):
    with receiving() as receiver:
        accepted = http.post(
            "/async-function/mirror.openfaas-fn/teapot",
            headers={"X-Callback-Url": receiver.url("/ok"), "X-Call-Id": "mine-1"},
        )
        assert (accepted.status_code, accepted.content) == (202, b"")
        assert accepted.headers["location"] == f"/invocations/{accepted.headers['x-call-id']}"
        [call] = eventually(lambda: receiver.at("/ok"))

    assert call.body == b"short and stout"
    assert call.headers["content-type"] == "text/plain; charset=utf-8"
    assert call.headers["x-pot"] == "tea"
    assert call.headers["x-function-status"] == "418"
    assert call.headers["x-function-name"] == "mirror.openfaas-fn"
    assert call.headers["x-call-id"] == "mine-1"
    assert "webhook-signature" in call.headers
    assert len(call.headers["x-duration-seconds"].partition(".")[2]) == 6


def test_the_callback_of_a_failure(http: httpx.Client):
    with receiving() as receiver:
        http.post("/async-function/fails_plainly", headers={"X-Callback-Url": receiver.url("/ok")})
        [call] = eventually(lambda: receiver.at("/ok"))

    assert (call.headers["x-function-status"], call.body) == ("500", b"no\nway\n")


def test_a_callback_that_is_no_url(http: httpx.Client):
    refused = http.post("/async-function/add", headers={"X-Callback-Url": "nowhere"}, json={"a": 1})
    assert refused.status_code == 400


def test_a_later_call_is_cancelled_by_its_id(http: httpx.Client):
    accepted = http.post("/async-function/dawdle", json={"seconds": 20})
    call_id = accepted.headers["x-call-id"]

    assert http.delete(f"/async-function/{call_id}").status_code == 202
    eventually(lambda: http.get(f"/invocations/{call_id}").json()["status"] == "cancelled")
    assert http.delete("/async-function/unknown").status_code == 404


def test_many_waiting_callers_each_get_their_own_answer(http: httpx.Client):
    answers: dict[int, str] = {}

    def call(number: int) -> None:
        answers[number] = http.post("/function/banner", content=str(number)).text

    threads = [threading.Thread(target=call, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert answers == {number: f"* {number} *" for number in range(40)}


def test_a_function_speaks_for_itself_and_not_for_the_gateway(http: httpx.Client):
    answer = http.get("/function/mirror/forged")

    shown = answer.headers
    assert shown["content-type"] == "text/xml"
    assert shown["cache-control"] == "max-age=60"
    assert shown["x-named"] == "é"
    assert shown["link"] == "<a>, <b>"
    assert http.get(f"/invocations/{shown['x-call-id']}").status_code == 200
    assert not {"set-cookie", "access-control-allow-origin"} & set(shown)
    result = http.get(f"/invocations/{shown['x-call-id']}/result")
    assert "clear-site-data" in shown
    assert "clear-site-data" not in result.headers
    assert "x-call-id" not in result.headers


def test_a_function_cannot_forge_its_callback(http: httpx.Client):
    with receiving() as receiver:
        accepted = http.post(
            "/async-function/mirror/forged", headers={"X-Callback-Url": receiver.url("/ok")}
        )
        [call] = eventually(lambda: receiver.at("/ok"))

    assert call.headers["content-type"] == "text/xml"
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert call.headers["x-call-id"] == accepted.headers["x-call-id"]
    assert call.headers["webhook-signature"] != "v1,fake"
    assert call.headers["webhook-id"] != "fake"
    assert call.headers["link"] == "<a>, <b>"


@pytest.mark.parametrize("wrong", ["", "é".encode("latin-1"), "x" * 256, "a b"])
def test_a_call_id_that_cannot_be_passed_on(http: httpx.Client, wrong: str | bytes):
    refused = http.post("/function/banner", content="x", headers={"X-Call-Id": wrong})
    assert refused.status_code == 422


def test_an_idempotency_key_is_for_one_method_and_path(http: httpx.Client):
    headers = {"Idempotency-Key": "for one"}

    first = http.post("/function/mirror/a", headers=headers)
    other_path = http.post("/function/mirror/b", headers=headers)
    other_method = http.put("/function/mirror/a", headers=headers)
    again = http.post("/function/mirror/a", headers=headers)

    assert (other_path.status_code, other_method.status_code) == (422, 422)
    assert again.headers["x-call-id"] == first.headers["x-call-id"]


def test_a_retry_calls_back_in_the_same_form(http: httpx.Client):
    with receiving() as receiver:
        accepted = http.post(
            "/async-function/fails_plainly.openfaas-fn",
            headers={"X-Callback-Url": receiver.url("/ok"), "X-Call-Id": "mine-2"},
        )
        eventually(lambda: receiver.at("/ok"))
        http.post(f"/invocations/{accepted.headers['x-call-id']}/retry")
        eventually(lambda: len(receiver.at("/ok")) == 2)

    first, second = receiver.at("/ok")
    for name in ("x-call-id", "x-function-name", "x-function-status"):
        assert first.headers[name] == second.headers[name]


@pytest.mark.parametrize("slashes", ["//", "///", "/%2F"])
def test_more_slashes_do_not_lead_around_a_check(http: httpx.Client, slashes: str):
    url = f"{str(http.base_url).rstrip('/')}{slashes}function/add?a=1"
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}

    refused = http.get(url, headers=elsewhere)

    assert (refused.status_code, refused.headers["content-type"]) == (
        403,
        "text/plain; charset=utf-8",
    )


def test_a_link_of_another_site_leads_to_a_function_that_takes_get(http: httpx.Client):
    link = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }

    assert http.get("/function/add?a=1", headers=link).json() == 3
    assert http.get("/function/mirror", headers=link).status_code == 403
    embedded = {**link, "Sec-Fetch-Dest": "iframe"}
    assert http.get("/function/add?a=1", headers=embedded).status_code == 403


def test_a_page_of_another_site_cannot_make_a_browser_call_it(http: httpx.Client):
    refused = http.get("/function/add?a=1", headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403


def test_long_json_bodies(http: httpx.Client):
    text = "x" * 200_000
    answer = http.post("/function/banner", content=json.dumps({"text": text}))
    assert len(answer.text) == len(text) + 4
