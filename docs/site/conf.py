"""How Sphinx makes one searchable site of the documents (`make docs-site`).

The documents are written for GitHub: links between them are relative paths, and there is no list
of pages to keep. This adds to the first page the hidden list that Sphinx wants.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

project = "Penstock"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "docs/**/*.md"]
html_theme = "furo"
html_title = "Penstock"
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
        found = {page for pattern in include_patterns for page in ROOT.glob(pattern)}
        pages = sorted(str(page.relative_to(ROOT).with_suffix("")) for page in found)
        listed = "\n".join(f"/{page}" for page in pages if page != root_doc)
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{listed}\n```\n"
