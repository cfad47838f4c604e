"""Remove environments that nothing needs, and keep their disk space below a limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from runtime.dependencies.environment_folder import EnvironmentFolder

_UNUSED_S = 7 * 24 * 3600.0


def remove_unused(
    environments: EnvironmentFolder,
    *,
    most_bytes: int,
    kept: Collection[str],
    remove: Callable[[str], bool],
) -> list[str]:
    """Remove environments; return the keys of those that are gone.

    First those that were not used for a week, then, while all together take more than the limit,
    the one that was not used for the longest time. What a process has in use stays in any case.

    Args:
        environments: The environments of this machine.
        most_bytes: How much of the disk they may take together.
        kept: Keys that stay: of versions that serve, or that something unfinished needs.
        remove: Removes one by its key, unless it is in use.
    """
    environments.delete_leftovers()
    present = environments.all()
    total = sum(each.size_bytes for each in present)
    oldest = time.time() - _UNUSED_S
    removed = []
    for each in sorted(present, key=lambda each: environments.last_used_at(each.key)):
        is_unused = environments.last_used_at(each.key) < oldest
        if each.key in kept or not (is_unused or total > most_bytes):
            continue
        if remove(each.key):
            removed.append(each.key)
            total -= each.size_bytes
    return removed
