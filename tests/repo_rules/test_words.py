"""Names are the field's words: the retired private ones do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "penstock", "runtime", "functions", "examples")
# What to say instead is in ARCHITECTURE.md, "Glossary".
RETIRED = frozenset(
    [
        "bell",
        "birth",
        "born",
        "chore",
        "chores",
        "condemn",
        "doorkeeper",
        "ear",
        "ears",
        "foresight",
        "hear",
        "hears",
        "heard",
        "hearing",
        "judge",
        "judged",
        "judgement",
        "judges",
        "judging",
        "lookout",
        "newborn",
        "poke",
        "poked",
        "shelf",
        "shelve",
        "spoil",
        "spoiled",
        "stock",
        "tell",
        "telling",
        "tells",
        "tenure",
        "told",
        "verdict",
        "wish",
        "call_options",
    ]
)
STORED = frozenset({"judged_by"})  # a field of manifests in Redis: workers of before write it
_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


def words(name: str) -> set[str]:
    """Return the words of an identifier or a file name, in lower case."""
    return {word.lower() for word in _WORD.findall(name)}


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Yield every name that this module gives to something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def files(suffix: str) -> list[Path]:
    return sorted(file for package in PACKAGES for file in (ROOT / package).rglob(f"*{suffix}"))


def test_no_identifier_is_made_of_a_retired_word():
    found = {
        f"{file.relative_to(ROOT)}: {name}"
        for file in files(".py")
        for name in identifiers(ast.parse(file.read_text(encoding="utf-8")))
        if words(name) & RETIRED and name not in STORED
    }

    assert not found, "\n".join(sorted(found))


@pytest.mark.parametrize("suffix", [".py", ".lua", ".js"])
def test_no_file_is_named_by_a_retired_word(suffix):
    found = [str(file.relative_to(ROOT)) for file in files(suffix) if words(file.stem) & RETIRED]

    assert not found


def test_a_script_has_no_function_named_by_a_retired_word():
    found = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in files(".lua")
        for name in re.findall(r"local function (\w+)", file.read_text(encoding="utf-8"))
        if words(name) & RETIRED
    ]

    assert not found
