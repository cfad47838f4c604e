"""Checking arguments by the published schema: what is wrong, and where."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from runtime.errors import ArgumentsError
from runtime.registry.argument_check import check_arguments, compile_schema
from runtime.registry.manifest import Manifest

PREAMBLE = (
    "import datetime, uuid\nfrom typing import *\nfrom pydantic import *\n"
    "class Item(BaseModel):\n    sku: str\n    count: int = 1\n"
    "class Cat(BaseModel):\n    kind: Literal['cat']\n    lives: int\n"
    "class Dog(BaseModel):\n    kind: Literal['dog']\n    name: str\n"
)


@pytest.fixture
def faults(load_source):
    def check(signature: str, arguments: object) -> dict[str, str]:
        [function] = load_source(f"{PREAMBLE}def sample({signature}): pass\n").values()
        try:
            check_arguments(function.manifest, arguments)
        except ArgumentsError as error:
            return {fault.pointer: fault.detail for fault in error.faults}
        return {}

    return check


def test_arguments_that_fit_pass(faults):
    signature = "a: int, item: Item, when: datetime.datetime, b: bytes = b'', *, c=None"
    arguments = {"a": 2**70, "item": {"sku": "x"}, "when": "2026-11-22T09:30:00Z", "b": "aGk="}

    assert faults(signature, arguments) == {}


def test_every_fault_is_told_at_once(faults):
    found = faults("a: int, b: str, width: int = 1", {"a": "5", "widht": 2})

    assert set(found) == {"/a", "/b", "/widht"}
    assert found["/b"] == "is required"
    assert found["/widht"] == "is not an argument; did you mean 'width'?"
    assert found["/a"] == 'the value is not of type "integer"'


@pytest.mark.parametrize(
    ("signature", "arguments", "pointer"),
    [
        ("a: int", {}, "/a"),
        ("a: int", {"a": "5"}, "/a"),
        ("a: int", {"a": 1.0}, "/a"),
        ("a: int", {"a": 1.5}, "/a"),
        ("a: int", {"a": True}, "/a"),
        ("a: int", {"a": None}, "/a"),
        ("a: list[int]", {"a": [1, 2.0]}, "/a/1"),
        ("a: Literal[1, 'x']", {"a": 1.5}, "/a"),
        ("a: int | None = None", {"a": "x"}, "/a"),
        ("item: Item", {"item": {}}, "/item/sku"),
        ("item: Item | None", {"item": {"count": 1}}, "/item/sku"),
        ("items: list[Item]", {"items": [{"sku": "a"}, {"sku": 1}]}, "/items/1/sku"),
        ("a: Annotated[int, Field(gt=0)]", {"a": 0}, "/a"),
        ("a: Annotated[str, Field(max_length=2)]", {"a": "abc"}, "/a"),
        ("a: Annotated[str, Field(pattern='^x')]", {"a": "abc"}, "/a"),
        ("a: dict[str, int]", {"a": {"x/y~z": "1"}}, "/a/x~1y~0z"),
        ("a: dict[int, int]", {"a": {"x": 1}}, "/a"),
        ("a: bytes", {"a": "a b"}, "/a"),
        ("a: bytes", {"a": "_-8="}, "/a"),
        ("a: bytes", {"a": "aGk"}, "/a"),
        ("a: datetime.datetime", {"a": "yesterday"}, "/a"),
        ("a: datetime.date", {"a": "2026-13-01"}, "/a"),
        ("a: uuid.UUID", {"a": "x"}, "/a"),
        ("a: HttpUrl", {"a": "ftp://x"}, "/a"),
        ("a: AnyUrl", {"a": "no url"}, "/a"),
        ("pet: Cat | Dog = Field(discriminator='kind')", {"pet": {"kind": "cow"}}, "/pet/kind"),
    ],
)
def test_a_fault_is_pointed_at(faults, signature, arguments, pointer):
    assert list(faults(signature, arguments)) == [pointer]


@pytest.mark.parametrize("body", [[], "x", 1, None, True])
def test_a_body_that_is_no_object_is_told_at_the_root(faults, body):
    assert faults("a=1", body) == {"": 'the value is not of type "object"'}


def test_values_are_not_repeated_in_the_answer(faults):
    secret = "hunter2" * 10

    found = faults("a: int, b: Literal['x'], c: Item", {"a": secret, "b": secret, "c": secret})

    assert set(found) == {"/a", "/b", "/c"}
    assert not any("hunter2" in detail for detail in found.values())


def test_alternatives_are_explained(faults):
    assert faults("a: int | list[int]", {"a": "x"})["/a"] == (
        'fits no alternative: the value is not of type "integer"; the value is not of type "array"'
    )


def test_a_flood_of_faults_is_cut(faults):
    assert len(faults("a: list[int]", {"a": ["x"] * 500})) == 50


def test_injected_names_are_refused_among_keyword_arguments(load_source):
    [function] = load_source(
        "from penstock import Context\ndef sample(ctx: Context, **more: int): pass\n"
    ).values()

    check_arguments(function.manifest, {"a": 1})
    with pytest.raises(ArgumentsError):
        check_arguments(function.manifest, {"ctx": 1})


def test_what_an_author_writes_into_the_schema_only_informs(faults):
    signature = "a: Annotated[str, Field(json_schema_extra={'pattern': '^(?!x)'})]"

    assert faults(signature, {"a": "y"}) == {}
    assert faults(signature, {"a": "xy"}) == {}


def test_look_around_in_patterns_is_understood():
    validator = compile_schema({"type": "string", "pattern": "^(?!x)"})

    assert validator.is_valid("y")
    assert not validator.is_valid("xy")


def test_compiling_happens_once_for_a_version():
    properties = {f"p{i}": {"type": "integer", "pattern": f"^{i}"} for i in range(300)}
    manifest = Manifest(
        name="many",
        version="v",
        file="f.py",
        parameters={"type": "object", "properties": properties},
    )
    start = time.perf_counter()
    check_arguments(manifest, {"p1": 1})
    first_s = time.perf_counter() - start

    start = time.perf_counter()
    check_arguments(manifest, {"p1": 1})
    again_s = time.perf_counter() - start

    assert again_s < first_s / 5


def test_another_schema_under_the_same_version_is_not_judged_by_the_old_one():
    old = Manifest(name="f", version="v", file="f.py", parameters={"type": "object"})
    new = replace(old, parameters={"type": "object", "required": ["a"]})
    check_arguments(old, {})

    with pytest.raises(ArgumentsError):
        check_arguments(new, {})


@pytest.mark.parametrize(
    "schema",
    [{"type": "bogus"}, {"$ref": "http://127.0.0.1:9/x"}, {"$ref": "#/nowhere"}, {"pattern": "("}],
)
def test_a_schema_that_is_none_is_refused_without_looking_elsewhere(schema):
    with pytest.raises(ValueError, match="not a usable JSON Schema"):
        compile_schema(schema)


def test_compiling_never_connects_anywhere():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        with pytest.raises(ValueError, match="not a usable JSON Schema"):
            compile_schema({"$ref": f"http://127.0.0.1:{listener.getsockname()[1]}/x"})

        with pytest.raises(BlockingIOError):
            listener.accept()


def test_remote_schemas_are_known_only_if_they_are_built_in():
    assert compile_schema({"$ref": "https://json-schema.org/draft/2020-12/schema"}).is_valid({})
