"""Children of an environment's fork server see its packages, ours, and no others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.dependencies.builder import Builder, BuilderOptions, environments_of
from runtime.dependencies.environment_folder import Environment
from runtime.dependencies.environment_servers import EnvironmentServers
from runtime.errors import ProcessError
from runtime.processes.fork_server import ForkServer
from runtime.registry.bundle import Bundle
from runtime.registry.child_load import LOADING, inspect
from tests.integration.dependencies.conftest import environment_with, resolved
from tests.support.wheel_index import make_index
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


ODD = {
    "threaded": "import threading\n"
    "threading.Thread(target=threading.Event().wait, daemon=True).start()\n",
    "raising": "raise RuntimeError('no')\n",
    "exiting": "import sys\nsys.exit(3)\n",
    "crashing": "import os\nos.abort()\n",
}


@pytest.fixture(scope="module")
def builder(companions: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builder]:
    folder = tmp_path_factory.mktemp("children")
    index = make_index(folder / "index", companions)
    write_wheel(index, "early", "1.0", {"early.py": "import os\nPID = os.getpid()\n"})
    for name, source in ODD.items():
        write_wheel(index, name, "1.0", {f"{name}.py": source})
    environment = environment_with(index, folder / "home")
    made = Builder(
        environments_of(folder / "data"), environment=environment, options=BuilderOptions()
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def built(builder: Builder) -> Environment:
    """One environment with everything that these tests need."""
    listed = ", ".join(f'"{name}"' for name in ("demo==2.0", "early", *ODD))
    return builder.build(resolved(builder, f"dependencies = [{listed}]"))


@pytest.fixture(scope="module")
def servers(builder: Builder) -> Iterator[EnvironmentServers]:
    made = EnvironmentServers(
        builder.environments,
        preload=("runtime.execution.runner_main", "runtime.execution.preload", LOADING),
        environment={"PATH": os.defpath},
    )
    yield made
    made.stop()


@pytest.fixture(scope="module")
def completing() -> Iterator[ForkServer]:
    server = ForkServer(preload=(), environment={"PATH": os.defpath})
    yield server
    server.stop()


def load(server: ForkServer, completing: ForkServer, source: str):
    bundle = Bundle(root="/functions", file="f.py", sources={"f.py": source.encode()})
    return inspect(server, bundle, completing=completing)


def test_a_file_is_loaded_where_its_packages_are(built, servers, completing):
    [manifest] = load(servers.server_of(built), completing, DOCUMENTED)

    assert manifest.summary == "Say it."
    assert manifest.parameters["properties"]["a"]["description"] == "One."


@pytest.mark.parametrize("name", ["redis", "falcon", "msgspec", "dramatiq", "structlog", "gateway"])
def test_what_is_ours_is_not_found(built, servers, completing, name: str):
    with pytest.raises(Exception, match=f"No module named '{name}'"):
        load(servers.server_of(built), completing, f"import {name}\ndef f(): ...\n")


def test_a_schedule_that_cannot_be_is_told_all_the_same(built, servers, completing):
    source = "from penstock import function\n@function(schedule='0 0 31 2 *')\ndef f(): ...\n"

    with pytest.raises(Exception, match="Bad day-of-month"):
        load(servers.server_of(built), completing, source)


def test_what_is_wished_is_imported_before_the_fork(built, servers, completing):
    source = "import early, os\nassert early.PID == os.getppid()\ndef f(): ...\n"

    assert load(servers.server_of(built, ["early"]), completing, source)


@pytest.mark.parametrize("module", sorted(ODD))
def test_what_cannot_be_preloaded_is_left_out(built, servers, completing, module: str, capfd):
    source = f"import sys\nassert {module!r} not in sys.modules\ndef f(): ...\n"

    assert load(servers.server_of(built, [module]), completing, source)
    assert "not preloaded" in capfd.readouterr().err


def test_a_removed_environment_starts_no_server(builder: Builder):
    other = builder.build(resolved(builder, 'dependencies = ["demo==1.0"]'))
    servers = EnvironmentServers(builder.environments, preload=(), environment={})
    builder.environments.remove(other.key)

    with pytest.raises(ProcessError, match="has been removed"):
        servers.server_of(other)
