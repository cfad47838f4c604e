"""Turn function files into published functions: discovery, loading, schemas, publishing."""

from __future__ import annotations
