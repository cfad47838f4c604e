"""GET /invocations/{id}, its result and its logs; functions, health and documents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import yaml
from openapi_spec_validator import validate

from gateway.problems import KINDS
from runtime.registry.manifest import Manifest
from tests.support.gateway_process import error_json

UNKNOWN = "0192d3a0-7b1c-7def-8a55-0123456789ab"


@pytest.fixture
def begun(gateway, http):
    """An invocation that a worker has claimed."""
    http.post("/functions/greet", json={"name": "Ada"})
    return gateway.claim()


def test_an_invocation_tells_its_status_and_when_to_ask_again(gateway, http, begun):
    answer = http.get(f"/invocations/{begun.id}")

    assert answer.status_code == 200
    assert answer.json()["status"] == "running"
    assert int(answer.headers["Retry-After"]) >= 1
    gateway.finish(begun, result=b"1")


def test_a_finished_invocation_is_200_whatever_became_of_it(gateway, http, begun):
    gateway.finish(begun, "failed", error=error_json("exception", "no"))

    answer = http.get(f"/invocations/{begun.id}")

    assert answer.status_code == 200
    assert answer.json()["error"]["type"] == "exception"
    assert "Retry-After" not in answer.headers


def test_a_long_poll_ends_when_the_invocation_does(gateway, http, begun):
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(http.get, f"/invocations/{begun.id}", headers={"Prefer": "wait=20"})
        gateway.finish(begun, result=b'"late"')
        answer = polling.result(10)

    assert answer.json()["result"] == "late"
    assert answer.json()["arguments"] == {"name": "Ada"}
    assert answer.headers["Preference-Applied"] == "wait=20"


def test_an_unchanged_invocation_is_304(gateway, http, begun):
    tag = http.get(f"/invocations/{begun.id}").headers["ETag"]

    same = http.get(f"/invocations/{begun.id}", headers={"If-None-Match": f'"x", W/{tag}'})
    gateway.finish(begun, result=b"1")
    changed = http.get(f"/invocations/{begun.id}", headers={"If-None-Match": tag})

    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["ETag"] == tag
    assert changed.status_code == 200


@pytest.mark.parametrize("path", ["", "/result", "/logs"])
@pytest.mark.parametrize("unknown", [UNKNOWN, "nonsense", UNKNOWN.upper()])
def test_an_unknown_id_is_404(http, unknown, path):
    answer = http.get(f"/invocations/{unknown}{path}", headers={"Prefer": "wait=5"})

    assert (answer.status_code, answer.json()["code"]) == (404, "invocation_not_found")


def test_the_result_of_json_is_bare(gateway, http, begun):
    gateway.finish(begun, result=b'{"greeting": "Hello"}')

    answer = http.get(f"/invocations/{begun.id}/result")

    assert answer.content == b'{"greeting": "Hello"}'
    assert answer.headers["Content-Type"] == "application/json"


def test_the_result_of_bytes_is_raw_and_inert(gateway, http, begun):
    gateway.finish(begun, result=b"\x89PNG", result_type="bytes", media_type="image/png")

    answer = http.get(f"/invocations/{begun.id}/result")

    assert answer.content == b"\x89PNG"
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_an_empty_result_of_bytes_is_empty(gateway, http, begun):
    gateway.finish(begun, result=b"", result_type="bytes", media_type="image/png")

    answer = http.get(f"/invocations/{begun.id}/result")

    assert (answer.status_code, answer.content) == (200, b"")


def test_the_result_of_what_runs_still_is_409_with_retry_after(gateway, http, begun):
    answer = http.get(f"/invocations/{begun.id}/result")

    assert (answer.status_code, answer.json()["code"]) == (409, "invocation_unfinished")
    assert int(answer.headers["Retry-After"]) >= 1
    gateway.finish(begun, result=b"1")


def test_the_result_of_a_failure_is_the_failure(gateway, http, begun):
    gateway.finish(begun, "failed", error=error_json("timeout", "over 1 s"))

    answer = http.get(f"/invocations/{begun.id}/result")

    assert (answer.status_code, answer.json()["code"]) == (504, "function_timeout")
    assert answer.json()["invocation"]["id"] == begun.id


def test_captured_output_is_text(gateway, http, begun):
    gateway.finish(begun, result=b"1", logs="grüezi\n".encode())

    answer = http.get(f"/invocations/{begun.id}/logs")

    assert answer.text == "grüezi\n"
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_captured_output_is_that_of_all_attempts(gateway, http, begun):
    gateway.finish(begun, "retrying", logs=b"first try\n", error=error_json("exception", "no"))
    gateway.finish(gateway.claim(), "retrying", error=error_json("exception", "no"))
    gateway.finish(gateway.claim(), result=b"1", logs=b"third try\n")
    logs = f"/invocations/{begun.id}/logs"

    assert http.get(logs).text == ("=== attempt 1 ===\nfirst try\n=== attempt 3 ===\nthird try\n")
    assert http.get(logs, params={"attempt": 1}).text == "first try\n"
    assert http.get(logs, params={"attempt": 2}).text == ""
    assert http.get(logs, params={"attempt": 3}).text == "third try\n"
    for wrong in ("0", "4", "-1", "one", ""):
        answer = http.get(logs, params={"attempt": wrong})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [
            {"pointer": "?attempt", "detail": "takes a number from 1 to 3"}
        ]
    assert http.get(logs, params={"attempts": "1"}).status_code == 422


def test_output_of_an_attempt_that_failed_is_there_before_the_next(gateway, http, begun):
    gateway.finish(begun, "retrying", logs=b"why\n", retry_after_ms=60_000)

    assert http.get(f"/invocations/{begun.id}/logs").text == "why\n"
    http.delete(f"/invocations/{begun.id}")
    assert http.get(f"/invocations/{begun.id}/logs").text == "why\n"


def test_functions_are_listed_with_errors_and_statistics(gateway, http, begun):
    gateway.finish(begun, result=b"1")

    items = {item["name"]: item for item in http.get("/functions").json()["items"]}

    assert set(items) == {"greet", "pictures.shrink", "hook", "broken"}
    assert items["greet"]["stats"]["succeeded"] >= 1
    assert items["broken"]["version"] is None
    assert items["broken"]["error"]["line"] == 3
    assert http.get("/functions/greet").json()["parameters"]["required"] == ["name"]
    assert http.get("/functions/nobody").json()["code"] == "function_not_found"


def test_a_gateway_with_functions_and_redis_is_ready(http):
    assert http.get("/livez").json() == {"status": "alive"}
    assert http.get("/readyz").json() == {
        "status": "ready",
        "functions": 3,
        "warnings": [],
    }


def test_the_document_is_openapi_3_1_in_both_forms(http):
    as_json = http.get("/openapi.json")
    as_yaml = http.get("/openapi.yaml")

    validate(as_json.json())
    assert as_json.json()["openapi"] == "3.1.0"
    assert yaml.safe_load(as_yaml.content) == as_json.json()
    assert as_yaml.headers["Content-Type"] == "application/yaml"
    again = http.get("/openapi.json", headers={"If-None-Match": as_json.headers["ETag"]})
    assert again.status_code == 304


def test_a_published_function_is_in_the_document_at_once(gateway, http):
    name = "added.later"

    gateway.publish(Manifest(name=name, version="dddddddddddd", file="added/later.py"))

    paths = http.get("/openapi.json").json()["paths"]
    assert paths[f"/functions/{name}"]["post"]["operationId"] == "invoke_added.later"


def test_the_reference_page_comes_whole(http):
    packed = http.get("/docs")
    plain = httpx.get(f"{http.base_url}/docs", headers={"Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.text == plain.text
    assert 'data-url="/openapi.json"' in plain.text
    assert "connect-src 'self'" in plain.headers["Content-Security-Policy"]


def test_the_front_door_leads_to_the_reference_page(http):
    answer = http.get("/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/docs")


@pytest.mark.parametrize("code", sorted(KINDS))
def test_the_type_of_every_problem_leads_to_a_page(http, code):
    answer = http.get(f"/problems/{code}")

    assert answer.status_code == 200
    assert code in answer.text


def test_head_is_get_without_a_body(http):
    head, get = http.head("/functions"), http.get("/functions")

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(get.content))


def test_options_names_the_methods(http):
    answer = http.request("OPTIONS", "/functions/greet")

    assert answer.status_code == 200
    assert {"GET", "POST"} <= set(answer.headers["Allow"].replace(" ", "").split(","))
