"""The smallest example: a plain Python function that imports nothing from Penstock."""

from __future__ import annotations


def hello(name: str = "world") -> str:
    """Greet somebody by name.

    Args:
        name: Name of the person to greet.

    Returns:
        The greeting.
    """
    return f"Hello, {name.strip() or 'world'}!"
