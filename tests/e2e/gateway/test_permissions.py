"""Every route, asked with every kind of key: one table, so that no route is forgotten."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from gateway.routing.routes import ROUTES
from runtime.sdk.option_parsing import METHODS
from tests.e2e.gateway.conftest import GREET, SHRINK
from tests.support.api_keys import make_key
from tests.support.gateway_process import running_gateway
from tests.support.redis_server import own_redis

SCOPES = {
    "nobody": None,
    "invoke": ("invoke:greet",),
    "read": ("read",),
    "operate": ("operate",),
    "admin": ("admin",),
}
OPEN, EVERYBODY = "nobody invoke read operate admin", "invoke read operate admin"
# Who gets past the door: then an answer may still be 404, 409 or 422. Without a key it is 401,
# with one that may not 403.
LET_IN = {
    "invoke": "invoke admin",
    "get_function": EVERYBODY,
    "submit_batch": "invoke admin",
    "list_functions": EVERYBODY,
    "list_invocations": "read operate admin",
    "count_retries": "read operate admin",
    "retry_invocations": "operate admin",
    "count_cancels": "read operate admin",
    "cancel_invocations": "operate admin",
    "get_invocation": EVERYBODY,
    "cancel_invocation": "invoke operate admin",
    "retry_invocation": "invoke operate admin",
    "get_invocation_result": EVERYBODY,
    "get_invocation_logs": EVERYBODY,
    "follow_invocation": EVERYBODY,
    "list_schedules": "read operate admin",
    "create_schedule": "operate admin",
    "get_schedule": "read operate admin",
    "change_schedule": "operate admin",
    "delete_schedule": "operate admin",
    "fire_schedule": "operate admin",
    "get_batch": EVERYBODY,
    "cancel_batch": "invoke operate admin",
    "retry_batch": "invoke operate admin",
    "list_deliveries": "read operate admin",
    "get_delivery": "read operate admin",
    "redeliver": "operate admin",
    "list_workers": "read operate admin",
    "list_environments": "read operate admin",
    "delete_environment": "operate admin",
    "relock_function": "operate admin",
    "list_queues": "read operate admin",
    "list_quarantine": "read operate admin",
    "change_queue": "operate admin",
    "purge_queue": "operate admin",
    "publish_functions": "operate admin",
    "list_checks": "read operate admin",
    "ask_check": "admin",
    "get_check": "read operate admin",
    "livez": OPEN,
    "readyz": OPEN,
    "metrics": "read operate admin",
    "openapi_json": EVERYBODY,
    "openapi_yaml": EVERYBODY,
    "docs": EVERYBODY,
    "problem": OPEN,
    "home": EVERYBODY,
    "list_keys": "admin",
    "create_key": "admin",
    "revoke_key": "admin",
    "get_session": EVERYBODY,
    "log_in": OPEN,
    "log_out": EVERYBODY,
    "get_statistics": "read operate admin",
    "dashboard": OPEN,
    "dashboard_view": OPEN,
    "dashboard_asset": OPEN,
    **{
        f"{one}_by_{method.lower()}": "invoke admin"
        for one in ("call_function", "call_function_below")
        for method in METHODS
    },
    "call_function_later": "invoke admin",
    "call_function_below_later": "invoke admin",
    "cancel_call": "invoke operate admin",
    "openfaas_health": OPEN,
    "openfaas_info": EVERYBODY,
    "openfaas_functions": EVERYBODY,
    "openfaas_function": EVERYBODY,
    "openfaas_namespaces": EVERYBODY,
    "openfaas_namespace": EVERYBODY,
    "openfaas_secrets": EVERYBODY,
    "openfaas_logs": "read operate admin",
    "post_openfaas_functions": EVERYBODY,
    "put_openfaas_functions": EVERYBODY,
    "delete_openfaas_functions": EVERYBODY,
    "post_openfaas_scaling": EVERYBODY,
    "post_openfaas_secrets": EVERYBODY,
    "put_openfaas_secrets": EVERYBODY,
    "delete_openfaas_secrets": EVERYBODY,
}
OPERATIONS = {
    operation.id: (operation.method, route.path)
    for route in ROUTES
    for operation in route.operations
}
HOLES = {
    "{name}": "greet",
    "{rest:path}": "more",
    "{code}": "forbidden",
    "{view:path}": "queues",
    "{file:path}": "icon.svg",
    "{version}": "0",
}
WRONG = {"Accept": "application/problem+json", "Content-Type": "application/json"}
NOWHERE = str(uuid.UUID(int=7 << 76 | 2 << 62))


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, httpx.Client]]:
    """A closed gateway, seen by one caller of each kind."""
    with (
        own_redis(tmp_path_factory.mktemp("redis")) as url,
        running_gateway(url, auth="required") as gateway,
    ):
        gateway.headers = make_key(gateway.connection, "publisher", "admin").headers
        any_method = replace(GREET, options=replace(GREET.options, methods=METHODS))
        gateway.publish(any_method, SHRINK)
        made = {
            kind: make_key(gateway.connection, kind, *scopes).headers if scopes else {}
            for kind, scopes in SCOPES.items()
        }
        clients = {
            kind: httpx.Client(
                base_url=gateway.url,
                headers={**WRONG, **headers},
                timeout=20,
                trust_env=False,
            )
            for kind, headers in made.items()
        }
        yield clients
        for client in clients.values():
            client.close()


def address(path: str) -> str:
    for hole, value in HOLES.items():
        path = path.replace(hole, value)
    return "/".join(NOWHERE if part.startswith("{") else part for part in path.split("/"))


def ask_wrongly(client: httpx.Client, method: str, path: str) -> tuple[int, str]:
    """Ask with a body that is wrong for everything, so that whoever is let in changes nothing."""
    with client.stream(method, path, content=None if method == "GET" else b"[") as answer:
        is_problem = answer.headers.get("content-type", "").startswith("application/problem")
        code = answer.read() and answer.json()["code"] if is_problem else ""
        return answer.status_code, code


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_route_lets_in_whom_the_table_says(clients: dict[str, httpx.Client], operation: str):
    method, path = OPERATIONS[operation]

    answers = {kind: ask_wrongly(client, method, address(path)) for kind, client in clients.items()}

    refused = {kind: answer for kind, answer in answers.items() if answer[0] in (401, 403)}
    expected = {
        kind: (401, "unauthenticated") if kind == "nobody" else (403, "forbidden")
        for kind in SCOPES
        if kind not in LET_IN[operation].split()
    }
    assert refused == expected
    assert {status for status, _ in answers.values()}.isdisjoint({405, 500})


def test_the_table_names_every_operation():
    assert LET_IN.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("name", ["pictures.shrink", "no_such_function", "greet2", "greet.more"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_key_cannot_learn_which_other_functions_there_are(
    clients: dict[str, httpx.Client], method: str, name: str
):
    answers = [
        clients["invoke"].request(method, f"/functions/{one}", content=b"{}").text.replace(one, "X")
        for one in (name, "something")
    ]

    assert '"code":"forbidden"' in answers[0]
    assert answers[0] == answers[1]


def test_a_key_sees_only_what_it_may_invoke(clients: dict[str, httpx.Client]):
    listed = {
        kind: [f["name"] for f in clients[kind].get("/functions").json()["items"]]
        for kind in ("invoke", "read")
    }
    small, large = (clients[kind].get("/openapi.json") for kind in ("invoke", "read"))

    assert listed == {"invoke": ["greet"], "read": ["greet", "pictures.shrink"]}
    assert "/functions/greet" in small.json()["paths"]
    assert "/functions/pictures.shrink" in large.json()["paths"]
    assert "shrink" not in small.text
    assert "/queues" not in small.json()["paths"]
    assert "/keys" not in large.json()["paths"]
    assert (
        clients["invoke"].get("/openapi.yaml").headers["etag"]
        != (clients["read"].get("/openapi.yaml").headers["etag"])
    )


def test_a_closed_gateway_tells_nobody_what_is_inside(clients: dict[str, httpx.Client]):
    ready = clients["nobody"].get("/readyz")
    nowhere = clients["nobody"].get("/nowhere")
    page = clients["nobody"].get("/docs", headers={"Accept": "text/html"})

    assert ready.json() == {"status": "ready"}
    assert nowhere.status_code == 401
    assert (page.status_code, page.headers["location"]) == (303, "/dashboard/login?next=%2Fdocs")
