"""The sample as a project file: whole or not at all, layers in order, plans registered, drawings beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.progress import NoProgress
from planner_app.project import Project
from sample_projects.build import SEED, build
from sample_projects.town import make_ground


@pytest.fixture(scope="module")
def made(sample_folder: Path) -> tuple[Path, dict]:
    return sample_folder / "sample.sqlite", json.loads((sample_folder / "answer.json").read_text(encoding="utf-8"))


class _Stopping(NoProgress):
    """Cancels at the first layer being written."""

    def __init__(self) -> None:
        self.stopped = False

    def update(self, fraction: float | None, stage: str = "") -> None:
        self.stopped |= stage == "stage.writing"

    def is_cancelled(self) -> bool:
        return self.stopped


def test_the_verb_answers_as_documented(made):
    path, answer = made
    assert answer["file"] == str(path)
    assert {"layers", "features", "seconds"} <= set(answer)
    with Project.open(path) as project:
        assert len(project.layers()) == answer["layers"]
        assert sum(project.count(layer.id) for layer in project.layers()) == answer["features"]
        assert (project.name, project.crs) == ("滨海新城", "EPSG:4549")


def test_the_file_is_sound_and_not_too_large(made):
    path, _ = made
    assert path.stat().st_size < 60_000_000
    assert not [file.name for file in path.parent.iterdir() if file.name.startswith(".")]
    with Project.open(path) as project:
        assert [check.name for check in project.verify(NoProgress()) if not check.ok] == []


def test_layers_are_named_ordered_styled_and_belong_to_plans(made):
    path, _ = made
    with Project.open(path) as project:
        layers = {layer.id: layer for layer in project.layers()}
        plans = {plan.id for plan in project.plans()}
        assert len(plans) >= 10
        assert all(layer.plan_id in plans for layer in layers.values())
        assert layers["master_land_use"].name == "规划用地"
        assert (layers["master_land_use"].class_field, layers["master_land_use"].class_standard) == (
            "class_code",
            "mnr2023",
        )
        assert (layers["land_use_2020"].class_field, layers["land_use_2020"].class_standard) == ("dlbm", "dltb")
        assert layers["zoning_parcels"].class_standard == "gb50137"
        order = [layer.id for layer in project.layers()]
        assert (
            order.index("place_names")
            < order.index("growth_boundary")
            < order.index("buildings")
            < order.index("master_land_use")
        )
        assert layers["master_land_use"].visible
        assert layers["buildings"].visible
        assert not layers["land_use_2020"].visible
        for layer in layers.values():
            assert bool(project.style(layer.id)) == (layer.geometry != "none"), layer.id


def test_coordinates_are_of_the_stated_zone(made):
    path, _ = made
    with Project.open(path) as project:
        x0, y0, x1, y1 = project.extent()
        assert 500_000 < x0 < x1 < 520_000
        assert 2_900_000 < y0 < y1 < 3_000_000
        table = project.read("net_line", limit=5)
        assert shapely.has_z(shapely.from_wkb(table.geometry)).all()


def test_drawings_stand_beside_the_file(made):
    path, answer = made
    folder = path.with_name("sample_drawings")
    assert sorted(answer["drawings"]) == sorted(str(file) for file in folder.iterdir())
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    assert {"files", "tunnel", "readings"} <= set(truth)


def test_an_existing_file_is_not_touched(tmp_path):
    path = tmp_path / "kept.sqlite"
    path.write_text("mine")
    with pytest.raises(PlannerError) as error:
        build(path)
    assert error.value.code == "project.exists"
    assert path.read_text() == "mine"


def test_the_ground_can_be_cancelled_and_moves():
    seen: list[float] = []

    class Impatient:
        def update(self, fraction, stage=""):
            seen.append(fraction)

        def is_cancelled(self):
            return len(seen) == 2

    with pytest.raises(Cancelled):
        make_ground(SEED, Impatient())
    assert seen == [0.0, 0.05]


def test_cancelling_leaves_nothing(tmp_path):
    with pytest.raises(Cancelled):
        build(tmp_path / "never.sqlite", progress=_Stopping())
    assert list(tmp_path.iterdir()) == []
