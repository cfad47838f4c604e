"""How many calls an operator lets each caller make, as his setting says it.

Read before anything listens and by the gateway's parts; light, so that the arbiter need not
load the framework.
"""

from __future__ import annotations

from runtime.errors import SettingsError
from runtime.sdk.option_parsing import parse_rate
from runtime.sdk.options import Rate
from runtime.settings import Settings


def read_caller_rate(settings: Settings) -> Rate | None:
    """Return the rate; None is any number of calls.

    Raises:
        SettingsError: It cannot be understood.
    """
    if not settings.caller_rate:
        return None
    try:
        return parse_rate(settings.caller_rate)
    except ValueError as error:
        raise SettingsError(
            f"PENSTOCK_CALLER_RATE: {error} (got {settings.caller_rate!r})"
        ) from error
