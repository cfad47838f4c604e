"""A full disk, the limit of all environments together, and what is removed first."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import pytest

from runtime.dependencies import disk_use
from runtime.dependencies.builder import Builder, BuilderOptions, DependencyError, environments_of
from tests.integration.dependencies.conftest import resolved
from tests.support.wheels import write_wheel

# Run with a file system of its own that has 40 MB.
ON_A_SMALL_DISK = """
import json, os, sys
from pathlib import Path
from runtime.dependencies.builder import Builder, BuilderOptions, DependencyError, environments_of
from tests.integration.dependencies.conftest import resolved

place, environment = Path(sys.argv[1]), json.loads(sys.argv[2])
builder = Builder(environments_of(place), environment=environment,
                  options=BuilderOptions(free_bytes=0))
lock = resolved(builder, 'dependencies = ["large"]')
try:
    builder.build(lock)
    print("built")
except DependencyError as error:
    print(error.kind)
left = [each.name for each in (place / "envs").glob("*") if not each.name.startswith(".")]
left += [each.name for each in (place / "envs").glob(".building-*")]
print(left)
builder.stop()
"""


def remove_unused(builder: Builder, *, most_bytes: int, kept: Collection[str] = ()) -> list[str]:
    environments = builder.environments
    return disk_use.remove_unused(
        environments, most_bytes=most_bytes, kept=kept, remove=environments.remove
    )


def own_mounts(*words: str) -> list[str]:
    return ["unshare", "--user", "--map-root-user", "--mount", "--", *words]


def may_mount() -> bool:
    tried = subprocess.run(own_mounts("true"), check=False, capture_output=True)
    return tried.returncode == 0


@pytest.mark.skipif(not may_mount(), reason="this machine allows no mounts of one's own")
def test_a_disk_that_fills_up_in_mid_build_leaves_nothing(
    environment: dict[str, str], index: Path, tmp_path: Path
):
    write_wheel(index, "large", "1.0", {"large.py": "X = '" + "x" * 60_000_000 + "'\n"})
    small = tmp_path / "small"
    small.mkdir()
    program = [sys.executable, "-c", ON_A_SMALL_DISK, str(small), json.dumps(environment)]
    mounted = f'mount -t tmpfs -o size=40m none "{small}" && exec "$@"'

    done = subprocess.run(
        own_mounts("sh", "-c", mounted, "sh", *program),
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )

    assert done.stdout.splitlines()[-2:] == ["DiskFull", "[]"], done.stderr


def test_a_build_that_would_fill_the_disk_is_not_begun(environment: dict[str, str], tmp_path: Path):
    greedy = Builder(
        environments_of(tmp_path / "data"),
        environment=environment,
        options=BuilderOptions(free_bytes=10**18),
    )
    lock = resolved(greedy, 'dependencies = ["demo"]')

    with pytest.raises(DependencyError, match="a build must leave") as caught:
        greedy.build(lock)

    greedy.stop()
    assert caught.value.kind == "DiskFull"
    assert greedy.find(lock) is None


def test_the_longest_unused_go_first(builder: Builder):
    built = [
        builder.build(resolved(builder, f'dependencies = ["demo=={version}"]'))
        for version in ("1.0", "2.0")
    ]
    an_hour_ago = time.time() - 3600
    os.utime(builder.environments.folder / f".used-{built[1].key}", (an_hour_ago, an_hour_ago))

    removed = remove_unused(builder, most_bytes=built[0].size_bytes + 1000)

    assert removed == [built[1].key]
    assert [each.key for each in builder.environments.all()] == [built[0].key]


def test_what_serves_stays_whatever_it_takes(builder: Builder):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))

    assert remove_unused(builder, most_bytes=0, kept={built.key}) == []
    assert builder.find(resolved(builder, 'dependencies = ["demo"]')) == built


def test_a_week_without_use_is_enough(builder: Builder):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))
    long_ago = time.time() - 8 * 86_400
    os.utime(builder.environments.folder / f".used-{built.key}", (long_ago, long_ago))

    removed = remove_unused(builder, most_bytes=10**12)

    assert removed == [built.key]


def test_the_cache_is_pruned_while_nobody_builds(builder: Builder, environment: dict[str, str]):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))

    builder.prune_cache()

    assert builder.environments.find(built.key) == built
    assert Path(environment["UV_CACHE_DIR"]).is_dir()
