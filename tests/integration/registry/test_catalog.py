"""The worker's catalogue: read once, kept, and honest about what is gone."""

from __future__ import annotations

import pytest

from runtime.errors import StoreUnavailableError, UnknownFunctionError
from runtime.registry.bundle import Bundle
from runtime.registry.catalog import Catalog
from runtime.registry.manifest import Manifest
from runtime.registry.release import Release
from runtime.store.function_calls import publish_function
from runtime.store.line import Line
from runtime.store.scripts import Call


def release(text: bytes) -> Release:
    bundle = Bundle(root="/f", file="f.py", sources={"f.py": text})
    manifests = tuple(Manifest(name=n, version=bundle.version, file="f.py") for n in ("f", "g"))
    return Release(bundle=bundle, manifests=manifests)


def publish(line: Line, made: Release) -> str:
    version = made.bundle.version
    line.run(
        publish_function(
            "f", manifest=made.manifests[0].encode(), version=version, source=made.encode()
        )
    )
    return version


def test_manifest_and_bundle_of_a_version_are_found(line):
    made = release(b"one")
    version = publish(line, made)

    manifest, bundle = Catalog(line).function("g", version)

    assert (manifest, bundle) == (made.manifests[1], made.bundle)


def test_a_version_that_no_longer_serves_is_still_found(line):
    old, new = release(b"old"), release(b"new")
    version = publish(line, old)
    publish(line, new)

    assert Catalog(line).function("f", version)[1] == old.bundle


def test_a_version_is_read_once(line, redis_url):
    version = publish(line, release(b"one"))
    catalog = Catalog(line)
    first = catalog.function("f", version)
    line.run(Call(("FLUSHALL",), lambda reply: reply))

    assert catalog.function("f", version) is not None
    assert catalog.function("f", version)[1] is first[1]


def test_the_version_unused_for_longest_is_forgotten(line):
    catalog = Catalog(line, most_versions=2)
    versions = [publish(line, release(text)) for text in (b"1", b"2", b"3")]
    for version in (versions[0], versions[1], versions[0], versions[2]):
        catalog.function("f", version)
    line.run(Call(("FLUSHALL",), lambda reply: reply))

    catalog.function("f", versions[0])
    with pytest.raises(UnknownFunctionError):
        catalog.function("f", versions[1])


def test_unknown_versions_and_names_are_told(line):
    version = publish(line, release(b"one"))

    with pytest.raises(UnknownFunctionError, match="no longer kept"):
        Catalog(line).function("f", "000000000000")
    with pytest.raises(UnknownFunctionError, match="publishes no function h"):
        Catalog(line).function("h", version)


def test_a_redis_that_is_away_is_told_as_such(tmp_path):
    with pytest.raises(StoreUnavailableError):
        Catalog(Line(f"unix://{tmp_path}/none.sock")).function("f", "v")
