"""The worker's catalogue: what it has learned, the latest of it, and nothing that is none."""

from __future__ import annotations

import zlib

import msgspec
import pytest

from runtime.errors import UnknownFunctionError
from runtime.registry.bundle import Bundle
from runtime.registry.manifest import Manifest
from runtime.registry.manifest_codec import encode_manifest
from runtime.registry.published_version import PublishedVersion
from runtime.registry.version_cache import VersionCache
from runtime.store.blocking_connection import BlockingConnection
from runtime.store.function_commands import publish_function, read_source


def release(text: bytes) -> PublishedVersion:
    bundle = Bundle(root="/f", file="f.py", sources={"f.py": text})
    manifests = tuple(Manifest(name=n, version=bundle.version, file="f.py") for n in ("f", "g"))
    return PublishedVersion(bundle=bundle, manifests=manifests)


def learned(*made: PublishedVersion, most_versions: int = 256) -> VersionCache:
    catalog = VersionCache(most_versions=most_versions)
    for one in made:
        catalog.learn(one.bundle.version, one.encode())
    return catalog


def test_manifest_and_bundle_of_a_version_are_found_as_redis_keeps_them(
    connection: BlockingConnection,
):
    made = release(b"one")
    version = made.bundle.version
    manifest = encode_manifest(made.manifests[0])
    connection.run(publish_function("f", manifest=manifest, version=version, source=made.encode()))
    data = connection.run(read_source(version))
    assert data is not None
    catalog = VersionCache()

    assert not catalog.holds(version)
    catalog.learn(version, data)

    assert catalog.holds(version)
    assert catalog.function("g", version) == (made.manifests[1], made.bundle)


def test_versions_are_told_apart():
    old, new = release(b"old"), release(b"new")
    catalog = learned(old, new)

    for made in (old, new):
        assert catalog.function("f", made.bundle.version)[1] == made.bundle


def test_the_version_unused_for_longest_is_forgotten():
    many = [release(text) for text in (b"1", b"2", b"3")]
    catalog = learned(*many[:2], most_versions=2)
    catalog.function("f", many[0].bundle.version)

    catalog.learn(many[2].bundle.version, many[2].encode())

    assert [catalog.holds(made.bundle.version) for made in many] == [True, False, True]


def test_a_function_that_a_version_does_not_have_is_told():
    made = release(b"one")

    with pytest.raises(UnknownFunctionError, match="publishes no function h"):
        learned(made).function("h", made.bundle.version)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no release",
        release(b"one").encode()[:-1],
        release(b"one").encode()[:20],
        len(zlib.compress(b"[]\n")).to_bytes(4, "big") + zlib.compress(b"[]\n") + b"[]",
        len(zlib.compress(b"{}\n")).to_bytes(4, "big") + zlib.compress(b"{}\n") + b"[]",
    ],
)
def test_what_is_no_release_is_told_as_one_error_and_not_remembered(data: bytes):
    catalog = VersionCache()

    with pytest.raises(msgspec.MsgspecError):
        catalog.learn("v", data)

    assert not catalog.holds("v")
