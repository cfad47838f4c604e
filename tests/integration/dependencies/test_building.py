"""Blocks are resolved and environments built with the real uv, from a folder of wheels."""

from __future__ import annotations

import json
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runtime.dependencies.builder import Builder, BuilderOptions, DependencyError, environments_of
from runtime.dependencies.environment_folder import Environment
from tests.integration.dependencies.conftest import metadata_of, resolved
from tests.support.wheels import write_sdist, write_wheel


def run(environment: Environment, program: str) -> str:
    """Return what a program prints in an environment."""
    command = [environment.program, "-P", "-s", "-c", program]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def test_a_block_becomes_an_environment_with_what_it_names(builder: Builder):
    lock = resolved(builder, 'dependencies = ["demo==1.0"]')

    built = builder.build(lock)

    assert run(built, "import demo, pydantic; print(demo.VERSION)") == "1.0"
    assert ("demo", "1.0") in built.packages
    assert built.size_bytes > 1_000_000
    assert builder.find(lock) == built


def test_what_is_locked_has_hashes_and_stays_as_it_is(builder: Builder, index: Path):
    metadata = metadata_of('dependencies = ["demo<2"]')
    lock = builder.resolve(metadata)
    write_wheel(index, "demo", "1.5", {"demo.py": "VERSION = '1.5'\n"})

    built = builder.build(lock)

    assert "demo==1.0 \\\n    --hash=sha256:" in lock.requirements
    assert ("demo", "1.0") in built.packages


def test_another_file_under_a_locked_name_is_refused(
    builder: Builder, environment: dict[str, str], index: Path, tmp_path: Path
):
    lock = resolved(builder, 'dependencies = ["demo==1.0"]')
    write_wheel(index, "demo", "1.0", {"demo.py": "VERSION = 'poisoned'\n"})
    elsewhere = Builder(
        environments_of(tmp_path / "other machine"),
        environment=environment | {"UV_CACHE_DIR": str(tmp_path / "other cache")},
        options=BuilderOptions(),
    )

    with pytest.raises(DependencyError, match=r"[Hh]ash mismatch") as caught:
        elsewhere.build(lock)

    elsewhere.stop()
    assert caught.value.kind == "DependencyUnavailable"
    assert elsewhere.find(lock) is None


def test_an_environment_is_read_only_and_described(builder: Builder):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))

    writable = [
        path
        for path in Path(built.folder).rglob("*")
        if not path.is_symlink() and path.lstat().st_mode & (stat.S_IWUSR | stat.S_IWGRP)
    ]
    assert writable == []
    described = json.loads((Path(built.folder) / "environment.json").read_text())
    assert described["packages"][-1][0]
    assert described["python"].startswith("3.")


def test_two_blocks_have_two_versions_of_one_package(builder: Builder):
    one, two = (
        builder.build(resolved(builder, f'dependencies = ["demo=={version}"]'))
        for version in ("1.0", "2.0")
    )

    program = "import demo; print(demo.VERSION)"
    assert (run(one, program), run(two, program)) == ("1.0", "2.0")


def test_many_who_want_one_environment_at_once_build_it_once(
    builder: Builder, environment: dict[str, str], tmp_path: Path
):
    lock = resolved(builder, 'dependencies = ["demo"]')
    others = [
        Builder(
            environments_of(tmp_path / "data"), environment=environment, options=BuilderOptions()
        )
        for _ in range(3)
    ]

    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(lambda each: each.build(lock), [builder, *others] * 2))

    for other in others:
        other.stop()
    assert len({(each.key, each.built_at) for each in built}) == 1


def test_a_conflict_is_told_in_the_resolvers_words(builder: Builder):
    with pytest.raises(DependencyError, match=r"demo==9 and|only demo") as caught:
        resolved(builder, 'dependencies = ["demo==9"]')

    assert caught.value.kind in {"DependencyConflict", "DependencyUnavailable"}


def test_pydantic_1_is_told_to_be_in_conflict_with_ours(builder: Builder):
    with pytest.raises(
        DependencyError, match=r"Penstock's runner needs pydantic>=2.7,<3"
    ) as caught:
        resolved(builder, 'dependencies = ["pydantic<2"]')

    assert caught.value.kind == "DependencyConflict"


def test_what_is_nowhere_is_unavailable(builder: Builder):
    with pytest.raises(DependencyError, match="no-such-thing") as caught:
        resolved(builder, 'dependencies = ["no-such-thing"]')

    assert caught.value.kind == "DependencyUnavailable"


WHEEL = "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
BACKEND = """
import os, pathlib, zipfile
pathlib.Path({witness!r}).write_text(repr(sorted(os.environ)))

def get_requires_for_build_wheel(settings=None): return []

def build_wheel(folder, settings=None, metadata=None):
    info = "sourced-1.0.dist-info"
    with zipfile.ZipFile(pathlib.Path(folder, "sourced-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("sourced.py", "VERSION = 1")
        wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: sourced\\nVersion: 1.0")
        wheel.writestr(info + "/WHEEL", {wheel!r})
        wheel.writestr(info + "/RECORD", "")
    return "sourced-1.0-py3-none-any.whl"
"""


@pytest.fixture
def witness(index: Path, tmp_path: Path) -> Path:
    """Written by the code of a source distribution, if it runs."""
    file = tmp_path / "witness"
    write_sdist(index, "sourced", "1.0", BACKEND.format(witness=str(file), wheel=WHEEL))
    return file


def test_code_of_a_source_distribution_does_not_run(builder: Builder, witness: Path):
    with pytest.raises(DependencyError, match=r"\[tool.penstock\] build") as caught:
        resolved(builder, 'dependencies = ["sourced"]')

    assert caught.value.kind == "DependencyBuildRefused"
    assert not witness.exists()


def test_a_listed_one_is_built_without_our_variables(builder: Builder, witness: Path):
    lock = resolved(builder, 'dependencies = ["sourced"]', "[tool.penstock]", 'build = ["sourced"]')

    built = builder.build(lock)

    assert run(built, "import sourced; print(sourced.VERSION)") == "1"
    assert not [name for name in witness.read_text().split("'") if name.startswith("PENSTOCK")]


def test_a_wheel_that_hangs_as_python_starts_is_not_used(
    environment: dict[str, str], index: Path, tmp_path: Path
):
    write_wheel(index, "hanging", "1.0", {"hanging.pth": "import time; time.sleep(600)\n"})
    hasty = Builder(
        environments_of(tmp_path / "data"),
        environment=environment,
        options=BuilderOptions(start_limit_s=1),
    )
    lock = resolved(hasty, 'dependencies = ["hanging"]')

    with pytest.raises(DependencyError, match="did not start within 1 s") as caught:
        hasty.build(lock)

    hasty.stop()
    assert caught.value.kind == "DependencyBuildFailed"
    assert not list(hasty.environments.folder.glob(".building-*"))
