"""The tests that docs/write-a-function.md shows pass, for the function that it shows."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[4] / "docs" / "write-a-function.md"
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMES = ("functions.billing", "functions.billing.invoice")


def test_the_tests_that_the_page_shows_pass(monkeypatch: pytest.MonkeyPatch):
    blocks = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    [function] = [block for block in blocks if "def invoice(" in block]
    [tests] = [block for block in blocks if "from penstock.testing import" in block]
    for name in NAMES:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    exec(function, vars(sys.modules[NAMES[1]]))
    shown: dict[str, object] = {}

    exec(tests, shown)

    cases = [case for name, case in shown.items() if name.startswith("test_")]
    assert len(cases) == 4
    for case in cases:
        case()  # type: ignore[operator]
