"""Check that the schedule in @function can invoke the function.

The check runs in the child that loads the file, where the cron library is available and the
signature is known. The decorator has already checked the line's syntax and the time zone.
"""

from __future__ import annotations

from datetime import datetime

from cronsim import CronSim, CronSimError

from runtime.registry.manifest import Manifest

_ANY_WALL_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 - only the calendar matters


def check_schedule(manifest: Manifest) -> None:
    """Return if the function has no schedule, or one that can invoke it.

    Raises:
        ValueError: The schedule cannot invoke it; the text names the option and the reason.
    """
    line = manifest.options.schedule
    if line is None:
        return
    option = f"@function(schedule={line!r})"
    try:
        comes = next(CronSim(line, _ANY_WALL_CLOCK), None) is not None
    except CronSimError as error:
        raise ValueError(f"{option}: {error}") from error
    if not comes:
        raise ValueError(f"{option}: there is no such day")
    if manifest.takes_request:
        raise ValueError(
            f"{option}: a schedule has no Request to pass to {manifest.name}; remove the parameter"
        )
    required = manifest.parameters.get("required", [])
    if required:
        names = ", ".join(required)
        raise ValueError(
            f"{option}: a schedule passes no arguments, so these parameters need a default: "
            f"{names}; or create a schedule with arguments by POST /schedules"
        )
