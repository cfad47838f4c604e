"""Give out the packages `runtime` and `penstock`, and nothing that stands beside them.

Where Penstock is installed, the folder above `runtime` is *site-packages*. If a child process had
it on its module path, all that Penstock depends on would be found before what the author of a
function has chosen. So the children find our two packages by this hook, and their module path is
that of their interpreter.

This file is run by its path, before anything else of ours can be imported: it imports the standard
library only, and only what an interpreter has imported at its start.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder

PACKAGES = ("runtime", "penstock")


class ImportHook:
    """A finder (`importlib.abc.MetaPathFinder`) for our packages."""

    def __init__(self, root: str) -> None:
        self.root = root

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return where one of our packages is; their submodules are found by their own path."""
        del target
        if path is not None or name not in PACKAGES:
            return None
        return PathFinder.find_spec(name, [self.root])


def install(root: str) -> None:
    """Let our packages be found in the folder `root`, before any others of these names."""
    # By name: this file is loaded under two names, so there are two classes.
    if not any(type(finder).__name__ == ImportHook.__name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, ImportHook(root))


ROOT = __file__.rpartition("/runtime/processes/")[0]
BOOT = (
    "import importlib.util as u; "
    f"s = u.spec_from_file_location('penstock_import_hook', {__file__!r}); "
    f"m = u.module_from_spec(s); s.loader.exec_module(m); m.install({ROOT!r}); del u, s, m\n"
)
"""Statements that install the hook in an interpreter that knows nothing of us."""
