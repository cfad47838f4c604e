"""The parts of `penstock up`: checks, data folder, embedded Redis, supervisor and log."""

from __future__ import annotations
