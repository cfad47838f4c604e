"""Whether a function can be invoked by the schedule that it declares.

Asked in the sacrificial child, where the cron library may be used and the signature is known;
the line's shape and its time zone were checked by the decorator itself.
"""

from __future__ import annotations

from datetime import datetime

from cronsim import CronSim, CronSimError

from runtime.registry.manifest import Manifest

_ANY_WALL_CLOCK = datetime(2000, 1, 1)  # noqa: DTZ001 - the calendar is asked, not a clock


def check_schedule(manifest: Manifest) -> None:
    """Pass if every tick can invoke the function.

    Raises:
        ValueError: It cannot; the text names the option and says why.
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
        raise ValueError(f"{option}: a tick has no Request to give to {manifest.name}")
    required = manifest.parameters.get("required", [])
    if required:
        names = ", ".join(required)
        raise ValueError(
            f"{option}: a tick gives no arguments, so each parameter needs a default: {names}; "
            "or make a schedule with arguments by POST /schedules"
        )
