"""One published version of a function file: its bundle, and the manifests of its functions.

The publisher stores it in Redis under the bundle's version, and the workers read it from there.
Code runs from these bytes, never from the disk, so an attempt finishes with the version it started
with, whatever happens to the files.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import msgspec

from runtime.registry.bundle import Bundle, decode_bundle
from runtime.registry.manifest import Manifest

_LENGTH_BYTES = 4
_decoder = msgspec.json.Decoder(tuple[Manifest, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedVersion:
    """One version of a function file: its bundle and the manifests of its functions."""

    bundle: Bundle
    manifests: tuple[Manifest, ...]

    def encode(self) -> bytes:
        """Return both as bytes; equal versions give equal bytes."""
        bundle = self.bundle.encode()
        length = len(bundle).to_bytes(_LENGTH_BYTES, "big")
        return length + bundle + msgspec.json.encode(self.manifests)


def decode_release(data: bytes) -> PublishedVersion:
    """Decode what `PublishedVersion.encode` returned.

    Raises:
        msgspec.MsgspecError: The bytes are not a published version.
    """
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    try:
        bundle = decode_bundle(data[_LENGTH_BYTES:end])
    except (zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise msgspec.DecodeError(f"not a bundle: {error}") from error
    return PublishedVersion(bundle=bundle, manifests=_decoder.decode(data[end:]))
