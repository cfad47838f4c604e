"""Every command that the README and the pages of docs show works as it stands there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from tests.support.commands import clean_environment
from tests.support.receiver import Receiver, receiving
from tests.support.system import System, running_system
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/operations").glob("*.md")),
]
# These are run elsewhere: the installation and `up` by tests/e2e/cli, the rest as told.
ELSEWHERE = {
    "make ": "Makefile and tests/e2e/cli/test_up.py",
    "penstock up": "tests/e2e/cli/test_up.py",
    " embedding": "tests/unit/functions/test_embedding.py: it asks an API",
    "/embedding/": "tests/unit/functions/test_embedding.py: it asks an API",
    "openapi.json -o": "tests/clients",
    "/functions/chart": "tests/e2e/test_examples.py: it needs packages",
    "/functions/table_report": "tests/e2e/test_examples.py: it needs packages",
    "/functions/page_to_markdown": "tests/e2e/test_examples.py: it needs packages",
}
SECRET = {"PENSTOCK_SECRET_GITHUB": "what only GitHub and we know"}
REFUSED = "marks=eleven"  # the README shows what a wrong argument gets
_BLOCK = re.compile(r"(?:^(?: {4}|   {4}).*\n|^\n(?= {4}))+", re.MULTILINE)
_COMMAND = re.compile(r"^(curl|penstock|where=\$\(curl|echo) ?")
_SHOUT = re.compile(r"```python\n(.*?def shout.*?)```", re.DOTALL)
_NAMED = re.compile(r"^```python\n((?:(?!^```).*\n)*?def (\w+)(?:.*\n)*?)^```", re.MULTILINE)
PRELUDE = """
curl() { command curl -fsS --max-time 20 "$@"; }
penstock() { "$PYTHON" -m gateway.cli.main "$@"; }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """Commands that stand together on a page."""

    page: str
    lines: tuple[str, ...]


def commands_of(page: Path) -> Iterator[Shown]:
    """Yield what a reader copies from a page: blocks of commands, without prompts and output."""
    text = re.sub(r"^```.*?^```\n", "\n", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    for block in _BLOCK.findall(text):
        lines = [line.strip() for line in block.replace("\\\n", " ").splitlines()]
        if any(line.startswith("$ ") for line in lines):
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        if any(_COMMAND.match(line) for line in lines):
            yield Shown(str(page.relative_to(ROOT)), tuple(line for line in lines if line))


SHOWN = [shown for page in PAGES for shown in commands_of(page)]


def where_run(shown: Shown) -> str | None:
    """Return where else these commands are run."""
    text = "\n".join(shown.lines)
    return next((place for part, place in ELSEWHERE.items() if part in text), None)


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with the functions that come with Penstock and the one of the README."""
    folder = tmp_path_factory.mktemp("documented")
    functions = folder / "functions"
    shutil.copytree(ROOT / "functions", functions, ignore=shutil.ignore_patterns("__pycache__"))
    found = _SHOUT.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    (functions / "shout.py").write_text(found[1])
    for block, name in _NAMED.findall((ROOT / "docs/http-functions.md").read_text()):
        (functions / f"{name}.py").write_text(block)
    Image.new("RGB", (64, 48), "teal").save(folder / "photo.png")
    (folder / "calls.ndjson").write_text('{"text": "a"}\n{"text": "b"}\n')
    (folder / "words.csv").write_text("text\na\nb\n")
    (folder / "table.csv").write_text("city,population\nBergen,291940\n")
    allowed = {"PENSTOCK_CALLBACK_ALLOW": "127.0.0.1/32"}
    with running_system(folder, functions=functions, environment=allowed | SECRET) as system:
        for name in ("shout", "thumbnail", "github_digest", "countdown", "sms", "add"):
            eventually(lambda name=name: system.http.get(f"/functions/{name}").status_code == 200)
        yield system


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


def filled_in(line: str, system: System, receiver: Receiver) -> str:
    """Put real addresses and ids where a page shows examples."""
    line = line.replace("http://127.0.0.1:8000", system.base_url)
    for example in ("https://shop.example/done", "http://127.0.0.1:9000/"):
        line = line.replace(example, receiver.url("/ok"))
    if "<id>" not in line and " ID" not in line:
        return line
    if "batches/<id>" in line or "--batch" in line:
        made = system.http.post("/functions/shout/batch", json=[{"text": "a"}]).json()["id"]
    elif "schedules" in line:
        body = {"function": "shout", "cron": "0 9 * * *", "arguments": {"text": "a"}}
        made = system.http.post("/schedules", json=body).json()["id"]
    elif "keys" in line:
        made = system.http.post("/keys", json={"name": "a", "scopes": ["read"]}).json()["id"]
    elif "-X DELETE" in line:
        made = system.http.post("/functions/shout?delay=1h", json={"text": "a"}).json()["id"]
    else:
        made = system.call("shout", text="a", wait_s=20).json()["id"]
    return line.replace("<id>", made).replace(" ID", f" {made}")


@pytest.mark.parametrize(
    "shown", [one for one in SHOWN if where_run(one) is None], ids=lambda one: one.page
)
def test_what_a_page_shows_works(documented: System, receiver: Receiver, shown: Shown):
    lines = [filled_in(line, documented, receiver) for line in shown.lines]
    script = "\n".join([PRELUDE, f"U={documented.base_url}", *lines])

    done = subprocess.run(
        ["sh", "-ec", script],
        capture_output=True,
        check=False,
        cwd=documented.data.parent,
        env=clean_environment()
        | {"PYTHON": sys.executable, "PENSTOCK_DATA": str(documented.data)}
        | SECRET,
        text=True,
        timeout=50,
    )
    documented.http.patch("/queues/default", json={"paused": False})

    assert (done.returncode == 0) != (REFUSED in script), f"{script}\n{done.stdout}\n{done.stderr}"


def test_pages_show_commands():
    assert len(SHOWN) > 20
    assert sum(where_run(shown) is None for shown in SHOWN) > 12
