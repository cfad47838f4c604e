"""Bundles: what makes a version, and the way to bytes and back."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runtime.registry.bundle import Bundle, decode_bundle
from runtime.registry.manifest import Manifest
from runtime.registry.published_version import PublishedVersion, decode_release

BUNDLE = Bundle(root="/f", file="a/b.py", sources={"a/b.py": b"x", "_h.py": b"y"})


def test_the_version_is_twelve_hex_digits():
    assert len(BUNDLE.version) == 12
    assert int(BUNDLE.version, 16)


def test_the_version_changes_with_file_helper_and_name_and_nothing_else():
    other_source = replace(BUNDLE, sources={"a/b.py": b"z", "_h.py": b"y"})
    other_helper = replace(BUNDLE, sources={"a/b.py": b"x", "_h.py": b"z"})
    other_name = replace(BUNDLE, sources={"a/b.py": b"x", "_g.py": b"y"})
    shifted = replace(BUNDLE, sources={"a/b.py": b"xy", "_h.py": b""})
    versions = {b.version for b in (BUNDLE, other_source, other_helper, other_name, shifted)}

    assert len(versions) == 5
    assert replace(BUNDLE, root="/elsewhere").version == BUNDLE.version
    assert replace(BUNDLE, sources=dict(reversed(BUNDLE.sources.items()))).version == BUNDLE.version


def test_names_come_from_the_path():
    assert (BUNDLE.default_name, BUNDLE.prefix) == ("a.b", "a.")
    root_file = replace(BUNDLE, file="b.py")
    assert (root_file.default_name, root_file.prefix) == ("b", "")


def test_paths_lead_to_files_of_the_bundle_only():
    assert BUNDLE.file_of("/f/a/b.py") == "a/b.py"
    assert BUNDLE.file_of("/f/other.py") is None
    assert BUNDLE.file_of("a/b.py") is None


@given(st.dictionaries(st.text(min_size=1), st.binary(), max_size=5))
def test_a_bundle_survives_encoding(sources):
    bundle = Bundle(root="/f", file="f.py", sources=sources)

    again = decode_bundle(bundle.encode())

    assert again == bundle
    assert again.version == bundle.version


def test_a_release_survives_encoding_and_is_the_same_bytes_twice():
    release = PublishedVersion(
        bundle=BUNDLE, manifests=(Manifest(name="a.b", version=BUNDLE.version, file="a/b.py"),)
    )

    assert decode_release(release.encode()) == release
    assert release.encode() == release.encode()
