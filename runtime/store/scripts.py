"""The Lua scripts as values: source, hash, and the names its header promises.

Every write that must be atomic is one file in lua/. Its header names ARGV and
RETURNS; this module turns the names into Lua locals and puts the key functions
in front, so that script and caller cannot disagree on an index or a key. The one
KEYS entry is the partition's prefix. A last ARGV name ending in `...` stands for
all the rest, from index `rest` on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Generic, TypeVar

from runtime.store.keys import lua_prelude

_FIELD = re.compile(r"^-- (ARGV|RETURNS) +(.+)$", re.MULTILINE)
_INCLUDE = re.compile(r"^-- include: (\w+)$", re.MULTILINE)

Argument = bytes | str | int
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file: what its header promises, and the source Redis runs."""

    name: str
    argv: tuple[str, ...]
    source: str
    sha: str


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request to Redis and how to read its reply; run it on any store.

    Attributes:
        words: The command and its arguments; for a script, its ARGV only.
        parse: From the raw reply (bytes, int, list, None) to a value.
        script: The script to run, or None for a plain command.
    """

    words: tuple[Argument, ...]
    parse: Callable[[Any], T]
    script: Script | None = None


@cache
def load_script(name: str) -> Script:
    """Read lua/<name>.lua, pull in its includes and bind its names."""
    folder = resources.files("runtime.store") / "lua"
    body = (folder / f"{name}.lua").read_text(encoding="utf-8")
    header = dict(_FIELD.findall(body))
    argv = tuple(part.strip() for part in header.get("ARGV", "").split(",") if part.strip())
    included = [
        (folder / "include" / f"{part}.lua").read_text(encoding="utf-8")
        for part in _INCLUDE.findall(body)
    ]
    bound = []
    for index, arg in enumerate(argv, 1):
        bound.append(
            f"local rest = {index}" if arg.endswith("...") else f"local {arg} = ARGV[{index}]"
        )
    source = "\n".join([lua_prelude("".join([*included, body])), *included, *bound, body])
    return Script(name, argv, source, hashlib.sha1(source.encode()).hexdigest())  # noqa: S324


@cache
def all_scripts() -> tuple[Script, ...]:
    """Return every script there is; connections load them when they open."""
    folder = resources.files("runtime.store") / "lua"
    names = sorted(f.name.removesuffix(".lua") for f in folder.iterdir() if f.name.endswith(".lua"))
    return tuple(load_script(name) for name in names)
