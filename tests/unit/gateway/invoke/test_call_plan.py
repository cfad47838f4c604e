"""What the calls of a function share is made once for each manifest, and never outlives it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.invoke.call_plan import CallPlans
from runtime.errors import ArgumentsError
from runtime.registry.manifest import Manifest
from runtime.store.async_connection import AsyncConnection

ADD = Manifest(
    name="add",
    version="v1",
    file="add.py",
    parameters={
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {}},
        "required": ["a"],
        "additionalProperties": False,
    },
)


@pytest.fixture
def plans() -> CallPlans:
    return CallPlans(AsyncConnection("unix:///nowhere"), max_waiting=0)


def test_a_plan_lasts_as_long_as_its_manifest(plans: CallPlans):
    other = replace(ADD, name="other")
    first = plans.find({"add": ADD, "other": other}, "add")

    assert plans.find({"add": ADD}, "add") is first
    changed = plans.find({"add": replace(ADD, version="v2")}, "add")
    assert changed is not None
    assert (changed is first, changed.manifest.version) == (False, "v2")
    assert plans.find({"other": other}, "add") is None


def test_the_plan_of_a_manifest_that_is_not_known_yet_is_not_kept(plans: CallPlans):
    newer = replace(ADD, version="v2")
    known = plans.find(manifests := {"add": ADD}, "add")

    assert plans.of(manifests, ADD) is known
    assert plans.of(manifests, newer).manifest is newer
    assert plans.find(manifests, "add") is known


def test_a_function_without_a_usable_schema_has_a_plan_that_says_so(plans: CallPlans):
    plan = plans.find({"add": replace(ADD, parameters={"type": "nonsense"})}, "add")

    assert plan is not None
    with pytest.raises(ValueError, match="not a usable JSON Schema"):
        plan.check({})


@pytest.mark.parametrize(
    ("arguments", "fits"),
    [
        ({"a": 1}, True),
        ({"a": 1, "b": None}, True),
        ({"a": 1, "b": 1.5}, True),
        ({"a": 1, "b": [{"c": 1.0}]}, True),
        ({}, False),
        ({"a": "1"}, False),
        ({"a": 1.0}, False),
        ({"a": 1, "c": 1}, False),
    ],
)
def test_only_arguments_that_fit_pass(plans: CallPlans, arguments: dict[str, object], fits: bool):
    plan = plans.find({"add": ADD}, "add")
    assert plan is not None

    try:
        plan.check(arguments)
        passed = True
    except ArgumentsError:
        passed = False

    assert passed is fits
