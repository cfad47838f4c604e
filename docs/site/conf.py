"""How Sphinx makes one searchable site of the documents (`make docs-site`).

The documents are written for GitHub: links between them are relative paths, and there is no list
of pages to keep. This adds to the first page the hidden lists that Sphinx wants, in the order and
under the headings of that page; the decisions are listed below theirs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

project = "Penstock"
extensions = ["myst_parser"]
root_doc = "docs/index"
DECISIONS = "docs/decisions/README"
LINK = re.compile(r"\]\(([^)#:]+)\.md[)#]")
include_patterns = ["*.md", "docs/*.md", "docs/**/*.md"]
html_theme = "furo"
html_title = "Penstock"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
myst_heading_anchors = 4
myst_enable_extensions = ["strikethrough"]
# Code in documents that is not of the language it is marked as (a shell session with its output).
suppress_warnings = ["misc.highlighting_failure", "myst.strikethrough"]


def setup(app: Sphinx) -> None:
    """Have Sphinx call us for each document that it reads."""
    app.connect("source-read", _add_list_of_pages)


def _add_list_of_pages(_app: Sphinx, name: str, source: list[str]) -> None:
    if name == root_doc:
        source[0] += "".join(_hidden_list(*group) for group in _groups(source[0]))
    elif name == DECISIONS:
        source[0] += _hidden_list("", sorted(_decisions(_all_pages())))


def _groups(index: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the sections of the index, each with the pages that it is the first to name."""
    left = _all_pages() - {root_doc}
    left -= _decisions(left)
    for section in re.split(r"^## ", index, flags=re.MULTILINE):
        title = section.partition("\n")[0]
        named = [_page(target) for target in LINK.findall(section)]
        pages = [page for page in dict.fromkeys(named) if page in left]
        left.difference_update(pages)
        yield ("" if title.startswith("# ") else title), pages
    yield "More", sorted(left)


def _all_pages() -> set[str]:
    found = {page for pattern in include_patterns for page in ROOT.glob(pattern)}
    return {str(page.relative_to(ROOT).with_suffix("")) for page in found}


def _decisions(pages: set[str]) -> set[str]:
    return {page for page in pages if page.startswith("docs/decisions/")} - {DECISIONS}


def _page(target: str) -> str:
    return os.path.normpath(f"docs/{target}")


def _hidden_list(caption: str, pages: list[str]) -> str:
    if not pages:
        return ""
    head = f":caption: {caption}\n" if caption else ""
    listed = "\n".join(f"/{page}" for page in pages)
    return f"\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n{head}\n{listed}\n```\n"
