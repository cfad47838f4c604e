"""The functions on docs/functions-that-wait.md load, and run as closely packed as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[4] / "docs/functions-that-wait.md").read_text(encoding="utf-8")
FUNCTIONS = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (.*?) \| (\d+)", re.MULTILINE)


@pytest.mark.parametrize(
    ("source", "name", "window"),
    list(zip(FUNCTIONS, ("embedding", "exchange_rate"), (100, 20), strict=True)),
)
def test_a_function_of_the_page_loads(load_source, source: str, name: str, window: int):
    [function] = load_source(source).values()

    assert function.manifest.name == name
    assert function.manifest.window == window


def test_the_defaults_are_those_of_the_page(load_source):
    said = [int(window) for _, window in ROW.findall(PAGE)][:4]
    codes = (
        "async def sample(): yield 1",
        "def sample(): pass",
        "@function(per_process=20)\ndef sample(): pass",
        "@function(isolation='thread')\nasync def sample(): pass",
    )

    found = [load_source(f"from penstock import function\n{code}\n") for code in codes]

    assert [functions["sample"].manifest.window for functions in found] == said
