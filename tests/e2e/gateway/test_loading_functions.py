"""A function whose file is still being loaded: known, and its callers wait a moment."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import httpx
import pytest

from runtime.registry.manifest import EnvironmentView, Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.store.function_commands import set_load_error
from tests.support.gateway_process import RunningGateway
from tests.support.waiting import eventually

LOADING = Manifest(name="slow", version="", file="slow.py", is_loading=True)
PUBLISHED = Manifest(
    name="slow", version="v1", file="slow.py", parameters={"type": "object", "properties": {}}
)


@pytest.fixture
def loading(gateway: RunningGateway) -> RunningGateway:
    gateway.connection.run(set_load_error("slow", manifest=encode_manifest(LOADING)))
    return gateway


def test_it_is_shown_as_loading_without_an_error(loading: RunningGateway):
    shown = httpx.get(f"{loading.url}/functions/slow").json()

    assert (shown["state"], shown["error"], shown["version"]) == ("loading", None, None)


@pytest.mark.parametrize("headers", [{}, {"Prefer": "wait=1"}])
def test_a_call_is_told_to_come_again(loading: RunningGateway, headers):
    answer = httpx.post(f"{loading.url}/functions/slow", json={}, headers=headers, timeout=20)

    assert (answer.status_code, answer.json()["code"]) == (503, "function_unavailable")
    assert "being loaded" in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("name", ["slow", "inside"])
def test_a_call_that_waits_is_taken_once_the_file_has_loaded(loading: RunningGateway, name: str):
    """A function that does not have its file's name is not known until the file has loaded."""
    answers: list[httpx.Response] = []

    def call() -> None:
        headers = {"Prefer": "wait=9"}
        answers.append(
            httpx.post(f"{loading.url}/functions/{name}", json={}, headers=headers, timeout=30)
        )

    caller = threading.Thread(target=call)
    caller.start()
    time.sleep(0.3)  # so that it waits: a call that came later would be taken anyway
    loading.publish(replace(PUBLISHED, name=name))
    loading.finish(loading.claim(), result=b"7")
    caller.join(30)

    assert (answers[0].status_code, answers[0].json()["result"]) == (200, 7)
    assert httpx.get(f"{loading.url}/functions/{name}").json()["state"] == "serving"


def test_a_name_that_no_file_has_is_unknown_at_last(loading: RunningGateway):
    answer = httpx.post(f"{loading.url}/functions/nobody", json={}, timeout=20)

    assert (answer.status_code, answer.json()["code"]) == (404, "function_not_found")


def test_an_unknown_name_does_not_wait_for_a_build(gateway: RunningGateway):
    building = EnvironmentView(state="building", since_ms=1)
    manifest = encode_manifest(replace(LOADING, environment=building))
    gateway.connection.run(set_load_error("slow", manifest=manifest))
    eventually(lambda: "slow" in gateway.known())
    began_at = time.monotonic()

    answer = httpx.post(f"{gateway.url}/function/nobody", timeout=30)

    assert answer.status_code == 404
    assert time.monotonic() - began_at < 5  # a file that loads is waited for 10 s
