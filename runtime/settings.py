"""The table of all settings: each has a type, a default and a one-sentence description.

A composition root (`gateway.app`, `runtime.worker.main`, a command) reads the settings once and
passes them down. Each setting is the environment variable `PENSTOCK_<NAME>`; a `.env` file in the
working directory is read too. This module imports only the standard library at the top, because
every process reads it first.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runtime.errors import SettingsError
from runtime.setting_values import Field, Setting, read_value, settings_of

MIB = 1024 * 1024
_PREFIX = "PENSTOCK_"
_SECRET_PREFIX = f"{_PREFIX}SECRET_"
_SECRET_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}", re.ASCII)  # also in runtime.sdk.verification
_ENV_FILE = Path(".env")
_SERVICE = re.compile(r"_SERVICE_(?:HOST|PORT)|_PORT_\d+_(?:TCP|UDP)")
_BEATS_IN_A_LEASE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All settings an operator can set."""

    redis: str = Field(
        "",
        description="Redis URL, or Sentinel URL "
        "(`redis+sentinel://host1,host2,host3/mymaster/0`). "
        "If empty, `penstock up` starts an embedded Redis.",
    )
    functions: Path = Field(Path("functions"), description="Folder with the function files.")
    data: Path = Field(
        Path(".penstock"), description="Folder for the embedded Redis's data and for secrets."
    )
    host: str = Field("127.0.0.1", description="Address the gateway listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the gateway listens on.")
    gateways: int = Field(1, ge=1, le=64, description="Number of gateway processes.")
    workers: int = Field(2, ge=1, le=256, description="Number of worker processes.")
    runners: int = Field(
        8,
        ge=1,
        le=256,
        description="Number of runner processes per worker. A runner serves one function at a "
        "time, with up to `per_process` attempts at once.",
    )
    max_in_flight: int = Field(
        1000,
        ge=1,
        le=100_000,
        description="Maximum number of attempts in flight in one worker process, over all "
        "functions.",
    )
    loop_stall_s: float = Field(
        1.0,
        gt=0,
        le=3600,
        description="An `async def` function that blocks its event loop for longer than this many "
        "seconds gets a warning in its log, with the source line.",
    )
    publish: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether this worker may replace published functions with its own folder. "
        "`auto`: only if this folder, or one with the same files, was published last; `always`; "
        "`never`.",
    )
    queues: tuple[str, ...] = Field(
        (), description="Queues this worker serves, comma-separated. If empty, all queues."
    )
    auth: Literal["auto", "required", "off"] = Field(
        "auto",
        description="Whether callers need an API key. `auto`: no on loopback, yes otherwise; "
        "`required`; `off`.",
    )
    url: str = Field(
        "", description="Base URL of the system that the commands and the Python client call."
    )
    key: str = Field(
        "", repr=False, description="API key that the commands and the Python client send."
    )
    public_url: str = Field(
        "",
        description="Public base URL of the gateway, used for links in callbacks. If empty, "
        "those links are relative.",
    )
    cors_origins: tuple[str, ...] = Field(
        (),
        description="Origins whose web pages may use the API, such as `https://app.example`, "
        "comma-separated; or `*` for any. Functions add their own by `cors`.",
    )
    callback_secret: tuple[str, ...] = Field(
        (),
        description="Secrets that sign callbacks (`whsec_…`), comma-separated. Give two while "
        "rotating.",
    )
    callback_allow: tuple[str, ...] = Field(
        (),
        description="Private networks (CIDR) or host names that callbacks are allowed to reach.",
    )
    callback_allow_loopback: bool = Field(
        default=False,
        description="Allow callbacks to loopback addresses. `up` sets this when it listens on "
        "loopback.",
    )
    function_env: tuple[str, ...] = Field(
        (),
        description="Names of the environment variables that functions can read, comma-separated.",
    )
    max_body_bytes: int = Field(
        MIB, ge=1, is_size=True, description="Maximum size of a request body."
    )
    max_batch_bytes: int = Field(
        16 * MIB, ge=1, is_size=True, description="Maximum size of a batch's request body."
    )
    max_held_bytes: int = Field(
        256 * MIB,
        ge=1,
        is_size=True,
        description="Maximum total size of the request bodies that a gateway process holds at "
        "once. Above it, requests get 503.",
    )
    max_result_bytes: int = Field(MIB, ge=1, is_size=True, description="Maximum size of a result.")
    max_log_bytes: int = Field(
        64 * 1024, ge=0, is_size=True, description="Maximum size of the output kept per attempt."
    )
    max_waiting: int = Field(
        0,
        ge=0,
        description="Maximum number of waiting invocations per function, unless the function "
        "sets its own. 0: no limit.",
    )
    caller_rate: str = Field(
        "", description="Rate limit per caller, such as `1000/m`. If empty, no limit."
    )
    header_timeout_s: float = Field(
        10, gt=0, description="Maximum time to receive a request's headers, in seconds."
    )
    body_timeout_s: float = Field(
        30, gt=0, description="Maximum time to receive a request's body, in seconds."
    )
    max_wait: float = Field(
        300.0,
        gt=0,
        le=86_400,
        description="Maximum time that a caller waits on `/function/{name}`, in seconds.",
    )
    redis_timeout_s: float = Field(
        1.0,
        gt=0,
        le=60,
        description="Maximum time the gateway waits for one reply from Redis, in seconds.",
    )
    lease_ms: int = Field(
        10_000,
        ge=500,
        description="How long a lease lasts without a heartbeat, in milliseconds. At least three "
        "times the heartbeat interval.",
    )
    heartbeat_ms: int = Field(
        2_000, ge=50, description="Interval between a worker's heartbeats, in milliseconds."
    )
    drain_s: float = Field(
        10,
        ge=0,
        description="How long a stopping worker waits for its running attempts before it "
        "requeues them, in seconds.",
    )
    load_timeout_s: float = Field(
        10, gt=0, description="Maximum time to load a function file, in seconds."
    )
    dependencies: Literal["on", "locked", "off"] = Field(
        "on",
        description="What becomes of a function file that names packages. `on`: they are resolved "
        "and installed; `locked`: only with a lock file beside it; `off`: the file is refused.",
    )
    dependencies_config: Literal["auto", "uv", "pip"] = Field(
        "auto",
        description="Whose configuration says where packages come from. `auto`: uv's, or pip's if "
        "uv's names no index.",
    )
    dependencies_offline: bool = Field(
        default=False, description="Resolve and install packages without using the network."
    )
    dependency_builds: Literal["none", "listed", "all"] = Field(
        "listed",
        description="Which packages may be built from source. `listed`: those that a file lists in "
        "`[tool.penstock] build`.",
    )
    dependency_age: str = Field(
        "",
        description="Minimum age of a release when it is resolved, such as `3d`. If empty, none.",
    )
    pythons: tuple[str, ...] = Field(
        (),
        description="Paths of further Python interpreters for functions, comma-separated. "
        "`python3.11` to `python3.15` on the PATH are found without it.",
    )
    python_downloads: bool = Field(
        default=False, description="Allow uv to download an interpreter that is not here."
    )
    environment_disk: int = Field(
        10_000_000_000,
        ge=0,
        is_size=True,
        description="Maximum disk space of all environments together; unused ones are removed "
        "above it.",
    )
    environment_links: Literal["clone", "copy", "hardlink"] = Field(
        "clone",
        description="How installed files share disk space with the cache. With `hardlink`, a "
        "function that writes into one changes it for all.",
    )
    warm_environments: int = Field(
        8,
        ge=1,
        le=256,
        description="Number of environments per worker that are kept ready without calls.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of log lines that are written."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Format of log lines: `text` for people, `json` for machines."
    )


SETTINGS: dict[str, Setting] = settings_of(Settings)


def read_settings(**overrides: object) -> Settings:
    """Return the settings from the environment and `.env`; `overrides` (flags) win over both.

    Raises:
        SettingsError: A value is invalid; one sentence names the variable and what it takes.
    """
    given = {**_read_variables(), **{k: v for k, v in overrides.items() if v is not None}}
    values = {}
    for name, value in given.items():
        try:
            values[name] = read_value(SETTINGS[name], value)
        except ValueError as error:
            raise SettingsError(f"{_PREFIX}{name.upper()}: {error} (got {value!r})") from None
    settings = Settings(**values)  # type: ignore[arg-type]
    # One late heartbeat would let a shorter lease expire, and a long attempt would run twice.
    if _BEATS_IN_A_LEASE * settings.heartbeat_ms > settings.lease_ms:
        raise SettingsError(
            f"{_PREFIX}HEARTBEAT_MS: a lease must last at least {_BEATS_IN_A_LEASE} heartbeats, "
            f"but {_BEATS_IN_A_LEASE} times {settings.heartbeat_ms} ms is more than "
            f"{_PREFIX}LEASE_MS ({settings.lease_ms} ms); "
            "lower the first or raise the second"
        )
    return settings


def unknown_variables(*, for_functions: Iterable[str] = ()) -> list[str]:
    """Return a warning for each `PENSTOCK_…` variable that is not a setting.

    Variables in `for_functions`, and those that Kubernetes sets for a service named `penstock`,
    are not reported.
    """
    known = [_PREFIX + name.upper() for name in SETTINGS]
    reported = []
    for variable in _say_all():
        name = variable.upper()
        is_known = name in known or _secret_name(name) is not None or _SERVICE.search(name)
        is_ours = name.startswith(_PREFIX) and not is_known
        if is_ours and variable not in for_functions:
            import difflib  # noqa: PLC0415 - needed only when a variable is unknown

            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            reported.append(f"{variable} is not a setting and is ignored{hint}")
    return reported


def are_set(*names: str) -> bool:
    """Whether the environment or `.env` sets any of these settings."""
    return not _read_variables().keys().isdisjoint(names)


def read_environment(*, with_secrets: bool = False) -> dict[str, str]:
    """Return a copy of this process's environment, to start child processes with.

    The secrets of `read_secrets` are left out, because only gateways need them.
    """
    return {k: v for k, v in os.environ.items() if with_secrets or not _is_secret(k)}


def read_secrets() -> dict[str, tuple[str, ...]]:
    """Return the secrets that webhooks are verified with, by name: `PENSTOCK_SECRET_<NAME>`.

    Several are separated by commas: while one replaces another, both are valid.
    """
    return {
        name: tuple(part.strip() for part in text.split(",") if part.strip())
        for variable, text in _say_all().items()
        if text and (name := _secret_name(variable)) is not None
    }


def _is_secret(variable: str) -> bool:
    return variable.upper().startswith(_SECRET_PREFIX)


def _secret_name(variable: str) -> str | None:
    """Return the name of the secret that a variable holds; None if it holds none."""
    name = variable.upper().removeprefix(_SECRET_PREFIX)
    return name if _is_secret(variable) and _SECRET_NAME.fullmatch(name) else None


def _read_variables() -> dict[str, str]:
    """Return the texts of the settings that are set, by name; the environment wins over `.env`."""
    found = {}
    for variable, text in _say_all().items():
        name = variable.upper().removeprefix(_PREFIX).lower()
        if text is not None and name in SETTINGS and variable.upper().startswith(_PREFIX):
            found[name] = text
    return found


def _say_all() -> dict[str, str | None]:
    said: dict[str, str | None] = {}
    if _ENV_FILE.is_file():
        from dotenv import dotenv_values  # noqa: PLC0415 - needed only when there is a .env file

        said.update(dotenv_values(_ENV_FILE, encoding="utf-8"))
    said.update(os.environ)
    return said
