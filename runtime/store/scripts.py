"""Load the Lua scripts: source, SHA-1 and the argument names that their headers declare.

Every write that must be atomic is one file in lua/. This module binds the ARGV names of its header
to Lua locals and writes out the keys, so that a script and its caller cannot disagree on an index
or a key. The only KEYS entry is the partition's prefix. A last ARGV name that ends in `...` stands
for all remaining values, from index `rest` on.

The functions of an `include` are defined whenever the script is called. Those of an `include when
needed` are defined by the first `lazy()` and called as `lazy().<function>`, because Redis creates
a script's functions again at each call; until then `loaded` is false. A lazy include may have lazy
includes of its own. `lazy()` returns the functions of all of them, even if the script includes
some of them directly.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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
    """One Lua file: its name, its ARGV names, and the source that Redis runs."""

    name: str
    argv: tuple[str, ...]
    source: str
    sha: str


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """One request to Redis and how to parse its reply; any connection can run it.

    Attributes:
        words: The command and its arguments; for a script, the ARGV values only.
        parse: Turns the raw reply (bytes, int, list, None) into a value.
        script: The script to run, or None for a plain command.
    """

    words: tuple[Argument, ...]
    parse: Callable[[Any], T]
    script: Script | None = None


@cache
def load_script(name: str) -> Script:
    """Read lua/<name>.lua, add its includes, bind its ARGV names and write out its keys."""
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


def pairs(flat: Sequence[T]) -> Iterator[tuple[T, T]]:
    """Yield the pairs of a flat reply such as HGETALL's: a field, its value, a field and so on."""
    parts = iter(flat)
    return zip(parts, parts, strict=True)


def call_script(name: str, words: tuple[Argument, ...], parse: Callable[[Any], T]) -> Command[T]:
    """Return the command that runs lua/<name>.lua with these ARGV values."""
    return Command(words, parse, load_script(name))


@cache
def all_scripts() -> tuple[Script, ...]:
    """Return all scripts; connections load them when they open."""
    names = sorted(f.name.removesuffix(".lua") for f in _LUA.iterdir() if f.name.endswith(".lua"))
    return tuple(load_script(name) for name in names)


def read_includes(names: Iterable[str], *, besides: Collection[str] = ()) -> dict[str, str]:
    """Read includes, and the includes of these, each once and after those it needs."""
    found: dict[str, str] = {}
    for name in names:
        text = (_LUA / "include" / f"{name}.lua").read_text(encoding="utf-8")
        own = read_includes(_INCLUDE.findall(text), besides=besides)
        found.update({one: text for one, text in own.items() if one not in found})
        if name not in found and name not in besides:
            found[name] = text
    return found


def _write_includes(body: str) -> list[str]:
    """Return the text that precedes a script: its includes, and `lazy` if it has lazy ones."""
    included = read_includes(_INCLUDE.findall(body))
    lazy: dict[str, str] = {}
    wanted: dict[str, None] = {}
    unread = [body, *included.values()]
    while unread:
        names = _INCLUDE_WHEN_NEEDED.findall(unread.pop(0))
        found = read_includes(names, besides={**included, **lazy})
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
