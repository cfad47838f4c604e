"""The oldest and the newest pydantic that a function may have, on every interpreter here.

Types of functions are read by walking pydantic's core schemas, which differ between its versions.
Where no index has pydantic's releases, these tests are skipped.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.dependencies.interpreters import OLDEST, Interpreter, probe
from runtime.dependencies.uv_commands import find_uv
from runtime.dependencies.uv_configuration import configure
from tests.support.system import System, running_system
from tests.support.waiting import eventually

pytestmark = pytest.mark.faults  # `make faults`: they fetch packages

BODY = '''
import sys
from dataclasses import dataclass
from typing import Annotated

import pydantic
from pydantic import BaseModel, Field, SecretStr
from typing_extensions import NotRequired, TypedDict


class Part(BaseModel):
    """A part."""

    data: bytes
    note: str = ""


class Row(TypedDict):
    raw: bytes
    name: NotRequired[str]


@dataclass
class Whole:
    parts: list[Part]
    first: bytes | None = None


class Report(BaseModel):
    joined: bytes
    sizes: dict[str, int]
    pydantic: str
    python: str


def {name}(
    whole: Whole,
    rows: list[Row],
    plain: bytes,
    secret: SecretStr,
    either: int | bytes = 1,
    count: Annotated[int, Field(ge=0)] = 1,
) -> Report:
    """Join all bytes."""
    joined = b"".join(part.data for part in whole.parts) + (whole.first or b"")
    joined += b"".join(row["raw"] for row in rows) + plain * count
    joined += secret.get_secret_value().encode()
    joined += either if isinstance(either, bytes) else str(either).encode()
    return Report(
        joined=joined,
        sizes={{"rows": len(rows)}},
        pydantic=pydantic.VERSION,
        python=f"{{sys.version_info.major}}.{{sys.version_info.minor}}",
    )
'''


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


CALL = {
    "whole": {"parts": [{"data": encoded(b"\xff1")}, {"data": encoded(b"2")}], "first": None},
    "rows": [{"raw": encoded(b"3\x00")}],
    "plain": encoded(b"4"),
    "secret": "5",
    "either": 6,
    "count": 2,
}
JOINED = b"\xff123\x004456"


def interpreters() -> dict[str, Interpreter]:
    """Return the interpreters of this machine that functions may run on, by series."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1], 16)]
    folders = [Path(each) for each in os.environ.get("PATH", "").split(":")]  # noqa: TID251
    folders += sorted(Path.home().glob(".pyenv/versions/*/bin"))
    files = dict.fromkeys(folder / name for folder in folders for name in names)
    found = [probe(str(file)) for file in files if file.exists()]
    return {each.series: each for each in found if each is not None and each.version >= OLDEST}


INTERPRETERS = interpreters()


def has_index() -> bool:
    configuration = configure(os.environ)  # noqa: TID251 - where packages come from here
    asked = subprocess.run(
        [find_uv() or "uv", "pip", "compile", "-", "--no-header", *configuration.arguments],
        env=dict(configuration.environment),
        input=b"pydantic==2.7.0",
        capture_output=True,
        check=False,
    )
    return asked.returncode == 0


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    if not has_index():
        pytest.skip("no index here has pydantic 2.7.0")
    folder = tmp_path_factory.mktemp("pydantics")
    (folder / "functions").mkdir()
    for series in INTERPRETERS:
        for resolution in ("lowest", "highest"):
            name = f"{resolution}_{series.replace('.', '_')}"
            block = f"""# /// script
# requires-python = "=={series}.*"
# dependencies = ["pydantic"]
# [tool.uv]
# resolution = "{resolution}"
# ///
"""
            source = block + BODY.format(name=name)
            (folder / "functions" / f"{name}.py").write_text(source, encoding="utf-8")
    pythons = ",".join(each.path for each in INTERPRETERS.values())
    with running_system(folder, environment={"PENSTOCK_PYTHONS": pythons}) as running:
        yield running


def ready(system: System, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = system.http.get(f"/functions/{name}").json()
        assert not found.get("error"), found["error"]
        return found if found["environment"]["state"] == "ready" else None

    return eventually(look, within_s=100, every_s=0.2)


@pytest.mark.parametrize("series", sorted(INTERPRETERS))
@pytest.mark.parametrize("resolution", ["lowest", "highest"])
def test_types_mean_the_same(system: System, series: str, resolution: str):
    name = f"{resolution}_{series.replace('.', '_')}"
    shown = ready(system, name)

    answer = system.call(name, wait_s=30, **CALL).json()
    refused = system.http.post(f"/functions/{name}", json={**CALL, "plain": "no base64!"})

    assert answer["status"] == "succeeded", answer
    assert base64.b64decode(answer["result"]["joined"]) == JOINED
    assert answer["result"]["python"] == series
    version = answer["result"]["pydantic"]
    assert version.startswith("2.")
    assert {"name": "pydantic", "version": version} in shown["dependencies"]
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/plain"


def test_the_oldest_here_is_the_oldest_that_is_allowed(system: System):
    series = min(INTERPRETERS, key=lambda each: INTERPRETERS[each].version)
    shown = ready(system, f"lowest_{series.replace('.', '_')}")

    versions = {each["name"]: each["version"] for each in shown["dependencies"]}
    assert versions["pydantic"].startswith("2.7.")
