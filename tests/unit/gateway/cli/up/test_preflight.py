"""What `up` refuses before it starts anything."""

from __future__ import annotations

import pytest

from gateway.cli.errors import CannotStartError
from gateway.cli.up.preflight import check_gateway_settings
from runtime.settings import Settings


@pytest.mark.parametrize(
    ("wrong", "variable"),
    [
        (Settings(caller_rate="fast"), "PENSTOCK_CALLER_RATE"),
        (Settings(cors_origins=("https://app.example/x",)), "PENSTOCK_CORS_ORIGINS"),
    ],
)
def test_a_setting_that_the_gateway_would_refuse_starts_nothing(wrong: Settings, variable: str):
    with pytest.raises(CannotStartError, match=variable):
        check_gateway_settings(wrong)

    check_gateway_settings(Settings(caller_rate="5/s", cors_origins=("https://app.example",)))
