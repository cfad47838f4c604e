"""What a check may find is one list: in the scripts, in the table of kinds, in the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from runtime.invocations.check_summary import FINDING_KINDS
from runtime.store.check_commands import Place

ROOT = Path(__file__).parents[2]
LUA = ROOT / "runtime/store/lua"
PAGE = ROOT / "docs/operations/check.md"
_FOUND = re.compile(r"found(?:_only)?\('(\w+)',")


def test_every_kind_that_a_script_finds_is_in_the_table():
    paths = [*LUA.glob("check_*.lua"), LUA / "include/findings.lua"]
    texts = [path.read_text(encoding="utf-8") for path in paths]

    found = {kind for text in texts for kind in _FOUND.findall(text)}
    strays = {f"stray_in_{place}" for place in get_args(Place)}

    assert found | strays == set(FINDING_KINDS)


def test_the_page_explains_every_kind():
    text = PAGE.read_text(encoding="utf-8")

    said = set(re.findall(r"`(\w+)`", text))

    assert {kind for kind in FINDING_KINDS if not kind.startswith("stray_in_")} <= said
