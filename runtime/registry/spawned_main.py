"""Function files for processes that start afresh: `multiprocessing` by spawn or forkserver.

Such a child imports by name the module of what it shall run, and the modules of a bundle exist in
memory only. The first time that anything loads the part of `multiprocessing` that starts children
so, a package of the bundle's name is written to a private folder on `sys.path`, which such
children take over. It holds the bundle, and serves it there as it is served here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

from runtime.processes.private_folder import own_folder
from runtime.registry.bundle import Bundle, decode_bundle

_STARTS_AFRESH = frozenset(
    {"multiprocessing.spawn", "multiprocessing.popen_spawn_posix", "multiprocessing.forkserver"}
    | {"joblib.externals.loky.backend.spawn", "loky.backend.spawn"}
)
_BUNDLE = "bundle"
_PACKAGE = """import sys
sys.path.append({root!r})
from runtime.registry.importer import serve_spawned
serve_spawned(sys.modules[__name__])
"""
_ROOT = str(Path(__file__).resolve().parents[2])


def starts_afresh(module: str) -> bool:
    """Whether who imports this is about to start processes that import by name."""
    return module in _STARTS_AFRESH


def may_start_afresh() -> bool:
    """Whether somebody in this process has imported it already."""
    return not _STARTS_AFRESH.isdisjoint(sys.modules)


def write_package(bundle: Bundle, namespace: str) -> None:
    """Let children that start afresh find a bundle's modules; raises OSError."""
    place = own_folder()
    folder = place / namespace
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / _BUNDLE).write_bytes(bundle.encode())
    (folder / "__init__.py").write_text(_PACKAGE.format(root=_ROOT), encoding="utf-8")
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))  # before a folder of the same name


def bundle_of(package: ModuleType) -> Bundle:
    """Return the bundle that lies beside such a package's file."""
    return decode_bundle(Path(str(package.__file__)).with_name(_BUNDLE).read_bytes())
