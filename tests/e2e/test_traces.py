"""Traces: passed on as they came, and with OpenTelemetry as spans at a real OTLP receiver."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.e2e.conftest import copy_functions
from tests.support.receiver import Receiver, receiving
from tests.support.system import System, running_system
from tests.support.waiting import eventually

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
STATE = "congo=t61rcWkgMzE"
COLLECTOR = "/ok/v1/traces"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def traced_system(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[System]:
    """A system that exports its spans to the receiver."""
    folder: Path = tmp_path_factory.mktemp("traced")
    with running_system(
        folder,
        functions=copy_functions(folder / "functions"),
        environment={
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url("/ok"),
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_SERVICE_NAME": "penstock-under-test",
        },
    ) as running:
        yield running


def spans(receiver: Receiver, trace_id: str) -> dict[str, Span]:
    """Return what has been exported of a trace, by name."""
    found = {}
    for request in receiver.at(COLLECTOR):
        exported = ExportTraceServiceRequest.FromString(request.body)
        for resource in exported.resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            assert names["service.name"] == "penstock-under-test"
            for scope in resource.scope_spans:
                for span in scope.spans:
                    if span.trace_id.hex() == trace_id:
                        assert span.name not in found
                        found[span.name] = span
    return found


def attributes(span: Span) -> dict[str, str | int]:
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_without_opentelemetry_the_caller_s_context_passes_unchanged(
    system: System, receiver: Receiver
):
    path = "/ok/unchanged"
    headers = {"traceparent": PARENT, "tracestate": STATE, "X-Callback-Url": receiver.url(path)}

    for function in ("traced", "traced_in_a_thread"):
        answer = system.http.post(
            f"/functions/{function}", json={}, headers=headers | {"Prefer": "wait=10"}
        )
        assert answer.json()["result"] == {"traceparent": PARENT, "tracestate": STATE}

    for callback in eventually(lambda: len(found := receiver.at(path)) == 2 and found):
        assert callback.headers["traceparent"] == PARENT
        assert callback.headers["tracestate"] == STATE


@pytest.mark.parametrize(
    "headers", [{}, {"traceparent": PARENT.upper(), "tracestate": STATE}, {"tracestate": STATE}]
)
def test_without_a_valid_context_there_is_none(system: System, receiver: Receiver, headers):
    path = f"/ok/none/{len(headers)}"

    answer = system.http.post(
        "/functions/traced",
        json={},
        headers=headers | {"Prefer": "wait=10", "X-Callback-Url": receiver.url(path)},
    )

    assert answer.json()["result"] == {"traceparent": None, "tracestate": None}
    [callback] = eventually(lambda: receiver.at(path))
    assert not {"traceparent", "tracestate"} & callback.headers.keys()


def test_members_of_a_batch_belong_to_the_trace_of_its_request(system: System, receiver: Receiver):
    path = "/ok/batch"

    batch = system.http.post(
        "/functions/traced/batch",
        json=[{}, {}],
        headers={"traceparent": PARENT, "X-Callback-Url": receiver.url(path)},
    ).json()

    [callback] = eventually(lambda: receiver.at(path))
    assert callback.headers["traceparent"] == PARENT
    items = system.http.get("/invocations", params={"function": "traced"}).json()["items"]
    members = [system.invocation(item["id"]) for item in items if item["batch"] == batch["id"]]
    assert [member["result"]["traceparent"] for member in members] == [PARENT, PARENT]


def test_one_trace_goes_from_the_caller_to_the_callback(traced_system: System, receiver: Receiver):
    path = "/ok/linked"

    answer = traced_system.http.post(
        "/functions/traced",
        json={},
        headers={
            "traceparent": PARENT,
            "tracestate": STATE,
            "Prefer": "wait=10",
            "X-Callback-Url": receiver.url(path),
        },
    )

    names = {f"{part} traced" for part in ("accept", "wait", "run", "deliver")}
    found = eventually(
        lambda: (now := spans(receiver, TRACE_ID)).keys() >= names and now, within_s=10
    )
    accept, wait, run, deliver = (
        found[f"{part} traced"] for part in ("accept", "wait", "run", "deliver")
    )
    assert accept.parent_span_id.hex() == PARENT.split("-")[2]
    assert {span.parent_span_id for span in (wait, run, deliver)} == {accept.span_id}
    assert {span.trace_state for span in found.values()} == {STATE}
    assert answer.json()["result"] == {
        "traceparent": f"00-{TRACE_ID}-{run.span_id.hex()}-01",
        "tracestate": STATE,
    }
    [callback] = receiver.at(path)
    assert callback.headers["traceparent"] == f"00-{TRACE_ID}-{deliver.span_id.hex()}-01"
    assert wait.start_time_unix_nano <= wait.end_time_unix_nano <= run.end_time_unix_nano
    for span in (accept, wait, run, deliver):
        assert attributes(span)["penstock.invocation.id"] == answer.headers["X-Call-Id"]
    assert attributes(run)["penstock.status"] == "succeeded"
    assert attributes(deliver)["http.response.status_code"] == 200


def test_a_failure_shows_by_its_kind_and_not_by_its_text(traced_system: System, receiver: Receiver):
    trace_id = "1" * 32

    traced_system.http.post(
        "/functions/raise_error",
        json={},
        headers={"traceparent": f"00-{trace_id}-{'2' * 16}-01", "Prefer": "wait=10"},
    )

    run = eventually(lambda: spans(receiver, trace_id).get("run raise_error"), within_s=10)
    assert attributes(run)["error.type"] == "exception"
    assert "went wrong" not in str(run)


def test_a_caller_without_a_trace_begins_one(traced_system: System):
    seen = traced_system.call("traced", wait_s=10).json()["result"]["traceparent"]

    assert seen.startswith("00-")
    assert int(seen[-2:], 16) & 1, "sampled"


def test_what_the_caller_does_not_sample_is_passed_on_and_not_exported(
    traced_system: System, receiver: Receiver
):
    trace_id = "3" * 32

    seen = traced_system.http.post(
        "/functions/traced",
        json={},
        headers={"traceparent": f"00-{trace_id}-{'4' * 16}-00", "Prefer": "wait=10"},
    ).json()["result"]["traceparent"]
    marked = "5" * 32
    traced_system.http.post(
        "/functions/traced",
        json={},
        headers={"traceparent": f"00-{marked}-{'4' * 16}-01", "Prefer": "wait=10"},
    )

    assert seen.startswith(f"00-{trace_id}-")
    assert seen.endswith("-00")
    eventually(lambda: len(spans(receiver, marked)) == 3, within_s=10)
    assert not spans(receiver, trace_id)
