"""The client that openapi-python-client makes of the live document, used as its users use it."""

from __future__ import annotations

import asyncio
import importlib
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from runtime.store.blocking_connection import BlockingConnection
from tests.support.api_keys import make_key
from tests.support.system import System
from tests.support.waiting import eventually

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PACKAGE = "penstock_client"
WAIT = "wait=20"


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A generated package, and a client of it."""

    folder: Path
    said: str
    client: Any
    models: ModuleType
    types: ModuleType

    def operation(self, name: str, tag: str = "invoke") -> ModuleType:
        """Return the module of an operation."""
        return importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")

    def call(self, function: str, body: Any, **more: Any) -> Any:
        """Call a function by its own operation, wait, and return what was parsed."""
        operation = self.operation(f"invoke_{function}")
        return operation.sync(client=self.client, body=body, prefer=WAIT, **more)

    def file(self, data: bytes) -> Any:
        """Return bytes as the client takes them."""
        return self.types.File(payload=BytesIO(data), file_name="some.bin")


@pytest.fixture(scope="module")
def generated(called: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    subprocess.run(["make", "-s", ".venv/clients/installed"], cwd=ROOT, check=True, timeout=50)
    folder = tmp_path_factory.mktemp("python")
    ran = subprocess.run(
        [
            *(ROOT / ".venv/clients/bin/openapi-python-client", "generate", "--meta", "none"),
            *("--url", f"{called.base_url}/openapi.json", "--config", HERE / "config.yaml"),
            *("--output-path", folder / PACKAGE),
        ],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said
    sys.path.insert(0, str(folder))
    package = importlib.import_module(PACKAGE)
    with package.Client(base_url=called.base_url) as client:
        yield Generated(
            folder=folder,
            said=said,
            client=client,
            models=importlib.import_module(f"{PACKAGE}.models"),
            types=importlib.import_module(f"{PACKAGE}.types"),
        )
    sys.path.remove(str(folder))


def test_the_generator_warns_of_batches_by_the_line_and_of_nothing_else(generated: Generated):
    warnings = re.findall(r"^(?:WARNING|ERROR|Unable) .*", generated.said, re.MULTILINE)

    assert warnings == ["WARNING parsing POST /functions/{name}/batch within batches."]
    assert "Unsupported content type application/x-ndjson" in generated.said


def test_every_operation_is_generated(called: System, generated: Generated):
    document = called.http.get("/openapi.json").json()
    wanted = {
        (operation["tags"][0], operation["operationId"].replace(".", "_"))
        for path in document["paths"].values()
        for operation in path.values()
    }

    modules = {
        (file.parent.name, file.stem)
        for file in (generated.folder / PACKAGE / "api").glob("*/*.py")
        if file.stem != "__init__"
    }

    assert modules == wanted


def test_an_answer_has_its_result(generated: Generated):
    hello = generated.models.HelloArguments(name="Ada")

    answer = generated.call("hello", hello)

    assert (answer.result, str(answer.status)) == ("Hello, Ada!", "succeeded")


def test_an_answer_of_many_types_is_parsed(generated: Generated):
    models = generated.models
    item = models.ShopOrderArgumentsItem(name="pipe", count=2)
    fast = models.ShopOrderArgumentsSpeed.FAST
    wanted = models.ShopOrderArguments(items=[item], due=date(2026, 11, 29), speed=fast)

    answer = generated.call("shop_order", wanted)

    assert (answer.result.due, str(answer.result.size)) == (date(2026, 11, 29), "small")
    assert answer.result.items[0].to_dict() == item.to_dict()


def test_who_does_not_wait_gets_an_invocation_to_ask_for(generated: Generated):
    operation = generated.operation("invoke_hello")
    get = generated.operation("get_invocation", "invocations")

    accepted = operation.sync_detailed(client=generated.client)
    found = get.sync(str(accepted.parsed.id), client=generated.client, prefer=WAIT)

    assert accepted.status_code == 202
    assert found.result == "Hello, world!"


def test_calls_can_be_awaited(called: System, generated: Generated):
    operation = generated.operation("invoke_hello")
    body = generated.models.HelloArguments(name="Grace")
    client = type(generated.client)(base_url=called.base_url)

    async def call() -> Any:
        async with client:
            return await operation.asyncio(client=client, body=body, prefer=WAIT)

    assert asyncio.run(call()).result == "Hello, Grace!"


def test_bytes_go_as_json(generated: Generated, picture: bytes):
    arguments = generated.models.ThumbnailArguments(
        image=b64encode(picture).decode("ascii"), width=32
    )

    answer = generated.call("thumbnail", arguments)

    assert Image.open(BytesIO(b64decode(answer.result))).size == (32, 16)


def test_bytes_go_as_they_are_and_come_back_so(generated: Generated, picture: bytes):
    get = generated.operation("get_invocation_result", "invocations")

    answer = generated.call("thumbnail", generated.file(picture))
    result = get.sync(str(answer.id), client=generated.client)

    assert Image.open(result.payload).size == (128, 64)


def test_bytes_go_as_parts_of_a_form(generated: Generated, picture: bytes):
    form = generated.models.InvokeThumbnailFilesBody(image=generated.file(picture), width=16)
    two = generated.models.InvokeJoinedFilesBody(
        first=generated.file(b"ab"), second=generated.file(b"c"), times=2
    )

    small, joined = generated.call("thumbnail", form), generated.call("joined", two)

    assert Image.open(BytesIO(b64decode(small.result))).size == (16, 8)
    assert b64decode(joined.result) == b"abcabc"


def test_a_function_that_reads_the_request_takes_json_and_bytes(
    generated: Generated, called: System
):
    connection = BlockingConnection(f"unix://{called.redis_socket}")
    key = make_key(connection, "tester", "invoke:github_digest")  # instead of a signature
    connection.close()
    models = generated.models
    opened = models.InvokeGithubDigestJsonBody.from_dict(
        {
            "action": "opened",
            "issue": {"number": 3, "title": "It breaks"},
            "repository": {"full_name": "octo/repo"},
            "sender": {"login": "octocat"},
        }
    )
    digest = generated.operation("invoke_github_digest")
    # A client of its own: `with_headers` also changes the one that is open.
    headers = {"X-GitHub-Event": "issues", **key.headers}
    sender = type(generated.client)(base_url=called.base_url, headers=headers)

    with sender:
        line = digest.sync(client=sender, body=opened, prefer=WAIT)
    noted = generated.call("hook", models.HookArguments(note="seen"))
    raw = generated.call("hook", generated.file(b"12345"))

    assert line.result == "octocat opened issue #3 in octo/repo: It breaks"
    assert noted.result.to_dict()["note"] == "seen"
    assert raw.result.to_dict() == {
        "note": "none",
        "media_type": "application/octet-stream",
        "bytes": 5,
    }


def test_a_raw_call_returns_the_answer_of_the_function(generated: Generated):
    by_get = generated.operation("call_greeting_by_get")
    by_post = generated.operation("call_greeting")
    noted = generated.operation("call_hook").sync(
        client=generated.client, body=generated.models.HookArguments(note="seen")
    )

    found = by_get.sync_detailed(client=generated.client, name="Ada", times=2)
    greeted = by_post.sync(
        client=generated.client, body=generated.models.GreetingArguments(name="Grace")
    )
    nobody = by_get.sync_detailed(client=generated.client, name="")

    assert found.parsed.payload.read() == b"<greeting>Hi Hi Ada</greeting>"
    assert found.headers["Content-Type"] == "text/xml"
    assert greeted.payload.read() == b"<greeting>Hi Grace</greeting>"
    assert (nobody.status_code, nobody.parsed) == (404, "Nobody.")
    assert noted.to_dict()["note"] == "seen"


def test_a_wrong_argument_is_a_problem(generated: Generated, picture: bytes):
    arguments = generated.models.ThumbnailArguments(
        image=b64encode(picture).decode("ascii"), width=0
    )

    problem = generated.call("thumbnail", arguments)

    assert isinstance(problem, generated.models.Problem)
    assert str(problem.code) == "arguments_invalid"
    assert [fault.pointer for fault in problem.errors] == ["/width"]


def test_a_failure_is_a_problem_with_its_invocation(generated: Generated):
    problem = generated.call("thumbnail", generated.file(b"no picture"))

    assert str(problem.code) == "rejected"
    assert str(problem.invocation.error.type_) == "rejected"


def test_a_key_is_made_and_shown(called: System, generated: Generated):
    package, models = importlib.import_module(PACKAGE), generated.models
    new = models.NewKey(name="shop", scopes=["invoke:hello"], rate=None, expires_in="1h")
    key = generated.operation("create_key", "access").sync(client=generated.client, body=new)
    hello, get = generated.operation("invoke_hello"), generated.operation("list_queues", "system")

    with package.AuthenticatedClient(base_url=called.base_url, token=key.key) as shop:
        answer = hello.sync(client=shop, prefer=WAIT)
        refused = get.sync(client=shop)
    with package.AuthenticatedClient(base_url=called.base_url, token="pk_of_nobody") as nobody:
        unknown = hello.sync(client=nobody)

    assert (answer.caller, answer.result) == ("shop", "Hello, world!")
    assert (str(refused.code), str(unknown.code)) == ("forbidden", "unauthenticated")


def test_what_is_published_later_is_called_by_the_operation_for_any(
    called: System, generated: Generated
):
    called.write("later", "def later(x: int, data: bytes = b''):\n    return x + len(data)\n")
    called.write("weigh", "def weigh(data: bytes) -> int:\n    return len(data)\n")
    for name in ("later", "weigh"):
        eventually(lambda n=name: called.http.get(f"/functions/{n}").is_success, within_s=20)
    invoke, models = generated.operation("invoke").sync, generated.models

    by_json = invoke(
        "later",
        client=generated.client,
        body=models.InvokeJsonBody.from_dict({"x": 40}),
        prefer=WAIT,
    )
    form = models.InvokeFilesBody.from_dict({})
    form["x"], form["data"] = generated.file(b"40"), generated.file(b"ab")
    by_form = invoke("later", client=generated.client, body=form, prefer=WAIT)
    by_bytes = invoke("weigh", client=generated.client, body=generated.file(b"12345"), prefer=WAIT)
    wrong = models.InvokeJsonBody.from_dict({"x": "many"})
    refused = invoke("later", client=generated.client, body=wrong)

    assert (by_json.result, by_form.result, by_bytes.result) == (40, 42, 5)
    assert [fault.pointer for fault in refused.errors] == ["/x"]


def test_the_types_of_the_client_hold(generated: Generated):
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental"),
            *("--cache-dir", generated.folder / "cache", "--package", PACKAGE),
        ],
        cwd=generated.folder,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert ran.stdout.startswith("Success"), ran.stdout + ran.stderr
