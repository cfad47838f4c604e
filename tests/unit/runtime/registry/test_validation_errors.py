"""What pydantic refuses is told by pointers into what was sent, not by pydantic's own names."""

from __future__ import annotations

import pytest

from penstock import Context
from runtime.errors import ArgumentsError
from runtime.registry.argument_check import check_arguments

PREAMBLE = """
from typing import *
from pydantic import *
class Item(BaseModel):
    sku: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2)]
    count: int = 1
class Event(BaseModel):
    user_id: int = Field(validation_alias=AliasPath('user', 'id'))
def even(value: int) -> int:
    if value % 2: raise ValueError('is odd')
    return value
Even = Annotated[int, AfterValidator(even)]
class Cat(BaseModel):
    kind: Literal['cat']
    lives: Even
class Dog(BaseModel):
    kind: Literal['dog']
    name: str
"""


@pytest.fixture
def pointers(load_source):
    def refuse(annotation: str, body: str) -> list[str]:
        [function] = load_source(f"{PREAMBLE}def sample(a: {annotation}): list(a)\n").values()
        with pytest.raises(ArgumentsError) as refused:
            function.call(body.encode(), context=Context())
        return list(dict.fromkeys(fault.pointer for fault in refused.value.faults))

    return refuse


@pytest.mark.parametrize(
    ("annotation", "body", "found"),
    [
        ("Even", '{"a": 3}', ["/a"]),
        ("list[Even]", '{"a": [2, 3, 5]}', ["/a/1", "/a/2"]),
        ("dict[str, Even]", '{"a": {"x/y~z": 3}}', ["/a/x~1y~0z"]),
        ("dict[Even, int]", '{"a": {"3": 1}}', ["/a/3"]),
        ("Item", '{"a": {"sku": " a "}}', ["/a/sku"]),
        ("list[Item | None]", '{"a": [null, {"sku": " a ", "count": 2}]}', ["/a/1/sku"]),
        ("Even | list[Even]", '{"a": [3]}', ["/a", "/a/0"]),
        ("Cat | Dog", '{"a": {"kind": "cat", "lives": 3}}', ["/a/lives", "/a/kind", "/a/name"]),
        (
            "Annotated[Cat | Dog, Field(discriminator='kind')]",
            '{"a": {"kind": "cat", "lives": 3}}',
            ["/a/lives"],
        ),
        ("Event", '{"a": {"user": {}}}', ["/a/user/id"]),
        ("tuple[int, Even]", '{"a": [1, 3]}', ["/a/1"]),
        ("Json[list[Even]]", '{"a": "[3]"}', ["/a"]),
        ("Iterable[Even]", '{"a": [2, 3]}', ["/a/1"]),
        ("Iterable[int]", '{"a": "12"}', ["/a"]),
    ],
)
def test_a_refusal_points_at_what_was_sent(pointers, annotation, body, found):
    assert pointers(annotation, body) == found


def test_a_flood_of_faults_and_long_names_are_cut(pointers, load_source):
    [function] = load_source(f"{PREAMBLE}def sample(a: dict[str, Even]): pass\n").values()
    members = ",".join(f'"{"k" * 5_000}{n}": 1' for n in range(100))

    with pytest.raises(ArgumentsError) as refused:
        function.call(f'{{"a": {{{members}}}}}'.encode(), context=Context())

    assert len(str(refused.value)) < 100_000


def test_the_gateway_tells_of_the_branch_that_the_tag_names_only(load_source):
    hint = "Annotated[Cat | Dog, Field(discriminator='kind')]"
    [function] = load_source(f"{PREAMBLE}def sample(a: {hint}): pass\n").values()

    def faults(value: object) -> dict[str, str]:
        with pytest.raises(ArgumentsError) as refused:
            check_arguments(function.manifest, {"a": value})
        return {fault.pointer: fault.detail for fault in refused.value.faults}

    assert faults({"kind": "cat"}) == {"/a/lives": "is required"}
    assert faults({"kind": "dog", "name": 1}) == {"/a/name": 'the value is not of type "string"'}
    assert faults({"kind": "cow"}) == {"/a/kind": 'the value is not one of "cat" or "dog"'}
    assert faults({"name": "x"}) == {"/a/kind": "is required"}
