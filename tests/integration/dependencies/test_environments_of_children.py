"""Children of an environment's fork server see its packages, ours, and no others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.dependencies.builder import Builder
from runtime.dependencies.environment_servers import EnvironmentServers
from runtime.errors import ProcessError
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.child_load import LOADING, inspect
from tests.integration.dependencies.conftest import resolved
from tests.support.wheels import write_wheel

DOCUMENTED = '''
import demo
def f(a: int = 1) -> str:
    """Say it.

    Args:
        a: One.
    """
assert demo.VERSION == "2.0"
'''


@pytest.fixture
def servers(builder: Builder) -> Iterator[EnvironmentServers]:
    made = EnvironmentServers(
        builder.environments,
        preload=("runtime.execution.runner_main", "runtime.execution.preload", LOADING),
        environment={"PATH": os.defpath},
    )
    yield made
    made.stop()


@pytest.fixture
def completing() -> Iterator[ForkServer]:
    server = ForkServer(preload=(), environment={"PATH": os.defpath})
    yield server
    server.stop()


def load(server: ForkServer, completing: ForkServer, source: str):
    bundle = Bundle(root="/functions", file="f.py", sources={"f.py": source.encode()})
    return inspect(server, bundle, completing=completing)


def test_a_file_is_loaded_where_its_packages_are(builder, servers, completing):
    built = builder.build(resolved(builder, 'dependencies = ["demo==2.0"]'))
    server = servers.server_of(built)

    [manifest] = load(
        server,
        completing,
        DOCUMENTED,
    )

    assert manifest.summary == "Say it."
    assert manifest.parameters["properties"]["a"]["description"] == "One."


@pytest.mark.parametrize("name", ["redis", "falcon", "msgspec", "dramatiq", "structlog", "gateway"])
def test_what_is_ours_is_not_found(builder, servers, completing, name: str):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))

    with pytest.raises(Exception, match=f"No module named '{name}'"):
        load(servers.server_of(built), completing, f"import {name}\ndef f(): ...\n")


def test_a_schedule_that_cannot_be_is_told_all_the_same(builder, servers, completing):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))
    source = "from penstock import function\n@function(schedule='0 0 31 2 *')\ndef f(): ...\n"

    with pytest.raises(Exception, match="Bad day-of-month"):
        load(servers.server_of(built), completing, source)


def test_what_is_wished_is_imported_before_the_fork(builder, index: Path, servers, completing):
    write_wheel(index, "early", "1.0", {"early.py": "import os\nPID = os.getpid()\n"})
    built = builder.build(resolved(builder, 'dependencies = ["early"]'))
    source = "import early, os\nassert early.PID == os.getppid()\ndef f(): ...\n"

    assert load(servers.server_of(built, ["early"]), completing, source)


def test_a_module_that_ends_its_threads_before_a_fork_is_preloaded(
    builder, index: Path, servers, completing
):
    module = """
import _thread, os
PID = os.getpid()
ends, ended = _thread.allocate_lock(), _thread.allocate_lock()
ends.acquire()
ended.acquire()
_thread.start_new_thread(lambda: (ends.acquire(), ended.release()), ())
def end():
    if ended.locked():
        ends.release()
        ended.acquire()
        ended.release()
os.register_at_fork(before=end)
"""
    write_wheel(index, "polite", "1.0", {"polite.py": module})
    built = builder.build(resolved(builder, 'dependencies = ["polite"]'))
    source = "import polite, os\nassert polite.PID == os.getppid()\ndef f(): ...\n"

    assert load(servers.server_of(built, ["polite"]), completing, source)


@pytest.mark.parametrize(
    "module",
    [
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n",
        "import _thread, time\n_thread.start_new_thread(time.sleep, (60,))\n",
        "raise RuntimeError('no')\n",
        "import sys\nsys.exit(3)\n",
    ],
)
def test_what_cannot_be_preloaded_is_left_out(
    builder, index: Path, servers, completing, module: str, capfd
):
    write_wheel(index, "odd", "1.0", {"odd.py": module})
    built = builder.build(resolved(builder, 'dependencies = ["odd"]'))
    source = "import sys\nassert 'odd' not in sys.modules\ndef f(): ...\n"

    assert load(servers.server_of(built, ["odd"]), completing, source)
    assert "odd is not preloaded" in capfd.readouterr().err


def test_a_removed_environment_starts_no_server(builder, servers):
    built = builder.build(resolved(builder, 'dependencies = ["demo"]'))
    builder.environments.remove(built.key)

    with pytest.raises(ProcessError, match="has been removed"):
        servers.server_of(built)
