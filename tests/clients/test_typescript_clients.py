"""The TypeScript clients of the live document, compiled and used; and what its linters say.

Run by `make clients`, which installs the generators with npm.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.support.system import System
from tests.support.waiting import eventually

HERE = Path(__file__).parent
NODE_MODULES = HERE.parents[1] / ".venv/node/node_modules"
TYPES = ("--default-non-nullable=false",)  # what has a default need not be given
CLIENTS = ("fetched", "heyed")
pytestmark = [pytest.mark.clients, pytest.mark.timeout(300)]


def run_node(folder: Path, tool: str, *words: str) -> str:
    """Run a tool of the packages; return what it said, after seeing that it was content."""
    path = str(NODE_MODULES / ".bin" / tool) if tool != "node" else tool
    ran = subprocess.run(
        [path, *words], cwd=folder, capture_output=True, text=True, timeout=200, check=False
    )
    assert ran.returncode == 0, f"{tool} {' '.join(words)}\n{ran.stdout}{ran.stderr}"
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def folder(called: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the document, and what reads it beside the packages."""
    place = tmp_path_factory.mktemp("typescript")
    for file in (HERE / "typescript").iterdir():
        shutil.copy(file, place)
    (place / "node_modules").symlink_to(NODE_MODULES)
    (place / "openapi.json").write_bytes(called.http.get("/openapi.json").content)
    return place


@pytest.fixture(scope="module")
def compiled(called: System, folder: Path) -> Path:
    """Both clients, generated and compiled; then a function is published that they do not know."""
    said = run_node(folder, "openapi-typescript", "openapi.json", *TYPES, "--output", "schema.ts")
    said += run_node(folder, "openapi-ts")
    assert "warning" not in said.lower()
    run_node(folder, "tsc", "--project", ".")
    called.write("later", "def later(x: int) -> int:\n    return x\n")
    eventually(lambda: called.http.get("/functions/later").is_success, within_s=20)
    return folder / "out"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_calls_what_it_knows_and_what_came_later(
    called: System, compiled: Path, picture: bytes, client: str
):
    text = b64encode(picture).decode("ascii")

    said = run_node(compiled, "node", f"{client}.js", called.base_url, text)

    found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
    sizes = [Image.open(BytesIO(b64decode(found.pop(by)))).size for by in ("byJson", "byBytes")]
    assert sizes == [(32, 16), (128, 64)]
    assert found == {
        "hello": "Hello, Ada!",
        "small": "image/png",
        "code": "arguments_invalid",
        "pointer": "/width",
        "scheduled": {"name": "Ada"},
        "later": 42,
    }


def test_redocly_finds_nothing(folder: Path):
    said = run_node(folder, "redocly", "lint", "openapi.json", "--config", "redocly.yaml")

    assert "Your API description is valid" in said
    assert "warning" not in said.lower().replace("deprecation warning", "")


def test_spectral_finds_nothing(folder: Path):
    said = run_node(
        folder, "spectral", "lint", "openapi.json", "--ruleset", "spectral.yaml", "-F", "hint"
    )

    assert "No results" in said
