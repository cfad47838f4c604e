"""`penstock worker`: run one worker process for a system whose Redis runs elsewhere.

The command becomes `python -m runtime.worker`; flags are passed to it as environment variables.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from gateway.cli.commands.up import option_of
from gateway.cli.errors import UsageError
from runtime.processes.module_path import module_command
from runtime.settings import read_environment, read_settings


def worker(
    *,
    queues: Annotated[str | None, option_of("queues", "NAME,NAME")] = None,
    redis: Annotated[str | None, option_of("redis", "URL")] = None,
    functions: Annotated[Path | None, option_of("functions", "FOLDER")] = None,
    runners: Annotated[int | None, option_of("runners", "N")] = None,
) -> None:
    """Run one worker process, for some queues or for all.

    Stops cleanly on Ctrl-C or SIGTERM: running attempts get time to finish.
    """
    settings = read_settings(queues=queues, redis=redis, functions=functions, runners=runners)
    if not settings.redis:
        raise UsageError("give the URL of Redis: --redis URL or PENSTOCK_REDIS")
    if queues is not None and not settings.queues:
        raise UsageError("--queues contains no queue name")
    flags = {"queues": queues, "redis": redis, "functions": functions, "runners": runners}
    given = {f"PENSTOCK_{k.upper()}": str(v) for k, v in flags.items() if v is not None}
    command = module_command("runtime.worker")
    os.execve(sys.executable, command, {**read_environment(), **given})  # noqa: S606 - needs no shell
