"""Function files in a folder of their own, loaded in this process and forgotten again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock import Context
from runtime.registry.bundle import Bundle
from runtime.registry.discovery import discover
from runtime.registry.loaded_function import LoadedFunction
from runtime.registry.loading import load

_count = itertools.count()
Load = Callable[..., dict[str, LoadedFunction]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write files, by path, into a fresh functions folder; return it."""
    root = tmp_path / "functions"

    def write_files(files: dict[str, str]) -> Path:
        for file, source in files.items():
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return root

    return write_files


@pytest.fixture
def bundle_of(write) -> Callable[..., Bundle]:
    """Write files and return the bundle of the one named."""

    def make(files: dict[str, str], file: str) -> Bundle:
        found = {f.file: f for f in discover(write(files))}[file]
        assert found.bundle is not None, found.error
        return found.bundle

    return make


@pytest.fixture
def load_source(bundle_of) -> Iterator[Load]:
    """Load one file's source (with helpers beside it); modules are forgotten at the end."""
    loaded: list[LoadedFunction] = []

    def load_files(
        source: str, *, file: str = "sample.py", helpers: dict[str, str] | None = None
    ) -> dict[str, LoadedFunction]:
        bundle = bundle_of({file: source, **(helpers or {})}, file)
        functions = load(bundle, namespace=f"functions_of_test_{next(_count)}")
        loaded.extend(functions.values())
        return functions

    yield load_files
    for function in loaded:
        function.unload()


@pytest.fixture
def result(load_source, request: pytest.FixtureRequest) -> Callable[[str, str], bytes]:
    """Return what a function writes that returns a value; below the module's PREAMBLE."""

    def run(annotation: str, value: str) -> bytes:
        says = f" -> {annotation}" if annotation else ""
        source = f"{request.module.PREAMBLE}def sample(){says}: return {value}\n"
        [function] = load_source(source).values()
        return function.call(b"{}", context=Context()).result

    return run
