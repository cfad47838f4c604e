"""Fixtures of the integration tests."""

from __future__ import annotations

import pytest

from runtime.store.blocking_connection import BlockingConnection
from tests.support.life import Life


@pytest.fixture
def life(connection: BlockingConnection) -> Life:
    return Life(connection)
