"""A published version as it is kept in Redis: the bundle and what it publishes.

The manifests travel with the source, so that a worker can run a version that no
longer serves.
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
    """One version of a function file."""

    bundle: Bundle
    manifests: tuple[Manifest, ...]

    def encode(self) -> bytes:
        """Return both as bytes; the same release gives the same bytes."""
        bundle = self.bundle.encode()
        length = len(bundle).to_bytes(_LENGTH_BYTES, "big")
        return length + bundle + msgspec.json.encode(self.manifests)


def decode_release(data: bytes) -> PublishedVersion:
    """Read what `Release.encode` wrote.

    Raises:
        msgspec.MsgspecError: It is something else.
    """
    end = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    try:
        bundle = decode_bundle(data[_LENGTH_BYTES:end])
    except (zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise msgspec.DecodeError(f"no bundle: {error}") from error
    return PublishedVersion(bundle=bundle, manifests=_decoder.decode(data[end:]))
