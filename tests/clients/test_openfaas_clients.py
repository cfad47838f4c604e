"""Clients and function files of OpenFaaS, unchanged, against a running system.

`faas-cli` is a program in Go that cannot be installed from a package registry of Python or Node, so
its requests are made as its source makes them. Airflow's hook is the real one, without Airflow.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest
import requests

from tests.support import go_decoding
from tests.support.go_decoding import decode
from tests.support.receiver import Receiver
from tests.support.system import System
from tests.support.waiting import eventually

ROOT = Path(__file__).parents[2]
PACKAGES = ROOT / ".venv/openfaas"
SHOUT = "def handle(req):\n    return req.upper()\n"
TAKE_ORDER = """\
import json


def handle(event, context):
    if event.method == "GET":
        return {"statusCode": 200, "body": f"{event.path}?{event.query['of']}"}
    order = json.loads(event.body)
    print("order", order["id"])
    return {
        "statusCode": 201,
        "body": {"id": order["id"], "by": event.headers.get("X-Sender")},
        "headers": {"Location": f"/orders/{order['id']}"},
    }
"""


@pytest.fixture(scope="module")
def dropped(called: System) -> System:
    """The system, with two files as OpenFaaS's templates have them."""
    called.write("shout", SHOUT)
    called.write("take_order", TAKE_ORDER)
    for name in ("shout", "take_order"):
        eventually(lambda n=name: called.http.get(f"/functions/{n}").is_success, within_s=20)
    return called


@pytest.fixture
def cli(dropped: System) -> Iterator[httpx.Client]:
    """A client that sends what `faas-cli` sends, and no more."""
    with httpx.Client(base_url=dropped.base_url, timeout=20, trust_env=False) as client:
        del client.headers["Accept"]
        client.headers["User-Agent"] = "faas-cli/0.17.8"
        yield client


@pytest.fixture(scope="module")
def hook_class() -> Iterator[type[Any]]:
    """Airflow's hook, with stand-ins for the names of Airflow that it imports."""
    subprocess.run(["make", "-s", ".venv/openfaas/installed"], cwd=ROOT, check=True, timeout=50)
    before = dict(sys.modules)
    airflow = ModuleType("airflow")
    airflow.__path__ = [str(PACKAGES / "airflow")]
    airflow.__version__ = "3.1.0"
    sdk = ModuleType("airflow.providers.common.compat.sdk")
    sdk.AirflowException = type("AirflowException", (Exception,), {})
    sdk.BaseHook = type("BaseHook", (), {"log": SimpleNamespace(info=print, error=print)})
    sys.modules |= {"airflow": airflow, sdk.__name__: sdk}
    sys.modules |= {
        name: ModuleType(name)
        for name in ("airflow.providers.common", "airflow.providers.common.compat")
    }
    yield importlib.import_module("airflow.providers.openfaas.hooks.openfaas").OpenFaasHook
    for name in sys.modules.keys() - before.keys():
        if name.partition(".")[0] == "airflow":
            del sys.modules[name]


@pytest.fixture
def hook(
    dropped: System, hook_class: type[Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Any]:
    """Return hooks that are connected to the system, by function."""
    monkeypatch.setenv("NO_PROXY", "*")
    connection = SimpleNamespace(host=dropped.base_url)
    monkeypatch.setattr(hook_class, "get_connection", lambda *_: connection, raising=False)
    return hook_class


def test_the_hook_invokes_with_a_form_and_with_json_without_a_type(
    hook, dropped: System, capsys: pytest.CaptureFixture[str]
):
    hook("hello").invoke_function({"name": "Ada"})
    hook("hello").invoke_function('{"name": "Grace"}')
    hook("take-order").invoke_function(b'{"id": 7}')

    said = capsys.readouterr().out
    assert "Response %s Hello, Ada!" in said
    assert "Response %s Hello, Grace!" in said
    assert "Response code %s 201" in said
    assert json.loads(said.rpartition("Response %s ")[2]) == {"id": 7, "by": None}


def test_the_hook_invokes_without_waiting(hook, dropped: System):
    before = counted(dropped, "shout")

    hook("shout").invoke_async_function("quiet")

    eventually(lambda: counted(dropped, "shout") == before + 1)


def test_the_hook_finds_what_there_is_and_is_told_what_cannot_be_done(hook, hook_class):
    failure = sys.modules[hook_class.__module__].AirflowException

    assert hook("take-order").does_function_exist() is True
    assert hook("nobody").does_function_exist() is False
    with pytest.raises(failure, match="failed to invoke"):
        hook("nobody").invoke_function({})
    for overwrites in (True, False):
        with pytest.raises(failure, match=r"failed to (deploy|update)"):
            hook("new").deploy_function(overwrites, {"service": "new", "image": "x"})


@pytest.mark.parametrize(
    ("name", "body", "headers", "expected"),
    [
        ("hello.openfaas-fn", b"", {"Content-Type": "text/plain"}, b"Hello, world!"),
        ("hello.openfaas-fn", b'{"name":"Ada"}', {"Content-Type": "text/plain"}, b"Hello, Ada!"),
        ("hello.openfaas-fn", b'{"name":"Ada"}', {"Content-Type": "application/json"}, b"Hello, A"),
        ("hello", b"name=Ada", {"Content-Type": "application/x-www-form-urlencoded"}, b"Hello, A"),
        ("shout.openfaas-fn", b"quiet", {"Content-Type": "text/plain"}, b"QUIET"),
        ("take-order.openfaas-fn", b'{"id": 3}', {"X-Sender": "me"}, b'{"id":3,"by":"me"}'),
    ],
)
def test_the_cli_invokes(cli, name: str, body: bytes, headers: dict[str, str], expected: bytes):
    answer = cli.post(f"/function/{name}", content=body, headers=headers)

    assert answer.content.startswith(expected)
    assert answer.status_code == (201 if "order" in name else 200)
    assert answer.headers["X-Call-Id"]


def test_the_cli_invokes_by_another_method_with_a_query(cli):
    answer = cli.get("/function/take_order.openfaas-fn/sub/path?of=me")

    assert (answer.status_code, answer.text) == (200, "/sub/path?me")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_cli_invokes_without_waiting_and_its_receiver_gets_the_answer(cli, receiver: Receiver):
    headers = {"Content-Type": "text/plain", "X-Callback-Url": receiver.url("/ok/order")}

    answer = cli.post(
        "/async-function/take-order.openfaas-fn", content=b'{"id":9}', headers=headers
    )
    [delivered] = eventually(lambda: receiver.at("/ok/order"))

    assert (answer.status_code, answer.content) == (202, b"")
    assert json.loads(delivered.body) == {"id": 9, "by": None}
    assert delivered.headers["content-type"] == "application/json"
    assert delivered.headers["x-function-name"] == "take-order.openfaas-fn"
    assert delivered.headers["x-function-status"] == "201"
    assert delivered.headers["x-call-id"] == answer.headers["X-Call-Id"]


def test_the_cli_describes_what_it_invoked_and_shows_its_output(cli, dropped: System):
    cli.post("/function/take-order.openfaas-fn", content=b'{"id": 41}')

    def shown() -> dict[str, Any]:
        one = cli.get("/system/function/take_order?usage=1&namespace=openfaas-fn")
        found: dict[str, Any] = decode(one.text, go_decoding.STATUS)
        return found

    described = eventually(lambda: (now := shown())["availableReplicas"] and now)
    listed = decode(cli.get("/system/functions?namespace=").text, go_decoding.STATUSES)
    logs = cli.get("/system/logs?name=take_order&follow=false&tail=1")

    assert described["name"] in [one["name"] for one in listed]
    assert described["invocationCount"] >= 1
    assert decode(logs.text, go_decoding.MESSAGE)["text"] == "order 41"


def test_what_the_cli_cannot_invoke_is_a_line_of_text(cli):
    unknown = cli.post("/function/nobody.openfaas-fn", content=b"x")
    broken = cli.post("/function/take-order.openfaas-fn", content=b"no JSON")

    assert (unknown.status_code, broken.status_code) == (404, 500)
    assert unknown.headers["content-type"] == "text/plain; charset=utf-8"
    assert "JSONDecodeError" in broken.text


def counted(system: System, function: str) -> int:
    with requests.Session() as session:
        session.trust_env = False
        listed = session.get(f"{system.base_url}/system/functions", timeout=20).json()
    return int(next(one["invocationCount"] for one in listed if one["name"] == function))
