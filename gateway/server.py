"""Gunicorn's configuration: `gunicorn -c python:gateway.server` serves the gateway.

The gunicorn arbiter reads this module; each public name below is one of gunicorn's settings. It
refuses to start with malformed settings or an unsafe bind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gunicorn.util import getcwd  # type: ignore[import-untyped]

from gateway.startup_checks import (
    count_keys_at,
    read_caller_rate,
    read_origins,
    require_safe_bind,
    warn_of_origins,
)
from runtime.errors import SettingsError
from runtime.processes.environment import hide_from_own_user
from runtime.processes.module_path import leave_out_folder
from runtime.settings import read_settings, unknown_variables
from runtime.store.redis_url import parse_address
from runtime.telemetry.json_lines import JsonLines

hide_from_own_user()  # here, because the processes that the arbiter forks inherit it
try:
    _settings = read_settings()
    parse_address(_settings.redis)
    require_safe_bind(_settings, lambda: count_keys_at(_settings.redis))
    read_caller_rate(_settings)
    read_origins(_settings)
except SettingsError as error:
    raise SystemExit(f"penstock: {error}") from None
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes its own file there

wsgi_app = "gateway.app:create()"
worker_class = "gateway.serving.gunicorn_worker.GatewayWorker"
bind = (
    f"[{_settings.host}]:{_settings.port}"
    if ":" in _settings.host
    else (f"{_settings.host}:{_settings.port}")
)
workers = _settings.gateways
loglevel = _settings.log_level
if _settings.log_format == "json":
    # Also for gunicorn's lines before the application is loaded, and for uvicorn's, which share its
    # handler. Without `propagate: False`, the root's handler would write each line again.
    logconfig_dict = {
        "formatters": {"generic": {"()": JsonLines}},
        "root": {"level": "WARNING", "handlers": ["error_console"]},
        "loggers": {
            "gunicorn.error": {"handlers": ["error_console"], "propagate": False},
            "gunicorn.access": {"handlers": ["console"], "propagate": False},
        },
    }
backlog = 2048
timeout = 30
graceful_timeout = 12
proc_name = "penstock-gateway"
control_socket_disable = True
worker_tmp_dir = str(_SHARED_MEMORY) if _SHARED_MEMORY.is_dir() else None


def on_starting(arbiter: Any) -> None:  # noqa: ANN401 - gunicorn's hook
    """Log a warning for each unknown variable, and for settings that open too much."""
    for reported in unknown_variables(for_functions=_settings.function_env):
        arbiter.log.warning(reported)
    if warning := warn_of_origins(_settings):
        arbiter.log.warning(warning)


def post_fork(arbiter: object, worker: object) -> None:  # noqa: ARG001 - gunicorn's hook
    """Prepare a gateway process after the fork, so that the arbiter itself stays small."""
    leave_out_folder(getcwd())  # gunicorn put it first on the module path
    from runtime.telemetry import structlog_without_rich  # noqa: F401, PLC0415 - before the application
