"""House rules about files, as tests. Each failure says which rule and why."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from runtime.store.scripts import load_script

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("gateway", "penstock", "runtime", "functions", "examples", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
LUA = sorted((ROOT / "runtime/store/lua").glob("*.lua"))
VAGUE = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "types"}
LONGEST = 400
_WHY = "Longer than 400 lines because"  # a docstring that says so may stand above a longer file
_BOUND = re.compile(r"unpack\(.*--.* at most [\d,]+|--.*unpack\(")
_ELSEWHERE = {
    # Written in pieces, so that this file is not its own first finding.
    "a registry's host": re.compile(
        r"py" r"pi\.org|python" r"hosted|npm" r"js\.org|deb\.deb" r"ian|--(?:extra-)?index" r"-url"
    ),
    "a path of somebody's machine": re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|Users)/"),
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked_texts() -> list[tuple[Path, str]]:
    """Return every file of the project that is text."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    found = []
    for entry in filter(None, listing.stdout.split("\0")):
        try:
            found.append((ROOT / entry, (ROOT / entry).read_text(encoding="utf-8")))
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return found


def faults_of(path: Path) -> list[str]:
    """Return what a file of ours lacks."""
    text = path.read_text(encoding="utf-8")
    faults = []
    if len(text.splitlines()) > LONGEST and _WHY not in text:
        faults.append(f"more than one concept: split it, or say '{_WHY} …'")
    if path.stem in VAGUE:
        faults.append("name the concept, not the drawer")
    if text.strip() and not ast.get_docstring(ast.parse(text)):
        faults.append("say what concept lives here and who calls it")
    return faults


def test_every_file_is_short_documented_and_named_for_a_concept():
    faulty = {name(path): faults for path in FILES if (faults := faults_of(path))}

    assert not faulty


@pytest.mark.parametrize("path", LUA, ids=name)
def test_script_says_what_goes_in_what_comes_out_and_why_it_is_one(path: Path):
    text = path.read_text(encoding="utf-8")

    script = load_script(path.stem)

    assert text.startswith(f"-- {path.stem}: "), "begin with the name and a sentence"
    for heading in ("ARGV", "RETURNS", "MOST", "WHY ONE SCRIPT"):
        assert f"\n-- {heading}" in text, f"the header lacks {heading!r}"
    assert len(set(script.argv)) == len(script.argv)


@pytest.mark.parametrize("path", [*LUA, *sorted(LUA[0].parent.glob("include/*.lua"))], ids=name)
def test_script_says_how_long_each_list_is_that_it_unpacks(path: Path):
    """Lua passes some 8,000 values to a call; what was written before one more stays half done."""
    lines = path.read_text(encoding="utf-8").splitlines()

    silent = [line for line in lines if "unpack(" in line and not _BOUND.search(line)]

    assert not silent, "say `-- at most N` behind it, or use in_pieces"


@pytest.mark.parametrize("what", _ELSEWHERE)
def test_no_file_names(what: str):
    pattern = _ELSEWHERE[what]

    found = {
        name(path): match[0] for path, text in tracked_texts() if (match := pattern.search(text))
    }

    assert not found, f"{what}: it means nothing on other machines"


def test_every_package_says_what_it_is_for():
    packages = [path.parent for path in FILES if path.name == "__init__.py"]
    ours = [path for path in packages if path.relative_to(ROOT).parts[0] != "tests"]

    silent = [name(path) for path in ours if not (path / "__init__.py").read_text().strip()]

    assert not silent
