"""A script has every function that it or its includes call: Lua would only say so at the call."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runtime.store import scripts
from runtime.store.scripts import Script, all_scripts

LUA = Path(scripts.__file__).parent / "lua"
_DEFINED = re.compile(r"local function (\w+)")
_CALLED = re.compile(r"(?<![\w.:])(\w+)\(")
_ASKED = re.compile(r"(?:\blazy\(\)|\bloaded)\.(\w+)")
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_OF_INCLUDES = {
    name for path in (LUA / "include").glob("*.lua") for name in _DEFINED.findall(path.read_text())
}


def name_of(script: Script) -> str:
    return script.name


@pytest.mark.parametrize("script", all_scripts(), ids=name_of)
def test_a_script_has_what_it_calls(script: Script):
    source = _COMMENT.sub("", script.source)
    before, _, after = source.partition("lazy = function()")
    lazy, _, rest = after.partition("return loaded\nend")
    table = lazy.rpartition("loaded = {")[2]
    at_once = set(_DEFINED.findall(before + rest))

    assert ("lazy()" in source) == bool(lazy)
    asked = set(_ASKED.findall(source))
    called = set(_CALLED.findall(before + rest)) & _OF_INCLUDES
    called_then = set(_CALLED.findall(lazy)) & _OF_INCLUDES

    assert asked <= set(re.findall(r"(\w+) = ", table))
    assert called <= at_once
    assert called_then <= at_once | set(_DEFINED.findall(lazy))


@pytest.mark.parametrize("script", all_scripts(), ids=name_of)
def test_a_script_has_no_function_twice(script: Script):
    defined = re.findall(r"^local function (\w+)", script.source, re.MULTILINE)

    assert len(defined) == len(set(defined))
