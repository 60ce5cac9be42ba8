"""The server in plain Python does what every carrier must do: it may stand for the others in tests."""

from __future__ import annotations

import uuid

import pytest

from tests.helpers.memory_server import MemoryServer
from tests.server.builders import Connect
from tests.server.contract import TransportContract


class TestMemoryTransport(TransportContract):
    @pytest.fixture
    def connect(self) -> Connect:
        server = MemoryServer({"paul": "planner", "pia": "planner", "olaf": "operator"})
        return server.connect

    @pytest.fixture
    def project(self) -> str:
        return str(uuid.uuid4())
