"""Calling a loaded function: arguments in, the result or the user's own exception out."""

from __future__ import annotations

import threading

import pytest

from penstock import Context, Request
from runtime.errors import ArgumentsError, ResultNotSerializableError


def call_only(functions, arguments=b"{}", **injected):
    [function] = functions.values()
    return function.call(arguments, context=injected.pop("context", Context()), **injected)


@pytest.mark.parametrize(
    ("code", "arguments", "result"),
    [
        ("def sample(a: int, b: int = 2): return a + b", b'{"a": 1}', b"3"),
        ("async def sample(a: int): return a", b'{"a": 1}', b"1"),
        ("def sample(a, /, b, *, c): return [a, b, c]", b'{"c":3,"b":2,"a":1}', b"[1,2,3]"),
        ("def sample(a, b=5, /, **more): return [a, b, more]", b'{"a":1,"z":2}', b'[1,5,{"z":2}]'),
        ("def sample(n: int):\n    yield from range(n)", b'{"n": 3}', b"[0,1,2]"),
        ("def sample(n: int):\n    yield from range(n)\n    return 9", b'{"n": 3}', b"9"),
        (
            "async def sample():\n    return (x async for x in s())\nasync def s(): yield 1",
            b"{}",
            b"[1]",
        ),
        ("async def sample():\n    yield 1\n    yield 2", b"{}", b"[1,2]"),
        (
            "def sample(json: int, p0: int, **kw): return [json, p0, kw]",
            b'{"json":1,"p0":2,"p1":3}',
            b'[1,2,{"p1":3}]',
        ),
        ("def sample(x=[1]):\n    x.append(2)\n    return x", b"{}", b"[1,2]"),
        ("def sample(x: int = None): return x", b'{"x": null}', b"null"),
        (
            "import functools\nsample = functools.partial(lambda a, b: [a, b], b=7)",
            b'{"a":1}',
            b"[1,7]",
        ),
        ("import asyncio\ndef sample(): return asyncio.sleep(0, 'late')", b"{}", b'"late"'),
    ],
)
def test_every_kind_of_callable_is_run_to_its_end(load_source, code, arguments, result):
    assert call_only(load_source(code + "\n"), arguments).result == result


def test_a_default_is_not_shared_between_calls(load_source):
    functions = load_source("def sample(x=[]):\n    x.append(1)\n    return x\n")

    assert [call_only(functions).result for _ in range(3)] == [b"[1]"] * 3


def test_arguments_become_the_annotated_types(load_source):
    source = (
        "import datetime, uuid, enum, dataclasses, decimal, pathlib\n"
        "from pydantic import BaseModel\n"
        "class M(BaseModel):\n    a: int\n"
        "class E(enum.Enum):\n    RED = 'red'\n"
        "@dataclasses.dataclass\nclass D:\n    x: float\n"
        "def sample(m: M, e: E, d: D, at: datetime.datetime, u: uuid.UUID, s: set[int],\n"
        "           t: tuple[int, str], b: list[bytes], p: pathlib.Path, n: decimal.Decimal):\n"
        "    return [type(v).__name__ for v in (m, e, d, at, u, s, t, b[0], p, n)]\n"
    )
    arguments = (
        b'{"m":{"a":1},"e":"red","d":{"x":1},"at":"2026-11-22T09:30:00Z",'
        b'"u":"0192f0c1-2345-7abc-8def-0123456789ab","s":[1],"t":[1,"x"],"b":["aGk="],"p":"/x","n":"1.5"}'
    )

    result = call_only(load_source(source), arguments).result

    expected = b'["M","E","D","datetime","UUID","set","tuple","bytes","PosixPath","Decimal"]'
    assert result == expected


@pytest.mark.parametrize(
    ("signature", "arguments", "pointers"),
    [
        ("a: int, b: int", b"{}", ["/a", "/b"]),
        ("a: int", b'{"a": "5"}', ["/a"]),
        ("a: int", b'{"a": 1.0}', ["/a"]),
        ("a: int", b'{"a": true}', ["/a"]),
        ("a: bool", b'{"a": 1}', ["/a"]),
        ("a: str", b'{"a": 1}', ["/a"]),
        ("a: int = 1", b'{"b": 1}', ["/b"]),
        ("a: list[int]", b'{"a": [1, "x"]}', ["/a/1"]),
        ("a: dict[str, int]", b'{"a": {"x/y~z": "1"}}', ["/a/x~1y~0z"]),
        ("a=1", b"[]", [""]),
        ("a=1", b"{", [""]),
    ],
)
def test_arguments_that_do_not_fit_are_pointed_at(load_source, signature, arguments, pointers):
    functions = load_source(f"def sample({signature}): return 'ran'\n")

    with pytest.raises(ArgumentsError) as caught:
        call_only(functions, arguments)

    assert [fault.pointer for fault in caught.value.faults] == pointers


def test_an_injected_name_cannot_be_forged(load_source):
    functions = load_source(
        "from penstock import Context\ndef sample(ctx: Context, **more): pass\n"
    )

    with pytest.raises(ArgumentsError, match="/ctx"):
        call_only(functions, b'{"ctx": {"id": "forged"}}')


def test_context_and_request_arrive(load_source):
    source = (
        "from penstock import Context, Request\n"
        "def sample(request: Request, c: Context, more: int):\n"
        "    return [request.headers['x-a'], request.body.decode(), c.id, more]\n"
    )
    request = Request(headers={"X-A": "1"}, body=b"raw")

    produced = call_only(
        load_source(source), b'{"more": 4}', context=Context(id="i"), request=request
    )

    assert produced.result == b'["1","raw","i",4]'


def test_what_the_function_raises_comes_out_as_it_is(load_source):
    functions = load_source("class Own(Exception): pass\ndef sample(): raise Own('x')\n")

    with pytest.raises(Exception, match="x") as caught:
        call_only(functions)

    assert type(caught.value).__name__ == "Own"


def test_a_value_error_inside_is_not_taken_for_wrong_arguments(load_source):
    functions = load_source("def sample(a: int): raise ValueError('inside')\n")

    with pytest.raises(ValueError, match="inside"):
        call_only(functions, b'{"a": 1}')


def test_sys_exit_comes_out_as_it_is(load_source):
    with pytest.raises(SystemExit):
        call_only(load_source("import sys\ndef sample(): sys.exit(3)\n"))


def test_coroutines_of_one_thread_share_a_loop(load_source):
    functions = load_source(
        "import asyncio\nasync def sample(): return id(asyncio.get_running_loop())\n"
    )

    first, second = call_only(functions).result, call_only(functions).result

    assert first == second


def test_coroutines_run_in_any_thread(load_source):
    functions = load_source(
        "import asyncio\nasync def sample(): await asyncio.sleep(0); return 1\n"
    )
    results = []

    thread = threading.Thread(target=lambda: results.append(call_only(functions).result))
    thread.start()
    thread.join()

    assert results == [b"1"]


@pytest.mark.parametrize(
    "value", ["b'\\xff\\x00'", "bytearray(b'\\xff\\x00')", "memoryview(b'\\xff\\x00')"]
)
def test_bytes_are_kept_raw(load_source, value):
    produced = call_only(load_source(f"def sample(): return {value}\n"))

    assert (produced.result, produced.result_type) == (b"\xff\x00", "bytes")
    assert produced.media_type == "application/octet-stream"


def test_bytes_have_the_declared_media_type(load_source):
    source = (
        "from typing import Annotated\nfrom pydantic import Field\n"
        "Png = Annotated[bytes, Field(json_schema_extra={'contentMediaType': 'image/png'})]\n"
        "def sample() -> Png: return b'x'\n"
    )

    assert call_only(load_source(source)).media_type == "image/png"


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("{'a': datetime.date(2026, 1, 2), 'b': {1}}", b'{"a":"2026-01-02","b":[1]}'),
        ("decimal.Decimal('1.50')", b'"1.50"'),
        ("Model(a=1)", b'{"a":1}'),
        ("[Data(1.5), pathlib.Path('/x')]", b'[{"x":1.5},"/x"]'),
        ("2 ** 80", b"1208925819614629174706176"),
        ("'\\u00fc NaN Infinity'", '"\u00fc NaN Infinity"'.encode()),
        ("{1: 'int', None: 'none'}", b'{"1":"int","None":"none"}'),
        ("[b'\\xff']", b'["/w=="]'),
        ("None", b"null"),
    ],
)
def test_results_become_json(load_source, code, result):
    preamble = (
        "import datetime, decimal, pathlib, dataclasses\nfrom pydantic import BaseModel\n"
        "class Model(BaseModel):\n    a: int\n"
        "@dataclasses.dataclass\nclass Data:\n    x: float\n"
    )

    produced = call_only(load_source(f"{preamble}def sample(): return {code}\n"))

    assert (produced.result, produced.result_type) == (result, "json")
    assert produced.media_type == "application/json"


PREAMBLE = (
    "import dataclasses, typing, math\nfrom pydantic import BaseModel\n"
    "class Model(BaseModel):\n    x: float = 1.0\n    inner: typing.Any = None\n"
    "@dataclasses.dataclass\nclass Data:\n    x: typing.Any\n"
    "def cycle():\n    a = []\n    a.append({'a': a})\n    return a\n"
    "def deep(n):\n    a = []\n    for _ in range(n): a = [a]\n    return a\n"
    "class Odd: pass\n"
)


@pytest.mark.parametrize("annotation", ["", " -> typing.Any", " -> object"])
@pytest.mark.parametrize(
    ("code", "reported"),
    [
        ("math.nan", "result is nan"),
        ("{'a': [1, {'b': -math.inf}]}", r"result\['a'\]\[1\]\['b'\] is -inf"),
        ("Model.model_construct(x=math.nan)", "is nan"),
        ("[Data(math.inf)]", r"result\[0\].*is inf"),
        ("Odd()", r"result is of type functions_of_test_\d+.sample.Odd, which has no JSON form"),
        ("{'a': [1, Odd()]}", r"result\['a'\]\[1\] is of type .*Odd"),
        ("Data({'deep': {1, Odd}})", r"result.x\['deep'\]\["),
        ("Model(inner=Odd())", r"result.inner is of type .*Odd"),
        ("cycle()", r"result\[0\]\['a'\] contains itself"),
        ("'\\ud800'", "surrogate"),
        ("deep(64)", "nested more than 64 levels"),
        ("deep(5000)", "nested"),
        ("lambda: 1", "result is of type function"),
        ("{10**5000: 1}", "4300 digits"),
        ("{'a': [{-(10**5000): Odd()}]}", r"result\['a'\]\[0\]\[a key of type int\] is of type"),
    ],
)
def test_what_has_no_json_form_is_told_with_its_place(load_source, code, reported, annotation):
    functions = load_source(f"{PREAMBLE}def sample(){annotation}: return {code}\n")

    with pytest.raises(ResultNotSerializableError, match=reported):
        call_only(functions)


@pytest.mark.parametrize(
    ("annotation", "code"),
    [
        ("float", "math.nan"),
        ("list[float]", "[1.0, math.inf]"),
        ("Model", "Model.model_construct(x=math.nan)"),
        ("Data", "Data(math.nan)"),
        ("Model", "Model(inner=[math.nan])"),
        ("dict[str, Model]", "{'a': Model.model_construct(x=math.inf)}"),
    ],
)
def test_annotated_results_are_no_way_around_finite_numbers(load_source, annotation, code):
    functions = load_source(f"{PREAMBLE}def sample() -> {annotation}: return {code}\n")

    with pytest.raises(ResultNotSerializableError, match=r"is (nan|inf)"):
        call_only(functions)


def test_a_model_that_writes_nan_its_own_way_may(load_source):
    source = (
        "import math\nfrom pydantic import BaseModel, field_serializer\n"
        "class Gap(BaseModel):\n    x: float\n    @field_serializer('x')\n"
        "    def _x(self, x): return None if math.isnan(x) else x\n"
        "def sample() -> Gap: return Gap(x=math.nan)\n"
    )

    assert call_only(load_source(source)).result == b'{"x":null}'


def test_the_deepest_result_allowed_is_allowed(load_source):
    functions = load_source(f"{PREAMBLE}def sample(): return [deep(62), '[[[[' * 99, {{}}]\n")

    assert call_only(functions).result.startswith(b"[[[")


def test_a_result_that_is_not_what_was_announced_ends_the_attempt(load_source, recwarn):
    functions = load_source("def sample() -> int: return 'text'\n")

    with pytest.raises(ResultNotSerializableError, match=r"return type: result: .*integer"):
        call_only(functions)
    assert not recwarn.list
