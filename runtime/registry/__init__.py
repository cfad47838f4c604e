"""From files in a folder to published manifests: discovery, loading, schemas, watching."""

from __future__ import annotations
