"""Loading in a sacrificial child: whatever a file does, it does it there."""

from __future__ import annotations

import os
import time

import pytest

from runtime.errors import LoadError, ProcessError
from runtime.processes.fork_server import ForkServer
from runtime.registry.child_load import inspect
from runtime.registry.discovery import discover
from tests.support.waiting import allowed


@pytest.fixture
def inspect_source(folder, loading_server):
    def run(source: str, *, deadline_s: float = 5.0, **others: str):
        folder.write("sample.py", source)
        for name, text in others.items():
            folder.write(f"{name}.py", text)
        [bundle] = [f.bundle for f in discover(folder.root) if f.file == "sample.py"]
        return inspect(loading_server, bundle, deadline_s=deadline_s)

    return run


def test_manifests_come_back(inspect_source):
    source = (
        "from penstock import function\nimport _h\n"
        "@function(retries=2)\ndef one(a: int): return a\n@function\ndef two(): pass\n"
    )

    one, two = inspect_source(source, _h="X = 1\n")

    assert (one.name, two.name, one.file) == ("one", "two", "sample.py")
    assert one.options.retry.retries == 2
    assert one.parameters["properties"] == {"a": {"type": "integer"}}


MARK = "from penstock import function\n"
ODD_SCHEMA = "Annotated[int, Field(json_schema_extra={'type': 'odd'})]"
BROKEN = {
    "syntax": ("x = 1\ndef (", "SyntaxError", 2),
    "raises": ("def f():\n    1 / 0\nf()\n", "ZeroDivisionError", 2),
    "option": (MARK + "\n@function(retries='x')\ndef sample(): pass\n", "OptionError", 3),
    "sys.exit": ("import sys\n\nsys.exit(3)\n", "Exited", 3),
    "os._exit": ("import os\nos._exit(3)\n", "Exited", None),
    "segfault": ("import ctypes\n\nctypes.string_at(0)\n", "Crashed", 3),
    "kill": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "Crashed", None),
    "abort": ("import os\nos.abort()\n", "Crashed", 2),
    "regex": ("import re\n\nre.match('(a+)+b', 'a' * 60)\n", "Timeout", 3),
    "sleep": ("import time\ndef wait():\n    time.sleep(60)\nwait()\n", "Timeout", 3),
    "loop": ("import signal\nsignal.alarm(0)\nwhile True:\n    pass\n", "Timeout", None),
    "helper hangs": ("import _h\n", "Timeout", 2),
    "memory": ("x = []\nwhile True:\n    x.append(bytes(100_000_000))\n", "MemoryError", 3),
    "import": ("import no_such_package\n", "ModuleNotFoundError", 1),
    "nothing": ("def other(): pass\n", "NoFunction", None),
    "schema": (
        f"from typing import *\nfrom pydantic import *\n\ndef sample(a: {ODD_SCHEMA}): pass\n",
        "SchemaError",
        4,
    ),
    "schedule": (
        MARK + "\n@function(schedule='61 * * * *')\ndef sample(): pass\n",
        "OptionError",
        3,
    ),
    "time zone": (
        MARK + "\n@function(schedule='1 * * * *', timezone='Mars')\ndef sample(): pass\n",
        "OptionError",
        3,
    ),
}


@pytest.mark.parametrize(("source", "kind", "line"), BROKEN.values(), ids=BROKEN)
def test_every_way_to_be_broken_has_its_name_and_line(inspect_source, source, kind, line):
    with pytest.raises(LoadError) as caught:
        inspect_source(source, deadline_s=0.5, _h="import time\ntime.sleep(60)\n")

    assert caught.value.kind == kind
    if line is not None:
        assert caught.value.line == line
    assert caught.value.file == ("_h.py" if "import _h" in source else "sample.py")
    assert caught.value.message


def test_a_pattern_that_only_python_reads_is_no_fault(inspect_source):
    pattern = r"Field(pattern=re.compile(r'(?P<a>x)\Z(?<=x)'))"
    source = "import re\nfrom typing import *\nfrom pydantic import *\n"
    source += f"def sample(a: Annotated[str, {pattern}]): pass\n"

    [manifest] = inspect_source(source)

    assert "pattern" in manifest.parameters["properties"]["a"]
    assert manifest.validation_schema["properties"]["a"] == {"type": "string"}


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ("@function(schedule='0 0 30 2 *')\ndef sample(): pass\n", "day-of-month"),
        ("@function(schedule='0 0 */30 2 mon#2')\ndef sample(): pass\n", "no such day"),
        ("@function(schedule='* * * * *')\ndef sample(a: int, b=1): pass\n", "default: a; or"),
        ("@function(schedule='* * * * *')\ndef sample(r: Request): pass\n", "no Request"),
    ],
)
def test_a_schedule_that_could_never_invoke_the_function_is_an_error(inspect_source, declared, why):
    with pytest.raises(LoadError, match=r"@function\(schedule=.*" + why) as caught:
        inspect_source(f"from penstock import Request, function\n\n{declared}")

    assert (caught.value.kind, caught.value.file, caught.value.line) == (
        "OptionError",
        "sample.py",
        3,
    )


def test_a_schedule_goes_into_the_manifest(inspect_source):
    declared = "@function(schedule='0 9 * * mon-fri', timezone='Europe/Berlin')\n"

    [manifest] = inspect_source(f"{MARK}{declared}def sample(a=1): pass\n")

    options = manifest.options
    assert (options.schedule, options.timezone) == ("0 9 * * mon-fri", "Europe/Berlin")


def test_the_deadline_is_kept(inspect_source):
    start = time.monotonic()

    with pytest.raises(LoadError, match="Timeout"):
        inspect_source("import re\nre.match('(a+)+b', 'a' * 60)\n", deadline_s=0.3)

    assert time.monotonic() - start < allowed(2)


def test_what_is_printed_or_closed_while_loading_does_not_disturb_the_answer(inspect_source, capfd):
    source = (
        "import os, sys\nprint('x' * 100_000)\nsys.stderr.write('y')\n"
        "os.write(1, b'raw')\nos.closerange(3, 200)\ndef sample(): pass\n"
    )

    assert [m.name for m in inspect_source(source)] == ["sample"]


def test_threads_left_running_do_not_keep_the_child(inspect_source):
    source = (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\ndef sample(): pass\n"
    )

    assert [m.name for m in inspect_source(source)] == ["sample"]


def test_no_bytecode_is_written_beside_the_files(inspect_source, folder):
    source = (
        "import sys, pathlib\nsys.path.insert(0, str(pathlib.Path(__file__).parent))\n"
        "import importlib\nimportlib.import_module('_h')\ndef sample(): pass\n"
    )

    inspect_source(source, _h="X = 1\n")

    assert not list(folder.root.rglob("*.pyc"))


def test_a_fork_server_that_is_stopped_is_not_the_files_fault(folder):
    server = ForkServer(preload=(), environment={"PATH": os.defpath})
    server.stop()
    folder.write("sample.py", "def sample(): pass\n")
    [found] = discover(folder.root)

    with pytest.raises(ProcessError):
        inspect(server, found.bundle)


FORGED = """
import json
from runtime.processes.channel import Channel
from runtime.registry import child_load_main
send = Channel.send
def forge(self, kind, body):
    manifests = json.loads(body)
    {forge}
    send(self, kind, json.dumps(manifests).encode())
Channel.send = forge
def sample(): pass
"""


@pytest.mark.parametrize(
    "forge",
    [
        "manifests[0]['name'] = 'vic' + 'tim'",
        "manifests.append(manifests[0] | {'name': 'bil' + 'ling.vic' + 'tim'})",
        "manifests[0]['file'] = 'victim.py'",
        "manifests[0]['version'] = '0' * 12",
    ],
)
def test_a_file_that_forges_what_it_publishes_publishes_nothing(inspect_source, forge):
    with pytest.raises(LoadError) as reported:
        inspect_source(FORGED.replace("{forge}", forge))

    assert reported.value.kind in {"BadName", "Garbled"}
    assert reported.value.file == "sample.py"


def test_exceptions_that_are_retried_are_published_in_full(inspect_source):
    policy = "{'retries': 1, 'on': ['_h.Busy', 'Own', OSError, 'json.JSONDecodeError']}"
    source = (
        "from penstock import function\nclass Own(Exception): ...\n"
        f"@function(retries={policy})\ndef sample(): ...\n"
    )

    [manifest] = inspect_source(source, _h="class Busy(Exception): ...\n")

    assert manifest.options.retry.on == (
        "functions._h.Busy",
        "functions.sample.Own",
        "OSError",
        "json.decoder.JSONDecodeError",
    )


@pytest.mark.parametrize("on", ["mypackage.errors.Custom", "Missing", "json.loads", "_h.Missing"])
def test_an_exception_that_can_never_match_is_an_error_with_its_line(inspect_source, on):
    source = (
        "from penstock import function\n\n"
        f"@function(retries={{'retries': 1, 'on': '{on}'}})\ndef sample(): ...\n"
    )

    with pytest.raises(LoadError, match="exception classes, or their names") as reported:
        inspect_source(source, _h="")

    assert (reported.value.kind, reported.value.line) == ("OptionError", 3)
