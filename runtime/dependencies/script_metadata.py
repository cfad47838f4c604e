"""Read the block of inline script metadata in a function file.

The format is PEP 723, as the packaging guide specifies it today:
https://packaging.python.org/en/latest/specifications/inline-script-metadata/

    # /// script
    # requires-python = ">=3.11"
    # dependencies = ["pandas>=2"]
    # [tool.penstock]
    # preload = ["pandas"]
    # ///

The block is found in the text, without the tokens of Python: a block inside a string counts too,
as it does for every other reader of the format.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import re
import tokenize
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BLOCK = re.compile(
    r"^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$", re.MULTILINE
)  # the specification's reference expression
_TYPE = "script"
_MARK = b"# /// script"
_MEMBERS = ("dependencies", "requires-python", "tool")
_OWN_MEMBERS = ("build", "preload")
_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class MetadataError(ValueError):
    """The block is not valid.

    Attributes:
        line: The line of the file at which the fault is, counted from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptMetadata:
    """What one block says.

    Attributes:
        line: The block's first line in the file, counted from 1.
        text: The block's content without the comment signs: TOML.
        dependencies: Requirements, as written.
        requires_python: Which versions of Python the file runs on; "" if it does not say.
        build: Canonical names of the packages that may be built from source.
        preload: Modules that the fork server imports before it forks.
        uv: The members of `[tool.uv]`.
    """

    line: int
    text: str
    dependencies: tuple[str, ...] = ()
    requires_python: str = ""
    build: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()
    uv: Mapping[str, Any]

    @property
    def needs_environment(self) -> bool:
        """Whether the file cannot run in Penstock's own environment."""
        return bool(self.dependencies or self.requires_python)

    def script(self) -> str:
        """Return a file that consists of the block alone, as uv reads it."""
        lines = [f"# {line}" if line else "#" for line in self.text.splitlines()]
        return "\n".join(("# /// script", *lines, "# ///", ""))

    @property
    def digest(self) -> str:
        """A SHA-256 hash over what a resolver reads, in hex: not over spaces and comments."""
        from packaging.requirements import Requirement  # noqa: PLC0415 - files with a block need it
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415

        read = {
            "dependencies": sorted(str(Requirement(each)) for each in self.dependencies),
            "requires-python": str(SpecifierSet(self.requires_python)),
            "build": sorted(self.build),
            "uv": self.uv,
        }
        text = json.dumps(read, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def has_block(source: bytes) -> bool:
    """Whether a file has a block, valid or not."""
    if _MARK not in source:
        return False
    return any(match["type"] == _TYPE for match in _BLOCK.finditer(_decode(source)))


def read_metadata(source: bytes) -> ScriptMetadata | None:
    """Return the block of a file, None if it has none.

    A block that is not closed is no block; the specification demands that it is ignored.

    Raises:
        MetadataError: There are two blocks, or the block is not valid.
    """
    if _MARK not in source:  # nearly all files, at every pass of the publisher
        return None
    text = _decode(source)
    blocks = [match for match in _BLOCK.finditer(text) if match["type"] == _TYPE]
    if not blocks:
        return None
    if len(blocks) > 1:
        line = _line_of(text, blocks[1].start())
        raise MetadataError("there are two blocks `# /// script`; a file may have one", line)
    block = blocks[0]
    line = _line_of(text, block.start())
    content = "".join(
        each[2:] if each.startswith("# ") else each[1:]
        for each in block["content"].splitlines(keepends=True)
    )
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise MetadataError(f"the block is not TOML: {error}", line + _line_in(error)) from None
    return _metadata_of(document, content, line)


def _decode(source: bytes) -> str:
    """Return the text with line feeds only; its encoding is the one that Python would use."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        text = source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return ""  # loading the file explains what is wrong with it
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _line_in(error: tomllib.TOMLDecodeError) -> int:
    found = re.search(r"at line (\d+)", str(error))
    return int(found[1]) if found else 0


def _metadata_of(document: dict[str, Any], text: str, line: int) -> ScriptMetadata:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - as above
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415
    from packaging.utils import canonicalize_name  # noqa: PLC0415

    _check_members(document, _MEMBERS, "", line)
    dependencies = _texts(document, "dependencies", line)
    for each in dependencies:
        try:
            Requirement(each)
        except InvalidRequirement as error:
            fault = str(error).partition("\n")[0]
            raise MetadataError(f"dependencies: {each!r} is not valid: {fault}", line) from None
    requires_python = document.get("requires-python", "")
    if not isinstance(requires_python, str):
        raise MetadataError('requires-python must be a text such as ">=3.11"', line)
    try:
        SpecifierSet(requires_python)
    except InvalidSpecifier:
        fault = f'requires-python: {requires_python!r} is not valid; say it such as ">=3.11"'
        raise MetadataError(fault, line) from None
    tool = document.get("tool", {})
    if not isinstance(tool, dict):
        raise MetadataError("tool must be a table, such as [tool.penstock]", line)
    own, uv = (tool.get(name, {}) for name in ("penstock", "uv"))
    if not isinstance(own, dict) or not isinstance(uv, dict):
        raise MetadataError("[tool.penstock] and [tool.uv] must be tables", line)
    _check_members(own, _OWN_MEMBERS, "tool.penstock.", line)
    _refuse_paths(uv.get("sources", {}), line)
    preload = _texts(own, "preload", line, prefix="tool.penstock.")
    for each in preload:
        if not _MODULE.fullmatch(each):
            raise MetadataError(f"tool.penstock.preload: {each!r} is no name of a module", line)
    build = _texts(own, "build", line, prefix="tool.penstock.")
    return ScriptMetadata(
        line=line,
        text=text,
        dependencies=dependencies,
        requires_python=requires_python,
        build=tuple(sorted(map(canonicalize_name, build))),
        preload=preload,
        uv=uv,
    )


def _refuse_paths(sources: object, line: int) -> None:
    """Refuse `[tool.uv.sources]` that are folders of one machine: others do not have them."""
    for name, given in sources.items() if isinstance(sources, dict) else ():
        listed = given if isinstance(given, list) else [given]
        if any(isinstance(each, dict) and ({"path", "workspace"} & each.keys()) for each in listed):
            text = (
                f"tool.uv.sources: {name} is a path, and the bundle does not contain it; "
                "name a version, a URL or a commit of git"
            )
            raise MetadataError(text, line)


def _check_members(
    table: Mapping[str, Any], known: tuple[str, ...], prefix: str, line: int
) -> None:
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else ""
            listed = ", ".join(f"{prefix}{each}" for each in known)
            raise MetadataError(f"{prefix}{name} is unknown{hint} Known: {listed}", line)


def _texts(table: Mapping[str, Any], name: str, line: int, prefix: str = "") -> tuple[str, ...]:
    value = table.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MetadataError(f'{prefix}{name} must be a list of texts, such as ["pandas"]', line)
    return tuple(value)
