"""Return no number."""

from __future__ import annotations


def return_nan() -> dict[str, object]:
    """Return a NaN, deep inside."""
    return {"values": [1.0, {"worst": float("nan")}]}
