"""What plain calls share is made once for each manifest, and never outlives it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.call_plans import CallPlans
from runtime.registry.manifest import Manifest
from runtime.sdk.options import Options
from runtime.store.multiplexer import Multiplexer

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
    return CallPlans(Multiplexer("unix:///nowhere"), gateway_id="g", max_waiting=0)


def test_a_plan_lasts_as_long_as_its_manifest(plans: CallPlans):
    other = replace(ADD, name="other")
    first = plans.find({"add": ADD, "other": other}, "add")

    assert plans.find({"add": ADD}, "add") is first
    changed = plans.find({"add": replace(ADD, version="v2")}, "add")
    assert changed is not None
    assert (changed is first, changed.manifest.version) == (False, "v2")
    assert plans.find({"other": other}, "add") is None


@pytest.mark.parametrize(
    "manifest",
    [
        replace(ADD, version=""),
        replace(ADD, injected={"request": "request"}),
        replace(ADD, options=Options(max_age_s=5)),
        replace(ADD, parameters={"type": "nonsense"}),
    ],
)
def test_a_function_whose_calls_are_never_plain_has_none(plans: CallPlans, manifest: Manifest):
    assert plans.find({"add": manifest}, "add") is None


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (b'{"a": 1}', True),
        (b'{"a": 1, "b": null}', True),
        (b'{"a": 1, "b": 1.5}', True),
        (b'{"a": 1, "b": [{"c": 1.0}]}', True),
        (b"{}", False),
        (b'{"a": "1"}', False),
        (b'{"a": 1.0}', False),
        (b'{"a": 1, "c": 1}', False),
        (b'{"a": 1, "a": 1}', False),
        (b"[1]", False),
        (b'{"a": 1', False),
    ],
)
def test_only_a_body_that_fits_is_accepted(plans: CallPlans, body: bytes, fits: bool):
    plan = plans.find({"add": ADD}, "add")

    assert plan is not None
    assert plan.accepts(body) is fits
