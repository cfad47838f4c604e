"""When there is a tracer, and that nothing of it is there when there is none."""

from __future__ import annotations

import builtins
import subprocess
import sys
import time

import pytest
import structlog
from structlog.testing import capture_logs

from runtime.telemetry import tracer_setup
from runtime.telemetry.trace_context import TraceContext
from runtime.telemetry.tracer_setup import open_tracer
from tests.support.waiting import allowed

NOWHERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
PARENT = TraceContext("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a=1")


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_SERVICE_NAME": "x"},
        NOWHERE | {"OTEL_SDK_DISABLED": "TRUE"},
        NOWHERE | {"OTEL_TRACES_EXPORTER": "none"},
        NOWHERE | {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
    ],
)
def test_without_the_wish_there_is_no_tracer(environment):
    assert open_tracer(environment, part="gateway") is None


def test_without_the_package_there_is_a_line_and_no_tracer(monkeypatch):
    real_import = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name.startswith("opentelemetry"):
            raise ImportError(f"No module named {name!r}")
        return real_import(name, *rest)

    monkeypatch.delitem(sys.modules, "runtime.telemetry.opentelemetry_tracer", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)

    monkeypatch.setattr(
        tracer_setup, "_log", structlog.get_logger()
    )  # one that nobody has used yet

    with capture_logs() as lines:
        assert open_tracer(NOWHERE, part="gateway") is None

    [line] = lines
    assert "install opentelemetry-sdk" in line["reason"]


def test_while_traces_are_off_nothing_of_opentelemetry_is_imported():
    program = (
        "import sys, gateway.app, runtime.worker.main\n"
        "from runtime.telemetry.tracer_setup import open_tracer\n"
        "assert open_tracer({}, part='worker') is None\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert answer.stdout.strip() == "[]"


def test_a_collector_that_is_away_costs_neither_calls_nor_the_stop(monkeypatch):
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    tracer = open_tracer(NOWHERE, part="worker")
    assert tracer is not None

    began_at = time.monotonic()
    for _ in range(100):
        span = tracer.begin("run f", "consumer", parent=PARENT, attributes={"penstock.attempt": 1})
        assert span.context.trace_id == PARENT.trace_id
        assert span.context.tracestate == "a=1"
        span.end(error="timeout")
    spent_s = time.monotonic() - began_at
    tracer.stop()
    tracer.stop()

    assert spent_s < allowed(1)
    assert time.monotonic() - began_at < allowed(6)
