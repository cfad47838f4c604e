"""Manifests as the JSON that Redis keeps, in gateways and workers."""

from __future__ import annotations

import msgspec

from runtime.registry.manifest import Manifest

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Manifest).decode


def encode_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as JSON."""
    return _encode(manifest)


def decode_manifest(data: bytes) -> Manifest:
    """Decode what `encode_manifest` returned; raises msgspec.MsgspecError."""
    return _decode(data)
