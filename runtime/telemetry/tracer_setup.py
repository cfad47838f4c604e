"""The tracer of a process: OpenTelemetry where it is installed and configured.

Without it there is no tracer, `None`, and the code that would make spans passes the caller's
trace context on instead. Only `runtime.telemetry.opentelemetry_tracer` knows OpenTelemetry, and it
is imported only when somebody has asked for traces.
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
    """Return a tracer if the standard OTEL_* variables ask for traces.

    Args:
        environment: The process's environment variables.
        part: What this process is, "gateway" or "worker".
    """
    if not _is_wanted(environment):
        return None
    protocol = next((environment[name] for name in _PROTOCOLS if environment.get(name)), _PROTOCOL)
    if protocol != _PROTOCOL:
        _log.warning("traces_are_off", reason=f"OTLP goes by {_PROTOCOL} here, not {protocol}")
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
