"""Secrets are found in every schema, and nothing of them is left in what is shown."""

from __future__ import annotations

import json

import pytest

from runtime.registry.secret_masking import MASK, encode_paths, mask

PREAMBLE = """
import dataclasses
from typing import *
from pydantic import *
class Login(BaseModel):
    user: str
    password: SecretStr
class Chain(BaseModel):
    key: SecretStr
    next: 'Chain | None' = None
class Elsewhere(BaseModel):
    token: SecretStr = Field(validation_alias=AliasPath('deep', 'token'))
@dataclasses.dataclass
class Point:
    pin: SecretBytes
class Cat(BaseModel):
    kind: Literal['cat']
    chip: SecretStr
class Dog(BaseModel):
    kind: Literal['dog']
    name: str
"""


@pytest.fixture
def shown(load_source):
    def show(annotation: str, value: object) -> object:
        [function] = load_source(f"{PREAMBLE}def sample(a: {annotation}): pass\n").values()
        places = encode_paths(function.manifest.secrets)
        return json.loads(mask(json.dumps({"a": value, "b": "open"}).encode(), places))

    return show


@pytest.mark.parametrize(
    ("annotation", "value", "seen"),
    [
        ("SecretStr", "s3cret", MASK),
        ("SecretBytes", "czNjcmV0", MASK),
        ("Secret[int]", 53, MASK),
        ("SecretStr | None", None, None),
        ("Annotated[SecretStr, Field(min_length=3)]", "s3cret", MASK),
        ("Annotated[SecretStr, BeforeValidator(str.strip)]", "s3cret", MASK),
        ("Annotated[str, Field(json_schema_extra={'writeOnly': True})]", "s3cret", MASK),
        ("Annotated[str, Field(json_schema_extra={'format': 'password'})]", "s3cret", MASK),
        ("Annotated[SecretStr, WithJsonSchema({'type': 'string'})]", "s3cret", MASK),
        ("list[SecretStr]", ["s3cret", "s3cret"], [MASK, MASK]),
        ("tuple[str, SecretStr]", ["x", "s3cret"], [MASK, MASK]),
        ("dict[str, SecretStr]", {"x": "s3cret"}, {"x": MASK}),
        ("Login", {"user": "ada", "password": "s3cret"}, {"user": "ada", "password": MASK}),
        ("list[Login]", [{"user": "a", "password": "s3cret"}], [{"user": "a", "password": MASK}]),
        ("Login | int", {"user": "ada", "password": "s3cret"}, {"user": "ada", "password": MASK}),
        ("Chain", {"key": "s3cret", "next": {"key": "s3cret"}}, {"key": MASK, "next": MASK}),
        ("Elsewhere", {"deep": {"token": "s3cret"}}, MASK),
        ("Point", {"pin": "czNjcmV0"}, {"pin": MASK}),
        (
            "Annotated[Cat | Dog, Field(discriminator='kind')]",
            {"kind": "cat", "chip": "s3cret"},
            {"kind": "cat", "chip": MASK},
        ),
        ("Json[Login]", '{"user": "ada", "password": "s3cret"}', MASK),
        (
            "Annotated[Login, WrapValidator(lambda v, h: h(v))]",
            {"user": "ada", "password": "s3cret"},
            MASK,
        ),  # nobody knows what it reads
        ("int", 5, 5),
    ],
)
def test_a_secret_is_masked_wherever_it_stands(shown, annotation, value, seen):
    found = shown(annotation, value)

    assert found == {"a": seen, "b": "open"}
    assert "s3cret" not in json.dumps(found)


def test_what_is_not_masked_keeps_its_digits():
    places = encode_paths([("a",)])

    masked = mask(b'{"a":"x","n":1.10,"m":12345678901234567890123,"t":[1e2]}', places)

    assert masked == b'{"a":"**********","n":1.10,"m":12345678901234567890123,"t":[1e2]}'


def test_arguments_without_secrets_are_shown_byte_for_byte():
    text = b'{ "a" : 1.0 }'

    assert mask(text, b"") is text


def test_secret_keyword_arguments_are_masked(load_source):
    [function] = load_source(f"{PREAMBLE}def sample(**keys: SecretStr): pass\n").values()

    assert mask(b'{"x":"s3cret"}', encode_paths(function.manifest.secrets)) == b'{"x":"**********"}'
