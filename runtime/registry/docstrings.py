"""Parse docstrings in Google, NumPy and Sphinx style.

The result goes into the manifest and from there into the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import docstring_parser


@dataclass(frozen=True, slots=True, kw_only=True)
class Documentation:
    """The documentation of a function, as its docstring gives it."""

    summary: str = ""
    description: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    returns: str = ""


def read_docstring(text: str | None) -> Documentation:
    """Parse a docstring; never raises."""
    if not text or not text.strip():
        return Documentation()
    text = text.encode("utf-8", "replace").decode()
    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        summary, _, rest = text.strip().partition("\n")
        return Documentation(summary=summary.strip(), description=rest.strip())
    described = parsed.returns
    return Documentation(
        summary=" ".join((parsed.short_description or "").split()),
        description=(parsed.long_description or "").strip(),
        parameters={
            parameter.arg_name.lstrip("*"): parameter.description.strip()
            for parameter in parsed.params
            if parameter.description
        },
        returns=(described.description or "").strip() if described is not None else "",
    )
