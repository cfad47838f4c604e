# /// script
# requires-python = ">=3.11"
# dependencies = ["beautifulsoup4>=4.13,<5", "lxml>=5,<7", "markdownify>=1.1,<2"]
#
# [tool.penstock]
# preload = ["bs4", "lxml.etree", "markdownify"]
# ///
"""Turn a web page into Markdown.

markdownify: it is maintained, has a free licence, converts tables and lists, and reads what
BeautifulSoup has parsed. So we choose what is left out. It brings three small packages.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from markdownify import MarkdownConverter
from pydantic import Field

from penstock import Reject, function

# What a reader of the text does not want. `header` stays: articles have their headings in one.
LEFT_OUT = (
    "script, style, noscript, template, svg, canvas, iframe, object, embed, nav, footer, aside,"
    "form, button, dialog, head, [hidden], [aria-hidden=true], [role=navigation], [role=banner],"
    "[role=contentinfo], [role=search]"
)
LINKS = (("a", "href"), ("img", "src"))
SCHEMES = frozenset({"", "http", "https", "mailto", "tel"})
FENCED = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)

warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page: its title, or null if it has none, and its text as Markdown."""

    title: str | None
    markdown: str


@function(timeout="30s")
def page_to_markdown(
    html: Annotated[str, Field(max_length=2_000_000)], base_url: str | None = None
) -> Page:
    """Turn a web page into Markdown.

    Headings, lists, tables, links, pictures, quotes and code are kept. Scripts, styles, forms,
    navigation, side notes, footers and what is hidden are left out. Broken HTML is read as browsers
    read it, as far as possible.

    Args:
        html: The page, or a part of it. It is not fetched: what it links to is not read.
        base_url: The address of the page. If it is given, relative links become absolute.

    Returns:
        The title and the text.
    """
    base = _checked(base_url)
    try:
        soup = BeautifulSoup(html, "lxml")
        title = _title(soup)
        for tag in soup.select("base[href]", limit=1):
            base = urljoin(base, str(tag["href"])) if base else None
        for tag in soup.select(LEFT_OUT):
            tag.decompose()
        _settle_links(soup, base)
        _escape_cells(soup)
        markdown = _converter().convert_soup(soup)
    except RecursionError as error:
        raise Reject("the tags of the page are nested too deeply") from error
    return Page(title=title, markdown=_tidy(markdown))


def _checked(base_url: str | None) -> str | None:
    if base_url is None:
        return None
    try:
        parts = urlsplit(base_url)
    except ValueError as error:
        raise Reject(f"base_url is not an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise Reject("base_url must begin with http:// or https:// and name a host")
    return base_url


def _title(soup: BeautifulSoup) -> str | None:
    """Return the title of the page, or else its first heading."""
    for tag in (soup.title, soup.h1):
        text = " ".join(tag.get_text().split()) if tag else ""
        if text:
            return text
    return None


def _settle_links(soup: BeautifulSoup, base: str | None) -> None:
    """Make links absolute; keep only the text of those that are no address, such as scripts."""
    for name, attribute in LINKS:
        for tag in soup.find_all(name):
            target = _target(str(tag.get(attribute) or "").strip(), base)
            if target:
                tag[attribute] = target.replace(" ", "%20")
            else:
                _remove_link(tag)


def _target(link: str, base: str | None) -> str | None:
    """Return where a link leads, or None if it is no address."""
    try:
        target = urljoin(base, link) if base and link else link
        return target if urlsplit(target).scheme.lower() in SCHEMES else None
    except ValueError:
        return None


def _remove_link(tag: Tag) -> None:
    if tag.name == "img":
        tag.decompose()
    else:
        tag.unwrap()


def _escape_cells(soup: BeautifulSoup) -> None:
    """Escape what would end a cell of a table."""
    for text in soup.find_all(string=re.compile(r"\|")):
        if text.find_parent(("td", "th")):
            text.replace_with(text.replace("|", r"\|"))


def _converter() -> MarkdownConverter:
    return MarkdownConverter(
        heading_style="atx",
        bullets="-",
        newline_style="backslash",
        code_language_callback=_language,
    )


def _language(block: Tag) -> str | None:
    """Return the language of a block of code: many pages name it as a class."""
    for tag in (block, block.code):
        for each in (tag.get("class") if tag else None) or ():
            if each.startswith("language-"):
                return str(each.removeprefix("language-"))
    return None


def _tidy(markdown: str) -> str:
    """Remove spaces at the ends of lines and surplus empty lines, except in code."""
    parts = FENCED.split(markdown)
    for place in range(0, len(parts), 2):
        part = re.sub(r"[ \t]+$", "", parts[place], flags=re.MULTILINE)
        parts[place] = re.sub(r"\n{3,}", "\n\n", part)
    return "".join(parts).strip()
