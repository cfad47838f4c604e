"""Build the parts that provide dependencies, from the settings of a process."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from runtime.dependencies.builder import Builder, BuilderOptions, environments_of
from runtime.dependencies.environment_servers import EnvironmentServers
from runtime.dependencies.provision import LockStore, Provision
from runtime.dependencies.release_age import ReleaseAge, parse_age
from runtime.errors import SettingsError
from runtime.settings import Settings

_log = structlog.get_logger(__name__)


def build_provision(
    settings: Settings,
    *,
    locks: LockStore,
    preload: Sequence[str],
    process_environment: Mapping[str, str],
    function_environment: Mapping[str, str],
) -> Provision | None:
    """Return what provides dependencies; None if the operator forbids them.

    Args:
        settings: The settings of the process.
        locks: Where locks are kept.
        preload: Our modules that fork servers import.
        process_environment: The environment variables of this process.
        function_environment: Those that functions get.

    Raises:
        SettingsError: A setting is wrong.
    """
    if settings.dependencies == "off":
        return None
    data = settings.data.absolute()
    if not _may_write(data):
        advice = "functions with packages cannot run here; set PENSTOCK_DATA to a writable folder"
        _log.warning("data_folder_not_writable", folder=str(data), advice=advice)
    environments = environments_of(data)
    return Provision(
        Builder(
            environments,
            environment=process_environment,
            options=BuilderOptions(
                config=settings.dependencies_config,
                is_offline=settings.dependencies_offline,
                builds=settings.dependency_builds,
                age=_age_of(settings.dependency_age),
                pythons=settings.pythons,
                downloads=settings.python_downloads,
                links=settings.environment_links,
            ),
        ),
        EnvironmentServers(
            environments,
            preload=preload,
            environment=function_environment,
            most_warm=settings.warm_environments,
        ),
        locks,
        needs_lock_file=settings.dependencies == "locked",
    )


def _may_write(folder: Path) -> bool:
    """Whether a folder can be written, or made."""
    nearest = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    return os.access(nearest, os.W_OK | os.X_OK)


def _age_of(text: str) -> ReleaseAge | None:
    try:
        return parse_age(text) if text else None
    except ValueError as error:
        raise SettingsError(f"PENSTOCK_DEPENDENCY_AGE: {error}") from None
