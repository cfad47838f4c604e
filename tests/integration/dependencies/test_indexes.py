"""Indexes as they are: private, offline, silent, wrong, with releases of today."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime.dependencies.builder import Builder, BuilderOptions, DependencyError, environments_of
from runtime.dependencies.release_age import parse_age
from tests.integration.dependencies.conftest import resolved
from tests.support.package_server import package_server
from tests.support.wheels import write_wheel

Make = Callable[..., Builder]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make a builder whose configuration is uv's own, by variables."""
    made: list[Builder] = []

    def builder(*, variables: dict[str, str], **options: object) -> Builder:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "UV_CACHE_DIR": str(home / "cache"),
        }
        one = Builder(
            environments_of(tmp_path / "data"),
            environment=environment | variables,
            options=BuilderOptions(**options),  # type: ignore[arg-type]
        )
        made.append(one)
        return one

    yield builder
    for each in made:
        each.stop()


@contextmanager
def silent_server() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/packages/"


def test_an_index_that_never_answers_ends_in_time(make: Make):
    with silent_server() as address:
        builder = make(variables={"UV_DEFAULT_INDEX": address}, resolve_limit_s=1.5)
        began_at = time.monotonic()
        with pytest.raises(DependencyError, match=r"not resolved within 1\.5 s") as caught:
            resolved(builder, 'dependencies = ["demo"]')

    assert caught.value.kind == "DependencyTimeout"
    assert time.monotonic() - began_at < 10


def test_an_index_whose_files_have_other_hashes_is_refused(make: Make, index: Path):
    with package_server(index, wrong_hashes=True) as address:
        builder = make(variables={"UV_DEFAULT_INDEX": address})
        with pytest.raises(DependencyError, match=r"[Hh]ash mismatch") as caught:
            builder.build(resolved(builder, 'dependencies = ["demo"]'))

    assert caught.value.kind == "DependencyUnavailable"
    assert not list(builder.environments.all())


def test_a_private_index_is_used_and_its_password_is_not_shown(make: Make, index: Path):
    with package_server(index, key="hush") as address:
        private = address.replace("http://", "http://me:hush@")
        builder = make(variables={"UV_DEFAULT_INDEX": private})
        built = builder.build(resolved(builder, 'dependencies = ["demo==1.0"]'))
        with pytest.raises(DependencyError) as caught:
            resolved(builder, 'dependencies = ["no-such-thing"]')

    assert ("demo", "1.0") in built.packages
    assert "no-such-thing" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_offline_is_told_in_the_resolvers_words(make: Make, index: Path):
    with package_server(index) as address:
        builder = make(variables={"UV_DEFAULT_INDEX": address}, is_offline=True)
        with pytest.raises(DependencyError, match=r"network was disabled") as caught:
            resolved(builder, 'dependencies = ["demo"]')

    assert caught.value.kind == "DependencyUnavailable"


def test_an_index_that_refuses_connections_is_unavailable(make: Make):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/packages/"
    builder = make(variables={"UV_DEFAULT_INDEX": address, "UV_HTTP_RETRIES": "0"})

    with pytest.raises(DependencyError) as caught:
        resolved(builder, 'dependencies = ["demo"]')

    assert caught.value.kind == "DependencyUnavailable"


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ((), "demo==2.0"),
        (("[tool.uv]", 'exclude-newer = "2021-01-01T00:00:00Z"'), "demo==1.0"),
        (("[tool.uv]", 'exclude-newer = "2100-01-01T00:00:00Z"'), "demo==2.0"),
        (("[tool.uv]", 'exclude-newer = "1 hour"'), "demo==2.0"),
    ],
)
def test_releases_that_are_too_young_are_passed_over(
    make: Make, index: Path, block: tuple[str, ...], expected: str
):
    write_wheel(index, "demo", "3.0", {"demo.py": "VERSION = '3.0'\n"})
    a_day_ago = datetime.now(UTC) - timedelta(days=1)
    uploaded_at = {
        "demo-3.0-py3-none-any.whl": f"{a_day_ago:%Y-%m-%dT%H:%M:%SZ}",
        "demo-2.0-py3-none-any.whl": "2022-01-01T00:00:00Z",
    }
    with package_server(index, uploaded_at=uploaded_at) as address:
        builder = make(variables={"UV_DEFAULT_INDEX": address}, age=parse_age("3d"))
        lock = resolved(builder, 'dependencies = ["demo"]', *block)

    assert expected in lock.requirements


def test_without_an_age_the_newest_release_is_taken(make: Make, index: Path):
    with package_server(index) as address:
        lock = resolved(make(variables={"UV_DEFAULT_INDEX": address}), 'dependencies = ["demo"]')

    assert "demo==2.0" in lock.requirements
