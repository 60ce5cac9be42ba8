"""A city server in memory, and project files that sync with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from planner_app.domain.layer import NewLayer
from planner_app.project import Project
from planner_app.sync.client.session import Syncer
from planner_app.sync.types import Scope
from tests.helpers.desks import Desk, cloned
from tests.helpers.memory_server import MemoryServer
from tests.helpers.project_files import FIELDS, parcels

OpenDesk = Callable[..., Desk]


@pytest.fixture
def server() -> MemoryServer:
    return MemoryServer({"paul": "planner", "pia": "planner", "vera": "viewer", "rita": "reviewer", "anna": "admin"})


@pytest.fixture
def paul(server: MemoryServer, tmp_path: Path) -> Iterator[Desk]:
    """The first desktop: a project with ten parcels, registered."""
    with Project.create(tmp_path / "paul.planner", "EPSG:4549", "town") as project:
        project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(10)])
        desk = Desk(project, Syncer(project, server.connect("paul"), server="memory"))
        desk.sync()
        yield desk


@pytest.fixture
def open_desk(server: MemoryServer, paul: Desk, tmp_path: Path) -> Iterator[OpenDesk]:
    """Further desktops: clones of the project."""
    opened: list[Desk] = []

    def open_one(member: str = "pia", scope: Scope | None = None) -> Desk:
        desk = cloned(server, member, tmp_path / f"{member}{len(opened)}.planner", "town", scope)
        opened.append(desk)
        return desk

    yield open_one
    for desk in opened:
        desk.project.close()


@pytest.fixture
def pia(open_desk: OpenDesk) -> Desk:
    return open_desk()
