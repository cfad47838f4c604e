"""Open the tracer of a process, if the OTEL_* variables ask for traces.

Otherwise, or if OpenTelemetry is not installed, there is no tracer (None), and the caller's trace
context is passed on unchanged. Only `runtime.telemetry.opentelemetry_tracer` imports OpenTelemetry,
and it is imported only if traces are wanted.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from runtime.telemetry.tracing import Tracer

_log = structlog.get_logger(__name__)
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_PACKAGES = "opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http"


def open_tracer(environment: Mapping[str, str], *, part: str) -> Tracer | None:
    """Return a tracer if the standard OTEL_* variables ask for traces, else None.

    Args:
        environment: The process's environment variables.
        part: The kind of this process, "gateway" or "worker".
    """
    if not _is_wanted(environment):
        return None
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _PROTOCOL)
    if protocol != _PROTOCOL:
        _log.warning(
            "traces_are_off",
            reason=f"only the OTLP protocol {_PROTOCOL} is supported, not {protocol}",
        )
        return None
    try:
        from runtime.telemetry.opentelemetry_tracer import OpenTelemetryTracer  # noqa: PLC0415
    except ImportError as error:
        _log.warning("traces_are_off", reason=f"{error}; install {_PACKAGES}")
        return None
    return OpenTelemetryTracer(part)


def _is_wanted(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter:
        return exporter == "otlp"
    return any(environment.get(name) for name in _ENDPOINTS)
