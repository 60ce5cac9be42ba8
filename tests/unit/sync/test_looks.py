"""A clone looks at first as the project did; afterwards everybody arranges layers for themselves."""

from __future__ import annotations

from pathlib import Path

from planner_app.domain.layer import NewLayer
from planner_app.project import Batch, Project, SetLayer
from planner_app.sync.client.clone import clone
from planner_app.sync.client.looks import KEY
from planner_app.sync.client.session import Syncer, state
from tests.helpers.memory_server import MemoryServer, MemoryTransport


def arrangement(project: Project) -> list[tuple[str, bool, float]]:
    return [(one.name, one.visible, one.opacity) for one in project.layers()]


def test_a_clone_looks_as_the_project_did(tmp_path: Path) -> None:
    server = MemoryServer({"paul": "planner", "pia": "planner"})
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "Town") as project:
        for name in ("base", "roads", "parcels"):
            project.add_layer(NewLayer(name, "polygon"), [Batch([], {})])
        roads, base = project.layer("roads"), project.layer("base")
        project.execute(SetLayer(roads.id, {"visible": False}))
        project.execute(SetLayer(base.id, {"opacity": 0.35}))
        project.execute(SetLayer(base.id, {"position": 0}))
        looks = arrangement(project)
        assert looks == [("base", True, 0.35), ("parcels", True, 1.0), ("roads", False, 1.0)]
        syncer = Syncer(project, MemoryTransport(server, "paul"))
        syncer.sync()
        assert state(project).to_push == 0

        clone(MemoryTransport(server, "pia"), "Town", tmp_path / "clone.sqlite")
        with Project.open(tmp_path / "clone.sqlite") as copy:
            assert arrangement(copy) == looks
            assert state(copy).to_push == 0

            # From then on it is each person's own.
            copy.execute(SetLayer(copy.layer("roads").id, {"visible": True}))
            assert state(copy).to_push == 0
            project.add_layer(NewLayer("later", "polygon"), [Batch([], {})])
            syncer.sync()
            Syncer(copy, MemoryTransport(server, "pia")).sync()
            assert KEY not in copy.extra(copy.layer("later").id)
            assert dict.fromkeys(one.name for one in copy.layers()).keys() >= {"later", "roads"}
        assert arrangement(project)[-1] == ("roads", False, 1.0)
