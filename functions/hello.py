"""The friendliest function there is: a plain callable, nothing imported from Penstock."""

from __future__ import annotations


def hello(name: str = "world") -> str:
    """Greet somebody by name.

    Args:
        name: Who is greeted.

    Returns:
        The greeting.
    """
    return f"Hello, {name.strip() or 'world'}!"
