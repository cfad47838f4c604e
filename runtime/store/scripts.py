"""The Lua scripts as values: source, hash, and the names its header promises.

Every write that must be atomic is one file in lua/. Its header names ARGV and
RETURNS; this module turns the names into Lua locals and writes out the keys, so
that script and caller cannot disagree on an index or a key. The one KEYS entry is
the partition's prefix. A last ARGV name ending in `...` stands for all the rest,
from index `rest` on.

An include's functions are there at once, or, with `include when needed`, as
`lazy().<function>`: Redis makes a script's functions anew at each call, so what is
seldom needed is only made then. `loaded` is false until it was. An include may need
others so, too: whoever else includes them, `lazy()` has their functions.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Generic, TypeVar

from runtime.store.redis_keys import spell_out_keys

_FIELD = re.compile(r"^-- (ARGV|RETURNS) +(.+)$", re.MULTILINE)
_INCLUDE = re.compile(r"^-- include: (\w+)$", re.MULTILINE)
_INCLUDE_WHEN_NEEDED = re.compile(r"^-- include when needed: (\w+)$", re.MULTILINE)
_FUNCTION = re.compile(r"^local function (\w+)", re.MULTILINE)

Argument = bytes | str | int
T = TypeVar("T")
_LUA = resources.files("runtime.store") / "lua"


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file: what its header promises, and the source Redis runs."""

    name: str
    argv: tuple[str, ...]
    source: str
    sha: str


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
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
    body = (_LUA / f"{name}.lua").read_text(encoding="utf-8")
    header = dict(_FIELD.findall(body))
    argv = tuple(part.strip() for part in header.get("ARGV", "").split(",") if part.strip())
    bound = []
    for index, arg in enumerate(argv, 1):
        bound.append(
            f"local rest = {index}" if arg.endswith("...") else f"local {arg} = ARGV[{index}]"
        )
    parts = ["local P = KEYS[1]", *_write_includes(body), *bound, body]
    source = spell_out_keys("\n".join(parts))
    return Script(name, argv, source, hashlib.sha1(source.encode()).hexdigest())  # noqa: S324


@cache
def all_scripts() -> tuple[Script, ...]:
    """Return every script there is; connections load them when they open."""
    names = sorted(f.name.removesuffix(".lua") for f in _LUA.iterdir() if f.name.endswith(".lua"))
    return tuple(load_script(name) for name in names)


def _read_includes(names: Iterable[str], *, besides: Collection[str] = ()) -> dict[str, str]:
    """Read includes and what they include themselves, each once and after what it needs."""
    found: dict[str, str] = {}
    for name in names:
        text = (_LUA / "include" / f"{name}.lua").read_text(encoding="utf-8")
        own = _read_includes(_INCLUDE.findall(text), besides=besides)
        found.update({one: text for one, text in own.items() if one not in found})
        if name not in found and name not in besides:
            found[name] = text
    return found


def _write_includes(body: str) -> list[str]:
    """Return what a script includes: what is there at once, and `lazy` if it needs that."""
    included = _read_includes(_INCLUDE.findall(body))
    lazy: dict[str, str] = {}
    wanted: dict[str, None] = {}
    unread = [body, *included.values()]
    while unread:
        names = _INCLUDE_WHEN_NEEDED.findall(unread.pop(0))
        found = _read_includes(names, besides={**included, **lazy})
        wanted.update(dict.fromkeys(names))
        lazy.update(found)
        unread += found.values()
    if not wanted:
        return list(included.values())
    text = "\n".join(lazy.values())
    known = "\n".join([text, *(included[name] for name in wanted if name in included)])
    table = ", ".join(f"{name} = {name}" for name in _FUNCTION.findall(known))
    make = f"lazy = function()\nif loaded then return loaded end\n{text}\nloaded = {{ {table} }}"
    return ["local loaded, lazy = false", *included.values(), f"{make}\nreturn loaded\nend"]
