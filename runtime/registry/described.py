"""What loading a file finds out about one of its functions, before the manifest is complete."""

from __future__ import annotations

from dataclasses import dataclass

from runtime.registry.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A function as the process that has loaded it knows it.

    Attributes:
        manifest: Its manifest, without what its docstring says; its schemas are not checked.
        docstring: Its docstring, or that of its module.
        line: The line at which it begins in its file, None if unknown.
    """

    manifest: Manifest
    docstring: str | None = None
    line: int | None = None
