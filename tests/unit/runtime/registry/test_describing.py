"""Manifests: what a signature and a docstring become."""

from __future__ import annotations

import pytest

from runtime.registry.manifest_codec import decode_manifest, encode_manifest
from runtime.registry.manifest_completion import with_documentation

ISSUE_EXAMPLE = '''"""Shrink pictures."""
from typing import Annotated
from pydantic import Field, HttpUrl
from penstock import Context, function

@function(timeout="30s", retries=2, concurrency=4)
def thumbnail(
    image: bytes, width: Annotated[int, Field(gt=0, le=4096)] = 320, *, ctx: Context
) -> bytes:
    """Shrink a picture to the given width.

    Args:
        image: The picture, PNG or JPEG.
        width: Width of the result in pixels.
    """
'''


def manifest_of(functions):
    [function] = functions.values()
    return with_documentation(function.manifest, function.docstring)


def parameters(load_source, signature, preamble=""):
    return manifest_of(load_source(f"{preamble}\ndef sample({signature}): pass\n")).parameters


def test_a_function_as_authors_write_it(load_source):
    manifest = manifest_of(load_source(ISSUE_EXAMPLE, file="thumbnail.py"))

    assert manifest.name == "thumbnail"
    assert manifest.summary == "Shrink a picture to the given width."
    assert manifest.parameters == {
        "type": "object",
        "properties": {
            "image": {
                "type": "string",
                "contentEncoding": "base64",
                "description": "The picture, PNG or JPEG.",
            },
            "width": {
                "type": "integer",
                "exclusiveMinimum": 0,
                "maximum": 4096,
                "default": 320,
                "description": "Width of the result in pixels.",
            },
        },
        "required": ["image"],
        "additionalProperties": False,
    }
    assert manifest.injected == {"ctx": "context"}
    assert (manifest.bytes_parameters, manifest.raw_parameter) == (("image",), "image")
    assert (manifest.returns_bytes, manifest.result_media_type) == (
        True,
        "application/octet-stream",
    )
    assert (manifest.options.timeout_s, manifest.options.retry.retries) == (30, 2)
    assert decode_manifest(encode_manifest(manifest)) == manifest


def test_unannotated_parameters_take_anything(load_source):
    schema = parameters(load_source, "a, b=[1]")

    assert schema["properties"] == {"a": {}, "b": {"default": [1]}}
    assert schema["required"] == ["a"]


@pytest.mark.parametrize(
    "name", ["json", "schema", "model_config", "_x", "__y", "self", "p0", "copy"]
)
def test_any_parameter_name_will_do(load_source, name):
    assert parameters(load_source, f"{name}: int")["properties"] == {name: {"type": "integer"}}


def test_a_default_of_none_makes_null_acceptable(load_source):
    schema = parameters(load_source, "n: int = None")

    assert schema["properties"]["n"]["anyOf"] == [{"type": "integer"}, {"type": "null"}]


def test_field_may_stand_as_the_default(load_source):
    preamble = "from pydantic import Field"
    schema = parameters(
        load_source, "n: int = Field(3, gt=1, description='d'), m: int = Field(gt=1)", preamble
    )

    assert schema["properties"]["n"] == {
        "type": "integer",
        "default": 3,
        "exclusiveMinimum": 1,
        "description": "d",
    }
    assert schema["required"] == ["m"]


def test_models_become_definitions_without_noisy_titles(load_source):
    preamble = (
        "from __future__ import annotations\nfrom pydantic import BaseModel\n"
        "class Node(BaseModel):\n    label: str\n    below: list[Node] = []\n"
    )
    schema = parameters(load_source, "tree: Node", preamble)

    assert schema["properties"] == {"tree": {"$ref": "#/$defs/Node"}}
    assert "title" not in schema["$defs"]["Node"]
    assert schema["$defs"]["Node"]["properties"]["label"] == {"type": "string"}


def test_the_title_of_a_result_is_left_out_unless_somebody_wrote_it(load_source):
    preamble = "from pydantic import BaseModel, ConfigDict\n"
    plain = preamble + "class M(BaseModel): a: int\ndef sample() -> M: pass\n"
    named = plain.replace(": a: int", ":\n    model_config = ConfigDict(title='Mine')")

    assert "title" not in manifest_of(load_source(plain)).returns
    assert manifest_of(load_source(named)).returns["title"] == "Mine"


def test_keyword_arguments_of_a_type_are_further_members(load_source):
    schema = parameters(load_source, "a: int = 1, **more: str")

    assert schema["additionalProperties"] == {"type": "string"}
    assert parameters(load_source, "**more")["additionalProperties"] in (True, {})


def test_an_injected_name_cannot_come_in_among_keyword_arguments(load_source):
    schema = parameters(load_source, "ctx: Context, **more: str", "from penstock import Context")

    assert schema["propertyNames"] == {"not": {"enum": ["ctx"]}}


@pytest.mark.parametrize(
    "annotation", ["Context", "Context | None", "Optional[Context]", "'Context'"]
)
def test_context_is_injected_however_it_is_written(load_source, annotation):
    preamble = "from penstock import Context\nfrom typing import Optional"

    functions = load_source(f"{preamble}\ndef sample(c: {annotation} = None): pass\n")

    assert manifest_of(functions).injected == {"c": "context"}
    assert manifest_of(functions).parameters["properties"] == {}


def test_a_request_is_injected(load_source):
    manifest = manifest_of(
        load_source("from penstock import Request\ndef sample(request: Request): pass\n")
    )

    assert manifest.takes_request
    assert manifest.parameters["properties"] == {}


@pytest.mark.parametrize(
    ("signature", "raw"),
    [
        ("a: bytes", "a"),
        ("a: bytes, b: int = 1", "a"),
        ("a: bytes | None, b=1", "a"),
        ("a: bytes, b: int", None),
        ("a: bytes, b: bytes", None),
        ("a: bytes = b''", None),
        ("a: int", None),
    ],
)
def test_the_raw_body_is_for_the_only_parameter_without_a_default(load_source, signature, raw):
    assert manifest_of(load_source(f"def sample({signature}): pass\n")).raw_parameter == raw


@pytest.mark.parametrize(
    ("code", "methods"),
    [
        ("def sample(a: int): pass", "POST PUT PATCH DELETE"),
        ("def sample(request: Request): pass", "GET POST PUT PATCH DELETE OPTIONS"),
        ("@function(methods=['POST', 'GET'])\ndef sample(request: Request): pass", "GET POST"),
    ],
)
def test_methods_are_those_declared_or_those_that_suit_the_parameters(load_source, code, methods):
    manifest = manifest_of(load_source(f"from penstock import Request, function\n{code}\n"))

    assert " ".join(manifest.methods) == methods


@pytest.mark.parametrize(
    ("returns", "is_response"), [("Response", True), ("str | Response", True), ("str", False)]
)
def test_a_response_is_read_from_the_annotation(load_source, returns, is_response):
    code = f"from penstock import Response\ndef sample() -> {returns}: pass\n"

    assert manifest_of(load_source(code)).returns_response is is_response


def test_a_media_type_is_read_from_the_annotation(load_source):
    source = (
        "from typing import Annotated\nfrom pydantic import Field\n"
        "Png = Annotated[bytes, Field(json_schema_extra={'contentMediaType': 'image/png'})]\n"
        "def sample() -> Png: pass\n"
    )

    manifest = manifest_of(load_source(source))

    assert (manifest.returns_bytes, manifest.result_media_type) == (True, "image/png")


@pytest.mark.parametrize(
    ("code", "schema"),
    [
        ("def sample() -> int: pass", {"type": "integer"}),
        ("def sample(): pass", {}),
        ("def sample() -> None: pass", {"type": "null"}),
        (
            "def sample() -> list[int] | None: pass",
            {"anyOf": [{"items": {"type": "integer"}, "type": "array"}, {"type": "null"}]},
        ),
        ("async def sample() -> str: pass", {"type": "string"}),
        ("def sample() -> Iterator[int]: yield 1", {"items": {"type": "integer"}, "type": "array"}),
        (
            "async def sample() -> AsyncIterator[int]: yield 1",
            {"items": {"type": "integer"}, "type": "array"},
        ),
        (
            "def sample() -> Generator[int, None, None]: yield 1",
            {"items": {"type": "integer"}, "type": "array"},
        ),
        ("def sample(): yield 1", {"items": {}, "type": "array"}),
        ("def sample() -> Awaitable[int]: pass", {"type": "integer"}),
    ],
)
def test_the_result_is_described(load_source, code, schema):
    preamble = "from collections.abc import *\n"

    assert manifest_of(load_source(preamble + code + "\n")).returns == schema


GOOGLE = """
    Args:
        a: The first.

    Returns:
        The result.
"""
NUMPY = """
    Parameters
    ----------
    a : int
        The first.

    Returns
    -------
    int
        The result.
"""
SPHINX = """
    :param a: The first.
    :returns: The result.
"""


@pytest.mark.parametrize("sections", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_docstrings_of_three_styles_are_read(load_source, sections):
    docstring = f"Do it.\n\n    At length.\n{sections}"

    manifest = manifest_of(load_source(f'def sample(a: int):\n    """{docstring}    """\n'))

    assert (manifest.summary, manifest.description) == ("Do it.", "At length.")
    assert manifest.parameters["properties"]["a"]["description"] == "The first."
    assert manifest.returns_description == "The result."


def test_a_fields_own_description_wins_over_the_docstring(load_source):
    source = (
        "from typing import Annotated\nfrom pydantic import Field\n"
        "def sample(a: Annotated[int, Field(description='own')]):\n"
        '    """S.\n\n    Args:\n        a: doc.\n    """\n'
    )

    assert manifest_of(load_source(source)).parameters["properties"]["a"]["description"] == "own"


@pytest.mark.parametrize(
    "docstring", ["", "   ", "Args:", ":param", "Args:\n  x", "Returns\n-----"]
)
def test_an_odd_docstring_does_no_harm(load_source, docstring):
    load_source(f"def sample():\n    {docstring!r}\n")


def test_the_files_docstring_stands_in_for_the_functions(load_source):
    assert (
        manifest_of(load_source('"""Of the file."""\ndef sample(): pass\n')).summary
        == "Of the file."
    )


def test_defaults_that_are_no_json_are_left_out(load_source):
    schema = parameters(load_source, "a=object(), b: float = float('nan'), c={'x': object()}")

    assert not [name for name, part in schema["properties"].items() if "default" in part]
    assert "required" not in schema


def test_a_default_of_bytes_is_standard_base64(load_source):
    schema = parameters(load_source, "a: bytes = b'\\xff\\xfe'")

    assert schema["properties"]["a"]["default"] == "//4="


def test_what_is_no_text_in_a_docstring_does_no_harm(load_source):
    functions = load_source('def sample():\n    "Odd \\ud800."\n')

    assert manifest_of(functions).summary == "Odd ?."
