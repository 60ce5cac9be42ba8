"""One private cluster for all tests of the server, with a member of each role; a project of its own per test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from planner_app.sync.server.migrations import initialise
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import LayerDef, ProjectDef
from tests.helpers.postgres import PrivateCluster

pytest.register_assert_rewrite("tests.server.contract", "tests.server.builders")
from tests.server.builders import insert, key, layer, new_layer, push, square  # noqa: E402

#: A member of each role, by the role's first letter and name.
MEMBERS = {
    "vera": "viewer", "paul": "planner", "pia": "planner", "rita": "reviewer", "olaf": "operator", "anna": "admin",
}  # fmt: skip


@dataclass(frozen=True)
class City:
    """A server with its members. ``dba``: the superuser's DSN on the city's database."""

    cluster: PrivateCluster
    dba: str

    def dsn(self, member: str) -> str:
        return self.dba.replace("user=postgres", f"user={member}")

    def log(self) -> str:
        """PostgreSQL's own log."""
        return self.cluster.log()


@pytest.fixture(scope="session")
def cluster() -> Iterator[PrivateCluster]:
    with PrivateCluster({"log_line_prefix": "%m [%p] %u@%d %h "}, tls=True) as running:
        yield running


@pytest.fixture(scope="session")
def city(cluster: PrivateCluster) -> City:
    with psycopg.connect(cluster.dsn, autocommit=True) as connection:
        connection.execute("CREATE DATABASE city")
    dba = cluster.dsn.replace("dbname=postgres", "dbname=city")
    with psycopg.connect(dba, autocommit=True) as connection:
        initialise(connection)
        for name, role in MEMBERS.items():
            connection.execute(f"CREATE ROLE {name} LOGIN".encode())
            connection.execute(f"GRANT planner_{role} TO {name}".encode())
            connection.execute("INSERT INTO planner.member (name, role) VALUES (%s, %s)", (name, role))
    return City(cluster, dba)


@pytest.fixture
def connect(city: City) -> Iterator[Callable[[str], PostgresTransport]]:
    """Opens a connection as a member; closed when the test is over."""
    opened: list[PostgresTransport] = []

    def open_as(member: str) -> PostgresTransport:
        opened.append(PostgresTransport(city.dsn(member)))
        return opened[-1]

    yield open_as
    for transport in opened:
        transport.close()


@pytest.fixture
def project() -> str:
    """UUID of a project nobody has registered yet."""
    return str(uuid.uuid4())


@pytest.fixture
def secret(connect: Callable[[str], PostgresTransport], project: str) -> LayerDef:
    """A tunnel layer with a record, in a project that all see."""
    anna = connect("anna")
    anna.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    made = layer("valves", role="tunnel.valve")
    push(anna, project, [insert(made, key(), square(0, 0), name="main")], [new_layer(made)])
    return made
