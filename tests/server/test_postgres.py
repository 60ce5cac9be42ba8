"""PostgreSQL as the carrier of a sync."""

from __future__ import annotations

import pytest

from tests.server.contract import TransportContract

pytestmark = pytest.mark.server


class TestPostgres(TransportContract):
    """The contract on the real server."""
