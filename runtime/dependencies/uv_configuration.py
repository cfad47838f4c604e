"""The environment of uv: its own configuration, or pip's in uv's words.

Penstock names no package index. uv reads its own files and `UV_*` variables. If these name no
index and pip's configuration does, pip's is translated, so that whoever can `pip install` here
can deploy a function that needs packages. Secrets of Penstock and of functions are not passed on.
"""

from __future__ import annotations

import ast
import contextlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Source = Literal["auto", "uv", "pip"]

_PASSED_ON = re.compile(
    r"(PATH|HOME|LANG|LC_\w+|TMPDIR|USER|LOGNAME|XDG_\w+|NETRC|SSL_CERT_FILE|SSL_CERT_DIR"
    r"|UV_\w+|PIP_\w+|(HTTPS?|ALL|NO)_PROXY)",
    re.IGNORECASE,
)
_UV_INDEXES = (
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
)
_UV_MEMBERS = ("index", "index-url", "extra-index-url", "find-links", "no-index")
_PIP_LIMIT_S = 20.0
_TRUE = {"1", "true", "yes", "on"}
_PIP_LINE = re.compile(r"(?P<section>[^.]+)\.(?P<name>[^=]+)=(?P<value>.+)")
_URL_SECRET = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s]+@", re.IGNORECASE)
# What pip calls it, what uv does, and what stands between several values there.
_TRANSLATION = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "constraint": ("UV_CONSTRAINT", " "),
    "cert": ("SSL_CERT_FILE", " "),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class UvConfiguration:
    """How uv is started.

    Attributes:
        environment: The whole environment of its process.
        arguments: Options for each of its commands that reads an index.
        from_pip: The names in `environment` that come from pip's configuration.
    """

    environment: Mapping[str, str]
    arguments: tuple[str, ...] = ()
    from_pip: tuple[str, ...] = ()


def configure(environment: Mapping[str, str], *, source: Source = "auto") -> UvConfiguration:
    """Return how to start uv.

    Args:
        environment: The environment of this process.
        source: `uv`: pip's configuration is not read; `pip`: it is, whatever uv's says; `auto`:
            it is if uv's names no index.
    """
    ours = {name: text for name, text in environment.items() if _PASSED_ON.fullmatch(name)}
    if source == "uv" or (source == "auto" and _names_an_index(ours)):
        return UvConfiguration(environment=ours)
    options = read_pip_configuration(environment)
    translated = {}
    for name, (variable, between) in _TRANSLATION.items():
        if words := options.get(name, "").split():
            translated[variable] = between.join(words)
    if {"UV_INDEX", "UV_FIND_LINKS"} & translated.keys():
        # pip takes the best version of all its indexes; uv only looks at the first that has any.
        translated["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return UvConfiguration(
        environment=ours | translated,
        arguments=("--no-index",) if options.get("no-index", "").lower() in _TRUE else (),
        from_pip=tuple(sorted(translated)),
    )


def mask(text: str) -> str:
    """Return a text with the credentials in its addresses replaced by `***`."""
    return _URL_SECRET.sub(r"\g<scheme>***@", text)


def read_pip_configuration(environment: Mapping[str, str]) -> dict[str, str]:
    """Return pip's options by name, as pip itself reads its files and variables; {} without pip."""
    command = [sys.executable, "-I", "-m", "pip", "config", "list"]
    try:
        answer = subprocess.run(  # noqa: S603 - our own interpreter
            command,
            env=dict(environment),
            capture_output=True,
            check=True,
            text=True,
            timeout=_PIP_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[str, dict[str, str]] = {}
    for line in answer.stdout.splitlines():
        if match := _PIP_LINE.fullmatch(line):
            with contextlib.suppress(ValueError, SyntaxError):
                text = str(ast.literal_eval(match["value"]))
                found.setdefault(match["section"], {})[match["name"]] = text
    # Later ones win, as in pip: its command's own section over the global one, variables over both.
    return found.get("global", {}) | found.get("install", {}) | found.get(":env:", {})


def _names_an_index(environment: Mapping[str, str]) -> bool:
    if any(environment.get(name) for name in _UV_INDEXES):
        return True
    for file in _configuration_files(environment):
        try:
            members = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if any(name in (members | members.get("pip", {})) for name in _UV_MEMBERS):
            return True
    return False


def _configuration_files(environment: Mapping[str, str]) -> list[Path]:
    """Return the places of uv's own configuration, as uv's page on its files names them."""
    if named := environment.get("UV_CONFIG_FILE"):
        return [Path(named)]
    user = environment.get("XDG_CONFIG_HOME") or f"{environment.get('HOME', '/')}/.config"
    system = environment.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return [Path(folder, "uv/uv.toml") for folder in (user, *system.split(":"))] + [
        Path("/etc/uv/uv.toml")
    ]
