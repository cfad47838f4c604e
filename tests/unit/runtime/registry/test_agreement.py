"""Gateway and runner agree: what the schema lets through, pydantic takes, and the other way.

For many types, and JSON values that are near to fitting.
"""

from __future__ import annotations

import itertools
import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import Context
from runtime.errors import ArgumentsError
from runtime.registry.argument_check import check_arguments
from runtime.registry.bundle import Bundle
from runtime.registry.loading import load
from tests.support.argument_types import EXACT, INFORMING, NARROWER, PREAMBLE
from tests.support.argument_values import LEAVES, VALUES

_count = itertools.count()


@cache
def load_type(annotation):
    source = f"{PREAMBLE}def sample(a: {annotation}): return None\n"
    bundle = Bundle(root="/nowhere", file="sample.py", sources={"sample.py": source.encode()})
    return load(bundle, namespace=f"functions_of_agreement_{next(_count)}")["sample"]


leaves = st.one_of(st.sampled_from(LEAVES), st.integers(-5, 15), st.text(max_size=3))
keys = st.sampled_from(["a", "b", "x", "y", "sku", "count", "v", "next", "1", "-1", "1.0", ""])
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=5,
)


def gateway_takes(function, arguments):
    try:
        check_arguments(function.manifest, arguments)
    except ArgumentsError:
        return False
    return True


def runner_takes(function, arguments):
    try:
        function.call(json.dumps(arguments).encode(), context=Context())
    except ArgumentsError:
        return False
    return True


@pytest.mark.parametrize("annotation", EXACT)
def test_both_say_the_same_of_every_near_miss(annotation):
    function = load_type(annotation)

    verdicts = [
        (value, gateway_takes(function, {"a": value}), runner_takes(function, {"a": value}))
        for value in VALUES
    ]

    assert [v for v, gateway, runner in verdicts if gateway != runner] == []
    assert any(gateway for _, gateway, _ in verdicts)


@pytest.mark.parametrize("annotation", NARROWER)
def test_nothing_passes_the_gateway_that_the_runner_refuses(annotation):
    function = load_type(annotation)

    passed = [value for value in VALUES if gateway_takes(function, {"a": value})]

    assert passed
    assert [value for value in passed if not runner_takes(function, {"a": value})] == []


@pytest.mark.parametrize("annotation", INFORMING)
def test_the_gateway_refuses_nothing_that_the_runner_takes(annotation):
    function = load_type(annotation)

    taken = [value for value in VALUES if runner_takes(function, {"a": value})]

    assert [value for value in taken if not gateway_takes(function, {"a": value})] == []


@pytest.mark.parametrize("annotation", INFORMING)
def test_what_only_the_runner_can_refuse_is_told_by_a_pointer(annotation):
    function = load_type(annotation)

    refused = [value for value in VALUES if not runner_takes(function, {"a": value})]

    for value in refused:
        with pytest.raises(ArgumentsError) as refusal:
            function.call(json.dumps({"a": value}).encode(), context=Context())
        assert {fault.pointer.split("/")[1] for fault in refusal.value.faults} == {"a"}, value


@settings(max_examples=300, deadline=None)
@given(annotation=st.sampled_from(EXACT), value=values)
def test_both_say_the_same_of_anything(annotation, value):
    function = load_type(annotation)

    assert gateway_takes(function, {"a": value}) == runner_takes(function, {"a": value})


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", "5"),
        ("int", 1.0),
        ("int", True),
        ("float", "1.5"),
        ("bool", 1),
        ("bool", "true"),
        ("str", 5),
        ("list[int]", {"a": 1}),
        ("Item", {"sku": 5}),
        ("Item", {"sku": "a", "count": 2.0}),
    ],
)
def test_nothing_is_coerced(annotation, value):
    function = load_type(annotation)

    assert not gateway_takes(function, {"a": value})
    assert not runner_takes(function, {"a": value})


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("float", 1),
        ("int", 2**70),
        ("datetime.datetime", "2026-11-22T09:30:00Z"),
        ("Color", "red"),
        ("Level", 2),
        ("tuple[int, str]", [1, "x"]),
        ("bytes", "aGk="),
        ("dict[int, str]", {"1": "x"}),
        ("Node", {"v": 1, "next": {"v": 2, "next": None}}),
        ("decimal.Decimal", "1.50"),
        ("decimal.Decimal", 1.5),
    ],
)
def test_what_should_fit_fits(annotation, value):
    function = load_type(annotation)

    assert gateway_takes(function, {"a": value})
    assert runner_takes(function, {"a": value})
