"""The log of a whole system in JSON: every change of status, and nothing that is private."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import WEBHOOK_SECRET, copy_functions
from tests.support.receiver import Receiver
from tests.support.system import System, running_system
from tests.support.waiting import eventually

PRIVATE = "7h1s-15-n0b0dy-3ls35-bu51n355"
DELIVERED = "callbacks.attempt_ended"
SOURCE = '''
"""Functions that handle what is private, and fail with it."""

from penstock import Retry, function


@function()
def keep(secret: str) -> str:
    """Return it, and print it."""
    print(secret)
    return secret


@function()
def spill(secret: str) -> None:
    """Raise it."""
    raise ValueError(secret)


@function(retries=1)
def spill_twice(secret: str) -> None:
    """Raise it, to be tried again."""
    raise Retry(secret, after="10ms")
'''


@pytest.fixture(scope="module")
def logging_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder: Path = tmp_path_factory.mktemp("logging")
    functions = copy_functions(folder / "functions")
    (functions / "private.py").write_text(SOURCE)
    with running_system(
        folder,
        functions=functions,
        environment={"PENSTOCK_LOG_FORMAT": "json", "PENSTOCK_CALLBACK_SECRET": WEBHOOK_SECRET},
    ) as running:
        # `up` is ready one second after the first function, however busy the machine is.
        eventually(lambda: running.http.get("/functions/keep").is_success)
        yield running


def changes(system: System, invocation_id: str) -> list[dict[str, Any]]:
    """Return the lines about an invocation."""
    found = []
    for line in system.read_log().splitlines():
        if invocation_id in line:
            read = json.loads(line)
            assert read.keys() >= {"event", "level", "timestamp"}
            found.append(read)
    return found


def logged_events(system: System, invocation_id: str) -> list[str]:
    return [line["event"] for line in changes(system, invocation_id)]


def test_every_change_of_status_is_a_line(logging_system: System):
    succeeded = logging_system.call("keep", secret=PRIVATE, wait_s=10).headers["X-Call-Id"]
    failed = logging_system.call("spill", secret=PRIVATE, wait_s=10).headers["X-Call-Id"]
    retried = logging_system.call("spill_twice", secret=PRIVATE, wait_s=10).headers["X-Call-Id"]
    waiting = logging_system.http.post(
        "/functions/keep", params={"delay": "1h"}, json={"secret": PRIVATE}
    ).json()["id"]
    logging_system.http.delete(f"/invocations/{waiting}")

    def sorted_events(invocation_id: str) -> list[str]:
        return sorted(logged_events(logging_system, invocation_id))

    expected = {
        succeeded: ["accepted", "started", "succeeded"],
        failed: ["accepted", "failed", "started"],
        retried: ["accepted", "failed", "retrying", "started", "started"],
        waiting: ["accepted", "cancelled"],
    }
    for invocation_id, names in expected.items():
        wanted = [f"invocation_{name}" for name in names]
        eventually(lambda id_=invocation_id, w=wanted: sorted_events(id_) == w)
    [line] = [
        line for line in changes(logging_system, failed) if line["event"] == "invocation_failed"
    ]
    assert (line["function"], line["attempt"]) == ("spill", 1)
    assert (line["error_type"], line["exception_type"]) == ("exception", "ValueError")
    assert line["duration_ms"] >= 0


def test_a_trace_is_found_by_its_id(logging_system: System):
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    call = logging_system.http.post(
        "/functions/keep",
        json={"secret": PRIVATE},
        headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "Prefer": "wait=10"},
    )

    lines = eventually(
        lambda: len(found := changes(logging_system, call.headers["X-Call-Id"])) == 3 and found
    )
    assert {line["trace_id"] for line in lines} == {trace_id}


def test_a_delivery_is_a_line_that_names_the_host_alone(logging_system: System, receiver: Receiver):
    for path in ("/ok", "/status/410", "/reset", "/redirect"):
        call = logging_system.http.post(
            "/functions/keep",
            json={"secret": PRIVATE},
            headers={"X-Callback-Url": receiver.url(f"{path}/{PRIVATE}?token={PRIVATE}")},
        )
        invocation_id = call.json()["id"]
        eventually(lambda id_=invocation_id: DELIVERED in logged_events(logging_system, id_))


def test_nothing_private_is_ever_logged(logging_system: System, receiver: Receiver):
    """The last of this file: all that the others have caused is in the log, too."""
    with_key = {"Authorization": f"Bearer {PRIVATE}", "Idempotency-Key": PRIVATE}
    logging_system.http.post("/functions/keep", json={"secret": PRIVATE}, headers=with_key)
    logging_system.http.post("/functions/keep", json={"secret": [PRIVATE]})
    logging_system.http.post("/functions/keep", content=b'{"secret": "' + PRIVATE.encode())
    logging_system.http.post("/functions/keep", json={"secret": ""}, params={"tag": PRIVATE})
    logging_system.http.post(
        "/functions/keep",
        json={"secret": PRIVATE},
        headers={"X-Callback-Url": f"http://nowhere.invalid/{PRIVATE}"},
    )
    last = logging_system.call("spill", secret=PRIVATE, wait_s=10).headers["X-Call-Id"]
    eventually(lambda: "invocation_failed" in logged_events(logging_system, last))

    log = logging_system.read_log()

    assert PRIVATE not in log
    assert WEBHOOK_SECRET not in log
    assert WEBHOOK_SECRET.removeprefix("whsec_") not in log
