"""The interpreter that a file asks for is one that answers."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from runtime.dependencies.interpreters import PythonUnavailableError, find_interpreter

NEXT = f"3.{sys.version_info.minor + 1}"


def write_program(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return program


def an_interpreter(folder: Path, name: str, version: tuple[int, int, int]) -> Path:
    """Write a program that answers as an interpreter of a version does."""
    said = f'[[{version[0]}, {version[1]}, {version[2]}], "cpython-{version[0]}{version[1]}"]'
    return write_program(folder, name, f"echo '{said}'")


def test_the_workers_own_is_taken_if_it_fits(tmp_path: Path):
    an_interpreter(tmp_path, f"python{NEXT}", (3, sys.version_info.minor + 1, 0))

    found = find_interpreter(">=3.11", pythons=(), environment={"PATH": str(tmp_path)})

    assert found.path == sys.executable


def test_a_broken_and_a_hanging_one_are_passed_over(tmp_path: Path):
    write_program(tmp_path / "broken", "python3.15", "echo 'command not found' >&2; exit 127")
    write_program(tmp_path / "hanging", "python3.14", "exec sleep 60")
    named = an_interpreter(tmp_path / "here", "python", (3, 13, 5))
    path = f"{tmp_path / 'broken'}:{tmp_path / 'hanging'}"
    began_at = time.monotonic()

    found = find_interpreter("==3.13.*", pythons=(str(named),), environment={"PATH": path})

    assert (found.path, found.text) == (str(named), "3.13.5")
    assert time.monotonic() - began_at < 6


def test_the_newest_that_fits_is_taken(tmp_path: Path):
    for minor in (13, 14):
        an_interpreter(tmp_path, f"python3.{minor}", (3, minor, 1))

    found = find_interpreter(">=3.13", pythons=(), environment={"PATH": str(tmp_path)})

    assert found.text == "3.14.1"


def test_none_is_told_with_what_is_here_and_what_to_do(tmp_path: Path):
    old = an_interpreter(tmp_path, "old", (3, 9, 2))

    with pytest.raises(PythonUnavailableError) as caught:
        find_interpreter("<3.10", pythons=(str(old),), environment={"PATH": str(tmp_path)})

    text = str(caught.value)
    assert "<3.10" in text
    assert "3.9.2" in text
    assert "PENSTOCK_PYTHONS" in text


def test_one_that_was_broken_is_found_when_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = write_program(tmp_path, "python", "exit 1")
    with pytest.raises(PythonUnavailableError):
        find_interpreter("==3.14.*", pythons=(str(program),), environment={"PATH": ""})
    an_interpreter(tmp_path, "python", (3, 14, 0))
    now = time.monotonic()
    monkeypatch.setattr("runtime.dependencies.interpreters.time.monotonic", lambda: now + 61)

    found = find_interpreter("==3.14.*", pythons=(str(program),), environment={"PATH": ""})

    assert found.text == "3.14.0"
