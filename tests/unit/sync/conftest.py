"""A city server in memory, and project files that sync with it. Made once; each test works on copies."""

from __future__ import annotations

import shutil
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
MEMBERS = {"paul": "planner", "pia": "planner", "vera": "viewer", "rita": "reviewer", "anna": "admin"}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MemoryServer]:
    """A folder with ``paul.planner`` (ten parcels, registered) and its clone ``pia.planner``, and their server."""
    folder, server = tmp_path_factory.mktemp("town"), MemoryServer(dict(MEMBERS))  # type: ignore[arg-type]
    with Project.create(folder / "paul.planner", "EPSG:4549", "town") as project:
        project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(10)])
        Syncer(project, server.connect("paul"), server="memory").sync()
    cloned(server, "pia", folder / "pia.planner", "town").project.close()
    return folder, server


@pytest.fixture
def server(made: tuple[Path, MemoryServer]) -> MemoryServer:
    return made[1].copy()


def open_file(made: tuple[Path, MemoryServer], server: MemoryServer, member: str, folder: Path) -> Desk:
    """A copy of one of the files that were made."""
    path = folder / f"{member}.planner"
    shutil.copyfile(made[0] / path.name, path)
    project = Project.open(path)
    return Desk(project, Syncer(project, server.connect(member), server="memory"))


@pytest.fixture
def paul(made: tuple[Path, MemoryServer], server: MemoryServer, tmp_path: Path) -> Iterator[Desk]:
    """The first desktop: a project with ten parcels, registered."""
    desk = open_file(made, server, "paul", tmp_path)
    yield desk
    desk.project.close()


@pytest.fixture
def pia(made: tuple[Path, MemoryServer], server: MemoryServer, tmp_path: Path) -> Iterator[Desk]:
    """The second: a clone of it."""
    desk = open_file(made, server, "pia", tmp_path)
    yield desk
    desk.project.close()


@pytest.fixture
def open_desk(server: MemoryServer, tmp_path: Path) -> Iterator[OpenDesk]:
    """Further desktops: clones of the project as it is then."""
    opened: list[Desk] = []

    def open_one(member: str = "pia", scope: Scope | None = None) -> Desk:
        desk = cloned(server, member, tmp_path / f"{member}{len(opened)}.planner", "town", scope)
        opened.append(desk)
        return desk

    yield open_one
    for desk in opened:
        desk.project.close()
