"""The one table: every operation has an id and a scope, and nothing else is served."""

from __future__ import annotations

import asyncio

import pytest
from falcon import testing
from falcon.inspect import inspect_routes

from gateway.app import create
from gateway.auth import middleware
from gateway.problems import KINDS
from gateway.routing import routes
from gateway.routing.operation import Operation
from gateway.routing.routes import ROUTES, allowed_methods
from gateway.startup_checks import count_keys_at, is_open, require_safe_bind
from runtime.errors import SettingsError
from runtime.settings import Settings

OPERATIONS = [operation for route in ROUTES for operation in route.operations]
NOWHERE = "unix:///nonexistent/redis.sock"


def settings_without_redis(**chosen: object) -> Settings:
    return Settings(redis=NOWHERE, **chosen)


def test_every_operation_has_a_scope_and_an_id_of_its_own():
    assert all(operation.permission for operation in OPERATIONS)
    ids = [operation.id for operation in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_every_problem_named_exists():
    assert {code for operation in OPERATIONS for code in operation.problems} <= set(KINDS)


def test_the_application_serves_exactly_the_table():
    app = create(settings_without_redis())

    served = {
        (route.path, responder.method)
        for route in inspect_routes(app)
        for responder in route.methods
        if not responder.internal
    }
    assert served == {(route.path, one.method) for route in ROUTES for one in route.operations}


def test_a_route_without_a_permission_refuses_everybody(monkeypatch):
    nobodys = Operation(method="GET", id="x", summary="", permission=None)
    monkeypatch.setattr(middleware, "BY_TEMPLATE", {("/functions", "GET"): nobodys})

    answer = ask(settings_without_redis(), "/functions")

    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("auth", "host", "expected"),
    [
        ("auto", "127.0.0.1", True),
        ("auto", "::1", True),
        ("auto", "localhost", True),
        ("auto", "0.0.0.0", False),
        ("auto", "", False),
        ("required", "127.0.0.1", False),
        ("off", "0.0.0.0", True),
    ],
)
def test_only_loopback_is_open_by_itself(auth, host, expected):
    assert is_open(settings_without_redis(auth=auth, host=host)) is expected


@pytest.mark.parametrize("auth", ["auto", "required"])
def test_a_bind_for_others_without_keys_refuses_to_start(auth):
    with pytest.raises(SettingsError, match="PENSTOCK_AUTH=off"):
        require_safe_bind(settings_without_redis(host="0.0.0.0", auth=auth), lambda: 0)

    require_safe_bind(settings_without_redis(host="0.0.0.0", auth=auth), lambda: 1)
    require_safe_bind(settings_without_redis(host="127.0.0.1", auth=auth), lambda: 0)
    require_safe_bind(settings_without_redis(host="0.0.0.0", auth="off"), lambda: 0)
    require_safe_bind(
        settings_without_redis(host="0.0.0.0", auth=auth), lambda: count_keys_at(NOWHERE)
    )


def test_methods_of_a_path_come_from_the_table():
    assert allowed_methods("/functions/{name}") == ("POST", "GET", "HEAD", "OPTIONS")
    assert ("/functions", "DELETE") not in routes.BY_TEMPLATE


def ask(chosen: Settings, path: str) -> testing.Result:
    async def talk() -> testing.Result:
        async with testing.ASGIConductor(create(chosen)) as conductor:
            return await conductor.simulate_get(path)

    return asyncio.run(talk())
