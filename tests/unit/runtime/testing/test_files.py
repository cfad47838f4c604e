"""A function file is called as a system would load it: with its helpers, under its own name."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from penstock.testing import LoadError, call
from runtime.errors import UnknownFunctionError

ROOT = Path(__file__).parents[4]
TWO = """
from penstock import Context, function
import _rates

@function()
def first(ctx: Context) -> list[object]:
    return [ctx.function, _rates.RATE]

@function()
def second() -> int:
    return 2
"""


@pytest.fixture
def two(tmp_path: Path) -> Path:
    folder = tmp_path / "functions" / "billing"
    folder.mkdir(parents=True)
    (tmp_path / "functions" / "_rates.py").write_text("RATE = 3\n")
    (folder / "two.py").write_text(TWO)
    return folder / "two.py"


def test_a_file_is_called_by_its_path():
    assert call(ROOT / "functions" / "hello.py", name="Ada") == "Hello, Ada!"


def test_a_function_of_a_file_is_named_in_full_or_by_its_last_part(two: Path):
    assert call(f"{two}:first") == call(f"{two}:billing.first") == ["billing.first", 3]
    assert call(f"{two}:second") == 2


def test_which_function_is_meant_must_be_said(two: Path):
    with pytest.raises(UnknownFunctionError, match=r"publishes billing\.first, billing\.second"):
        call(two)
    with pytest.raises(UnknownFunctionError, match="publishes no 'third'"):
        call(f"{two}:third")


def test_a_file_is_loaded_once_and_again_when_it_changes(tmp_path: Path):
    file = tmp_path / "count.py"
    file.write_text("seen = []\ndef count() -> int:\n    seen.append(1)\n    return len(seen)\n")

    assert [call(file), call(file)] == [1, 2]
    file.write_text(file.read_text() + "\n")
    assert call(file) == 1


def test_two_equal_files_share_nothing(tmp_path: Path):
    files = [tmp_path / name / "count.py" for name in "ab"]
    for file in files:
        file.parent.mkdir()
        file.write_text(
            "seen = []\ndef count() -> int:\n    seen.append(1)\n    return len(seen)\n"
        )

    assert [call(file) for file in files] == [1, 1]


def test_the_package_functions_is_left_to_the_test_s_own_imports(two: Path):
    before = sys.modules.get("functions")

    call(f"{two}:second")

    assert sys.modules.get("functions") is before


def test_a_link_is_called_by_its_own_name(two: Path, tmp_path: Path):
    (tmp_path / "functions" / "linked.py").symlink_to(two)

    assert call(f"{tmp_path}/other/../functions/linked.py:first") == ["first", 3]


def test_the_folder_of_functions_may_have_any_name(two: Path, monkeypatch: pytest.MonkeyPatch):
    folder = two.parents[1].rename(two.parents[2] / "handlers")
    monkeypatch.setenv("PENSTOCK_FUNCTIONS", str(folder))

    assert call(f"{folder}/billing/two.py:first") == ["billing.first", 3]


def test_no_folder_beside_a_file_is_searched(two: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("other", "billing/deeper"):
        (two.parents[1] / name).mkdir()
    entered: list[str] = []
    scan = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda place: entered.append(Path(place).name) or scan(place)
    )

    call(f"{two}:second")

    assert entered == ["functions", "billing"]


def test_a_missing_package_is_an_import_error_that_says_what_to_do(tmp_path: Path):
    file = tmp_path / "needs.py"
    body = "import a_package_of_nobody\ndef needs() -> int:\n    return 1\n"
    file.write_text(f'# /// script\n# dependencies = ["a-package-of-nobody"]\n# ///\n{body}')

    with pytest.raises(ModuleNotFoundError, match="a_package_of_nobody") as missing:
        call(file)

    [note] = missing.value.__notes__
    assert f"penstock run {file}" in note


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("broken.py", "def broken(", "SyntaxError"),
        ("empty.py", "", "nothing to publish"),
        ("_helper.py", "", "not a function file"),
        ("Bad-Name.py", "", "cannot be part of a function's name"),
    ],
)
def test_a_file_that_publishes_nothing_says_why(tmp_path: Path, name: str, source: str, said: str):
    (tmp_path / name).write_text(source)

    with pytest.raises(LoadError, match=said):
        call(tmp_path / name)


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        call(tmp_path / "nothing.py")
