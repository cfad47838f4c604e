"""Gateway and runner agree on types that nobody thought of: hints within hints, drawn at random.

What one type does is tested beside the registry; here is what becomes of them together.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.runtime.registry.test_agreement import (
    VALUES,
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
