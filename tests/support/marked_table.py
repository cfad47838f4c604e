"""Tables of documents that are made from one in the code, between two marks."""

from __future__ import annotations


def replace_between(begin: str, end: str, table: str, text: str) -> str:
    """Return a document with this table between the marks."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"
