"""How many attempts of a function one process runs at the same time: said, or by what it is."""

from __future__ import annotations

import json

import pytest

from runtime.errors import LoadError
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import decode_manifest, encode_manifest
from runtime.sdk.options import Options

PREAMBLE = """
import asyncio
import functools
from penstock import function

def plain_wrapper(wrapped):
    @functools.wraps(wrapped)
    def call(*args, **kwargs):
        return wrapped(*args, **kwargs)
    return call

def async_wrapper(wrapped):
    @functools.wraps(wrapped)
    async def call(*args, **kwargs):
        return wrapped(*args, **kwargs)
    return call

class Callable:
    async def __call__(self, n: int = 1) -> int:
        return n
"""
DEFAULTS = [
    ("def sample(): pass", 1),
    ("def sample(): yield 1", 1),
    ("async def sample(): pass", 100),
    ("async def sample(): yield 1", 100),
    ("@function\nasync def sample(): pass", 100),
    ("@plain_wrapper\nasync def sample(): pass", 1),
    ("@async_wrapper\ndef sample(): pass", 100),
    ("sample = function(Callable())", 100),
    ("sample = function(functools.partial(Callable(), 2))", 100),
    ("@function(isolation='thread')\nasync def sample(): pass", 1),
    ("@function(isolation='thread')\ndef sample(): pass", 1),
]
SAID = [
    ("@function(per_process=1)\nasync def sample(): pass", 1),
    ("@function(per_process=7)\nasync def sample(): pass", 7),
    ("@function(per_process=20)\ndef sample(): pass", 20),
    ("@function(per_process=None)\nasync def sample(): pass", 100),
    ("@function(per_process=1, isolation='thread')\nasync def sample(): pass", 1),
]


@pytest.mark.parametrize(("code", "window"), [*DEFAULTS, *SAID])
def test_the_manifest_has_a_number(load_source, code: str, window: int):
    [function] = load_source(f"{PREAMBLE}\n{code}\n").values()

    manifest = decode_manifest(encode_manifest(function.manifest))

    assert manifest.options.per_process == window
    assert manifest.window == window


def test_what_the_author_said_wrongly_is_an_error_of_the_file(load_source):
    with pytest.raises(LoadError, match="takes a whole number from 1 to 1000") as caught:
        load_source(f"{PREAMBLE}\n@function(per_process=0)\ndef sample(): pass\n")

    assert caught.value.kind == "OptionError"


def test_a_manifest_of_a_release_that_did_not_know_the_option_means_one():
    said = json.loads(encode_manifest(Manifest(name="f", version="v1", file="f.py")))
    del said["options"]["per_process"]

    manifest = decode_manifest(json.dumps(said).encode())

    assert manifest.window == 1
    assert manifest.options == Options()
