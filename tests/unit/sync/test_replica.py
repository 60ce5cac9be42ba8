"""What a file remembers of its server: migration, copies, nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner_app.domain.layer import NewLayer
from planner_app.project import EditCells, Project, migrations, replica
from planner_app.sync.client.session import Syncer, state
from tests.helpers.desks import Desk, assert_alike, cloned
from tests.helpers.memory_server import MemoryServer
from tests.helpers.project_files import FIELDS, assert_whole, parcels


def test_a_file_of_version_3_becomes_a_replica(
    server: MemoryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.planner"
    with monkeypatch.context() as old:
        old.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:3])
        old.setattr(migrations, "LATEST", 3)
        with Project.create(path, "EPSG:4549", "old town") as project:
            layer = project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(3)])
            project.execute(EditCells(layer.id, [1], "code", ["edited before"]))
    with Project.open(path) as project:
        assert_whole(project)
        assert state(project).kind == "unregistered"
        desk = Desk(project, Syncer(project, server.connect("paul")))
        assert desk.sync().pushed == 4
        pia = cloned(server, "pia", tmp_path / "pia.planner", "old town")
        assert_alike(desk, pia)
        assert pia.cell(0, "code") == "edited before"
        pia.project.close()
    assert len(list(tmp_path.glob("old.planner.v3-*.bak"))) == 1


def test_a_copy_has_a_name_of_its_own_before_the_server(paul: Desk, tmp_path: Path) -> None:
    def client(project: Project) -> str:
        with project.door.read() as connection:
            return replica.get(connection, "client_id")

    paul.project.save_copy(tmp_path / "copy.planner")
    with Project.open(tmp_path / "copy.planner") as copy:
        assert client(copy) != client(paul.project)
        assert state(copy).kind == "synced"


def test_layers_that_a_part_of_the_program_makes_are_the_same_in_every_copy(paul: Desk, pia: Desk) -> None:
    with paul.project.door.read() as one, pia.project.door.read() as other:
        assert replica.layer_uuid(one, "review_case") == replica.layer_uuid(other, "review_case")
        assert replica.layer_uuid(one, "review_case") != replica.layer_uuid(one, "review_issue")
