"""Gateway and runner agree on types that nobody thought of: hints within hints, drawn at random.

What pydantic takes, the gateway takes; what the gateway takes and pydantic refuses is
`arguments_invalid`, never a failure of the function. What one type does is tested beside the
registry; here is what becomes of them together.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.argument_types import INFORMING
from tests.support.argument_values import VALUES
from tests.unit.runtime.registry.test_agreement import (
    gateway_takes,
    load_type,
    runner_takes,
)

_LEAVES = (
    *("int", "float", "str", "bool", "None", "Any", "Color", "Item", "Closed", "Point", "Opts"),
    *("datetime.date", "datetime.datetime", "uuid.UUID", "ipaddress.IPv4Address"),
    *("Annotated[int, Field(gt=0, le=10)]", "Annotated[str, Field(max_length=3)]"),
    *("decimal.Decimal", "Literal['a', 'abc']", "AnyUrl"),
)
_FEW = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    max_examples=40,
)


def _within(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        inner.map("list[{}]".format),
        inner.map("dict[str, {}]".format),
        inner.map("Optional[{}]".format),
        inner.map("tuple[{}, ...]".format),
        inner.map("Annotated[list[{}], Field(max_length=2)]".format),
        pairs.map(lambda pair: "tuple[{}, {}]".format(*pair)),
        pairs.map(lambda pair: "Union[{}, {}]".format(*pair)),
    )


hints = st.recursive(st.sampled_from(_LEAVES), _within, max_leaves=4)


informing = st.recursive(st.sampled_from((*INFORMING, *_LEAVES)), _within, max_leaves=4)


def let_the_runner_judge(hint: str) -> None:
    """Put every value to both; the gateway may know less, and the runner never fails otherwise."""
    function = load_type(hint)

    for value in VALUES:
        arguments = {"a": value}
        if runner_takes(function, arguments):
            assert gateway_takes(function, arguments), value


def judge_together(hint: str) -> None:
    """Put every value to both that the registry's own tests know."""
    function = load_type(hint)

    for value in VALUES:
        arguments = {"a": value}
        assert gateway_takes(function, arguments) == runner_takes(function, arguments), value


@settings(_FEW)
@given(hint=hints)
def test_both_say_the_same_of_generated_types(hint: str):
    judge_together(hint)


@pytest.mark.faults
@pytest.mark.timeout(900)
@settings(_FEW, max_examples=2_000)
@given(hint=hints)
def test_both_say_the_same_of_many_generated_types(hint: str):
    judge_together(hint)


@settings(_FEW)
@given(hint=informing)
def test_the_gateway_refuses_nothing_that_fits_generated_types(hint: str):
    let_the_runner_judge(hint)


@pytest.mark.faults
@pytest.mark.timeout(1800)
@settings(_FEW, max_examples=1_000)
@given(hint=informing)
def test_the_gateway_refuses_nothing_that_fits_many_generated_types(hint: str):
    let_the_runner_judge(hint)
