"""The load client behind `penstock bench` and `make bench`."""

from __future__ import annotations
