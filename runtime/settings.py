"""Every setting, in one table: a default and a sentence each.

Read once, in a composition root (`gateway.app`, `runtime.worker.main`, the
commands), and passed down. Environment variables are `PENSTOCK_<NAME>`; a
`.env` file beside the process is read too. Every flag of `penstock up` has its
variable here. Standard library only, since every process reads it first.
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
_ENV_FILE = Path(".env")
_SERVICE = re.compile(r"_SERVICE_(?:HOST|PORT)|_PORT_\d+_(?:TCP|UDP)")
_BEATS_IN_A_LEASE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What an operator may choose."""

    redis: str = Field(
        "",
        description="Redis URL, or sentinels (`redis+sentinel://host1,host2,host3/mymaster/0`); "
        "empty means an embedded one (only in `up`).",
    )
    functions: Path = Field(Path("functions"), description="Folder of function files.")
    data: Path = Field(Path(".penstock"), description="Folder for the embedded Redis and secrets.")
    host: str = Field("127.0.0.1", description="Address the gateway binds.")
    port: int = Field(8000, ge=0, le=65535, description="Port the gateway binds.")
    gateways: int = Field(1, ge=1, le=64, description="Gateway processes.")
    workers: int = Field(2, ge=1, le=256, description="Worker processes.")
    runners: int = Field(
        8,
        ge=1,
        le=256,
        description="Runner processes of a worker. Each runs one function at a time, with up to "
        "`per_process` attempts at once.",
    )
    max_in_flight: int = Field(
        1000,
        ge=1,
        le=100_000,
        description="Most attempts that a worker process holds at once, of all functions together.",
    )
    loop_stall_s: float = Field(
        1.0,
        gt=0,
        le=3600,
        description="A call that blocks the event loop of its process for longer gets a warning in "
        "its log, with the line.",
    )
    publish: Literal["auto", "always", "never"] = Field(
        "auto",
        description="Whether this worker's folder may replace what is published: auto: if it is "
        "the folder or holds the files last published; always; never.",
    )
    queues: tuple[str, ...] = Field(
        (), description="Queues this worker serves, comma-separated; empty means all."
    )
    auth: Literal["auto", "required", "off"] = Field(
        "auto", description="auto: open on loopback, a key required elsewhere; required; off."
    )
    key: str = Field("", repr=False, description="API key that commands show a system.")
    public_url: str = Field("", description="Base address of links in callbacks; empty: relative.")
    callback_secret: tuple[str, ...] = Field(
        (), description="Signing secrets `whsec_…`, comma-separated; two while rotating."
    )
    callback_allow: tuple[str, ...] = Field(
        (), description="Networks (CIDR) or host names that callbacks may reach though private."
    )
    callback_allow_loopback: bool = Field(
        default=False, description="Callbacks to loopback are allowed (`up` sets it on loopback)."
    )
    function_env: tuple[str, ...] = Field(
        (), description="Environment variables user code may see, comma-separated names."
    )
    max_body_bytes: int = Field(MIB, ge=1, is_size=True, description="Longest request body.")
    max_batch_bytes: int = Field(
        16 * MIB, ge=1, is_size=True, description="Longest body of a batch."
    )
    max_held_bytes: int = Field(
        256 * MIB,
        ge=1,
        is_size=True,
        description="Request bodies a gateway process holds at once; then 503.",
    )
    max_result_bytes: int = Field(MIB, ge=1, is_size=True, description="Longest result.")
    max_log_bytes: int = Field(
        64 * 1024, ge=0, is_size=True, description="Captured output kept of an attempt."
    )
    max_waiting: int = Field(
        0, ge=0, description="Most waiting invocations of a function without its own; 0: any."
    )
    caller_rate: str = Field(
        "", description="Calls a caller may make, such as 1000/m; empty means any number."
    )
    header_timeout_s: float = Field(10, gt=0, description="Time for a request's headers.")
    body_timeout_s: float = Field(30, gt=0, description="Time for a request's body.")
    redis_timeout_s: float = Field(
        1.0, gt=0, le=60, description="Longest wait of the gateway for one answer of Redis."
    )
    lease_ms: int = Field(
        10_000,
        ge=500,
        description="A lease's length without a heartbeat; three heartbeats must fit in.",
    )
    heartbeat_ms: int = Field(2_000, ge=50, description="Time between a worker's heartbeats.")
    drain_s: float = Field(
        10, ge=0, description="Time a stopping worker gives to what it runs, before giving it back."
    )
    load_timeout_s: float = Field(10, gt=0, description="Time for a function file to load.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line shown."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="Log lines for people or machines."
    )


SETTINGS: dict[str, Setting] = settings_of(Settings)


def read_settings(**overrides: object) -> Settings:
    """Read the environment and `.env`; `overrides` (flags) win.

    Raises:
        SettingsError: One sentence naming the variable and what is wrong.
    """
    given = {**_read_variables(), **{k: v for k, v in overrides.items() if v is not None}}
    values = {}
    for name, value in given.items():
        try:
            values[name] = read_value(SETTINGS[name], value)
        except ValueError as error:
            raise SettingsError(f"{_PREFIX}{name.upper()}: {error} (got {value!r})") from None
    settings = Settings(**values)  # type: ignore[arg-type]
    _check_beats(settings)
    return settings


def _check_beats(settings: Settings) -> None:
    """Refuse leases that a late heartbeat would let run out: what is long would run twice."""
    if _BEATS_IN_A_LEASE * settings.heartbeat_ms > settings.lease_ms:
        raise SettingsError(
            f"{_PREFIX}HEARTBEAT_MS: {_BEATS_IN_A_LEASE} heartbeats must fit in a lease, and "
            f"{_BEATS_IN_A_LEASE} times {settings.heartbeat_ms} ms is more than "
            f"{_PREFIX}LEASE_MS ({settings.lease_ms} ms): "
            "make the one smaller or the other larger"
        )


def unknown_variables(*, for_functions: Iterable[str] = ()) -> list[str]:
    """Return a sentence for each variable that looks like a setting and is none.

    Those are left out that functions are to see, and that Kubernetes sets for a service of our
    name.
    """
    known = [_PREFIX + name.upper() for name in SETTINGS]
    reported = []
    for variable in _say_all():
        name = variable.upper()
        is_ours = name.startswith(_PREFIX) and name not in known and not _SERVICE.search(name)
        if is_ours and variable not in for_functions:
            import difflib  # noqa: PLC0415 - few have any

            close = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "."
            reported.append(f"{variable} is no setting, and is ignored{hint}")
    return reported


def are_set(*names: str) -> bool:
    """Whether any of these settings is said by the environment or `.env`."""
    return not _read_variables().keys().isdisjoint(names)


def read_environment() -> dict[str, str]:
    """Return a copy of this process's environment, for those who start children."""
    return dict(os.environ)


def _read_variables() -> dict[str, str]:
    """Return the settings that are said outside, by name; the environment wins over `.env`."""
    found = {}
    for variable, text in _say_all().items():
        name = variable.upper().removeprefix(_PREFIX).lower()
        if text is not None and name in SETTINGS and variable.upper().startswith(_PREFIX):
            found[name] = text
    return found


def _say_all() -> dict[str, str | None]:
    said: dict[str, str | None] = {}
    if _ENV_FILE.is_file():
        from dotenv import dotenv_values  # noqa: PLC0415 - few have the file

        said.update(dotenv_values(_ENV_FILE, encoding="utf-8"))
    said.update(os.environ)
    return said
