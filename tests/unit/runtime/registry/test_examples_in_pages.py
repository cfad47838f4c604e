"""Every function shown in the README and on the pages of docs loads as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXAMPLES = [
    pytest.param(block, id=f"{page.stem}-{count}")
    for page in PAGES
    for count, block in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8")))
    if ("from penstock import" in block or "def handle(" in block) and "def test_" not in block
]


def test_no_page_imports_a_function_s_names_from_runtime():
    pages = {page: page.read_text(encoding="utf-8") for page in PAGES}

    assert [str(page) for page, text in pages.items() if "from runtime import" in text] == []


@pytest.mark.parametrize("source", EXAMPLES)
def test_an_example_loads_and_publishes_one_function(load_source, source: str):
    functions = load_source(source)

    assert len(functions) == 1
