"""`penstock up`: check everything an operator can get wrong, then become the supervisor.

Whatever is wrong ends here with one sentence and an exit code, before anything is started.
Secrets and addresses are passed to the processes through the environment, never on a command line,
where every user could read them.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.up.data_folder import keep_callback_secret, lock_data_folder, make_data_folder
from gateway.cli.up.listener import open_listener, reachable_host, url_of
from gateway.cli.up.preflight import (
    check_bind,
    check_gateway_settings,
    make_functions_folder,
    plan_redis,
)
from gateway.startup_checks import is_loopback, is_open
from runtime.processes.module_path import module_command
from runtime.settings import SETTINGS, Settings, read_environment, read_settings


def option_of(name: str, metavar: str) -> Any:  # noqa: ANN401 - what typer takes
    """Return the command-line flag of a setting; its help is the setting's description."""
    setting = SETTINGS[name]
    default = setting.default or "none"
    return typer.Option(
        metavar=metavar,
        show_default=False,
        help=f"{setting.description} [env: PENSTOCK_{name.upper()}; default: {default}]",
    )


def up(  # noqa: PLR0913 - a flag each
    *,
    host: Annotated[str | None, option_of("host", "ADDRESS")] = None,
    port: Annotated[int | None, option_of("port", "NUMBER")] = None,
    functions: Annotated[Path | None, option_of("functions", "FOLDER")] = None,
    data: Annotated[Path | None, option_of("data", "FOLDER")] = None,
    redis: Annotated[str | None, option_of("redis", "URL")] = None,
    gateways: Annotated[int | None, option_of("gateways", "N")] = None,
    workers: Annotated[int | None, option_of("workers", "N")] = None,
    runners: Annotated[int | None, option_of("runners", "N")] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Require no API key, although others can reach the gateway. [PENSTOCK_AUTH=off]",
        ),
    ] = False,
) -> None:
    """Run everything on this machine: Redis, the gateway and the workers.

    Restarts processes that die; stops cleanly on Ctrl-C or SIGTERM.
    """
    began_at = time.monotonic()
    settings = read_settings(
        host=host,
        port=port,
        functions=functions,
        data=data,
        redis=redis,
        gateways=gateways,
        workers=workers,
        runners=runners,
        auth="off" if insecure else None,
    )
    check_gateway_settings(settings)
    data_folder = settings.data.resolve()
    make_functions_folder(settings.functions)
    make_data_folder(data_folder)
    lock_fd = lock_data_folder(data_folder)
    redis_plan = plan_redis(settings, data_folder)
    check_bind(settings, redis_plan, data_folder, lock_fd)
    loopback = is_loopback(settings.host)
    listener = open_listener(settings.host, settings.port)
    bound_port: int = listener.getsockname()[1]
    flags: dict[str, object] = {
        "url": url_of(settings.host, bound_port),
        "probe-host": reachable_host(settings.host),
        "port": bound_port,
        "workers": settings.workers,
        "drain-s": settings.drain_s,
        "data": data_folder,
        "functions": settings.functions.resolve(),
        "listen-fd": listener.fileno(),
        "lock-fd": lock_fd,
        "access": _access_of(settings, loopback=loopback),
        **redis_plan.flags,
    }
    secrets = settings.callback_secret
    if not secrets:
        secret, flags["secret-file"] = keep_callback_secret(data_folder)
        secrets = (secret,)
    environment = {
        **read_environment(with_secrets=True),
        "PYTHONUNBUFFERED": "1",
        **_settings_of_parts(
            settings,
            data=data_folder,
            port=bound_port,
            redis_url=redis_plan.url,
            secrets=secrets,
            loopback=loopback,
        ),
    }
    os.set_inheritable(lock_fd, True)  # noqa: FBT003 - the standard library's signature
    listener.set_inheritable(True)
    if settings.log_format == "json":
        switches = ["--for-machines"]
    elif sys.stdout.isatty() and not environment.get("NO_COLOR"):
        switches = ["--colour"]
    else:
        switches = []
    flags["spent-s"] = f"{time.monotonic() - began_at:.3f}"
    _become_supervisor(flags, switches, environment)


def _access_of(settings: Settings, *, loopback: bool) -> str:
    """Return how the greeting describes access: keys, open (loopback only) or insecure."""
    if not is_open(settings):
        return "keys"
    return "open" if loopback else "insecure"


def _settings_of_parts(
    settings: Settings,
    *,
    data: Path,
    port: int,
    redis_url: str,
    secrets: tuple[str, ...],
    loopback: bool,
) -> dict[str, str]:
    """Return the settings for the processes: complete, with absolute paths and secrets."""
    values: dict[str, object] = {
        "HOST": settings.host,
        "PORT": port,
        "FUNCTIONS": settings.functions.resolve(),
        "DATA": data,
        "REDIS": redis_url,
        "GATEWAYS": settings.gateways,
        "WORKERS": settings.workers,
        "RUNNERS": settings.runners,
        "AUTH": settings.auth,
        "PUBLISH": _publish_of(settings),
        "CALLBACK_SECRET": ",".join(secrets),
        "CALLBACK_ALLOW_LOOPBACK": str(loopback or settings.callback_allow_loopback).lower(),
    }
    return {f"PENSTOCK_{name}": str(value) for name, value in values.items()}


def _publish_of(settings: Settings) -> str:
    """Return the setting `publish`: an embedded Redis only holds functions of our own folder."""
    return "always" if settings.publish == "auto" and not settings.redis else settings.publish


def _become_supervisor(
    flags: dict[str, object], switches: list[str], environment: dict[str, str]
) -> None:
    """Replace this process with the supervisor, which inherits the open descriptors."""
    words = [f"--{name}={value}" for name, value in flags.items()]
    command = [*module_command("gateway.cli.up.supervisor_main"), *words, *switches]
    os.execve(sys.executable, command, environment)  # noqa: S606 - needs no shell
