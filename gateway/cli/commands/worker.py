"""`penstock worker`: one worker process, beside a system that runs elsewhere.

It becomes `python -m runtime.worker`; flags go to it as settings, by the environment.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

from gateway.cli.commands.up import option_of
from gateway.cli.errors import CommandError, ExitCode
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

    Stops cleanly on Ctrl-C or SIGTERM: what it runs gets time to finish.
    """
    settings = read_settings(queues=queues, redis=redis, functions=functions, runners=runners)
    if not settings.redis:
        raise CommandError(
            "say where Redis is: --redis URL or PENSTOCK_REDIS", exit_code=ExitCode.USAGE
        )
    if queues is not None and not settings.queues:
        raise CommandError("--queues names no queue", exit_code=ExitCode.USAGE)
    flags = {"queues": queues, "redis": redis, "functions": functions, "runners": runners}
    given = {f"PENSTOCK_{k.upper()}": str(v) for k, v in flags.items() if v is not None}
    command = module_command("runtime.worker")
    os.execve(sys.executable, command, {**read_environment(), **given})  # noqa: S606 - no shell is wanted
