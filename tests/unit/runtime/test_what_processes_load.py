"""What the processes at rest do without: memory and a quick start are kept by not importing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runtime.settings import read_environment

# What each process runs until it is ready, and what only some of its work needs.
PROCESSES = {
    "worker": (
        "import runtime.worker.__main__",
        {
            *("rich", "httpx", "httpcore", "pydantic", "pydantic_core", "jsonschema_rs"),
            *("watchfiles", "typer"),
        },
    ),
    "gateway": (
        "import gateway.server; gateway.server.post_fork(None, None); import gateway.app",
        {
            *("rich", "httpx", "httpcore", "pydantic", "typer", "watchfiles", "dramatiq"),
            *("prometheus_client", "apispec", "yaml"),
        },
    ),
    "arbiter": (
        "import gateway.server",
        {"rich", "pydantic", "structlog", "falcon", "jsonschema_rs", "asyncio", "typer"},
    ),
    "supervisor": (
        "import gateway.cli.up.supervisor_main",
        {"rich", "pydantic", "structlog", "asyncio", "msgspec", "typer", "httpx"},
    ),
    "fork server": (
        "import runtime.execution.runner_main, runtime.execution.preload",
        {"rich", "jsonschema_rs", "redis", "structlog", "httpx"},
    ),
}


@pytest.mark.parametrize("name", PROCESSES)
def test_at_rest_a_process_has_not_loaded_what_it_may_never_need(name: str):
    statement, unwanted = PROCESSES[name]
    environment = {**read_environment(), "PENSTOCK_REDIS": "redis://127.0.0.1:1/0"}

    reported = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; print(*sys.modules)"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )

    assert unwanted & set(reported.stdout.split()) == set()
