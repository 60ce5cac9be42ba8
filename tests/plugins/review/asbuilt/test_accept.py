"""Accepting a survey: the base map shows what was built, the case is done, and one undo takes all of it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer
from planner_app.project import Batch, DeleteFeatures, Project
from plugins.review.model.asbuilt.accept import building_layers, fields_of, plan_acceptance
from plugins.review.model.asbuilt.compare import compare_as_built
from plugins.review.model.asbuilt.types import AsBuilt
from plugins.review.model.cases import opened as opening
from plugins.review.model.cases import store
from plugins.review.model.cases.records import CaseStatus
from plugins.review.model.cases.workflow import import_drawing, place_drawing
from plugins.review.model.drawing.placement import Placement
from tests.helpers.plugin_rules import rules_of
from tests.helpers.project_files import assert_whole, everything
from tests.plugins.review.drawings import EAST, HOUSES, NORTH, write_plan, write_survey

FIELDS = (
    FieldInfo("楼名", "text"), FieldInfo("层数", "integer"), FieldInfo("height_m", "real"), FieldInfo("owner", "text"),
)  # fmt: skip


def shape(box: tuple[float, float, float, float]) -> bytes:
    x0, y0, x1, y1 = box
    return bytes(shapely.to_wkb(shapely.box(EAST + x0, NORTH + y0, EAST + x1, NORTH + y1)))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    opening.forget()
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        yield made


@pytest.fixture
def base(project: Project) -> LayerInfo:
    """The base map: the planned 1号楼, a shed to be torn down, a house across the road, one that reaches over."""
    boxes = [HOUSES["1号楼"], (80.0, 45.0, 90.0, 52.0), (200.0, 10.0, 220.0, 30.0), (110.0, 70.0, 150.0, 90.0)]
    columns = {
        "楼名": ["规划1号楼", "旧厂房", "对面", "跨界"], "层数": [2, 1, 6, 3], "height_m": [7.0, 4.0, 18.0, 9.0],
        "owner": ["海清置业", "某厂", "某人", "某人"],
    }  # fmt: skip
    project.add_layer(NewLayer("水系", "polygon", (FieldInfo("name", "text"),)), [Batch([shape((0, 0, 9, 9))], {})])
    return project.add_layer(NewLayer("现状建筑", "polygon", FIELDS), [Batch([shape(b) for b in boxes], columns)])


@pytest.fixture
def compared(project: Project, base: LayerInfo, tmp_path: Path) -> AsBuilt:
    """1号楼 is there 0.5 m deeper, 2号楼 with a storey more."""
    import_drawing(project, write_plan(tmp_path / "批准.dxf"))
    built = {**HOUSES, "1号楼": (12.0, 15.0, 57.0, 30.5)}
    survey = write_survey(tmp_path / "竣工.dxf", houses=built, storeys={"2号楼": (7, 21.6)})
    import_drawing(project, survey, case="GA-0001")
    return compare_as_built(project, "D-0001", "D-0002", rules=rules_of("asbuilt."))


def rows(project: Project, layer: LayerInfo) -> dict[str, dict[str, Any]]:
    table = project.read(layer.id, columns=["uuid", *(one.name for one in project.layer(layer.id).fields)])
    names = table.columns["楼名"]
    return {
        names[at]: {key: values[at] for key, values in table.columns.items()}
        | {"area": shapely.from_wkb(table.geometry[at]).area}
        for at in range(len(table))
    }


def test_the_comparison_finds_what_was_built(compared: AsBuilt) -> None:
    failed = {(one.rule, one.feature) for one in compared.findings if one.verdict == "fail"}
    assert ("asbuilt.storeys", "2号楼") in failed
    assert ("asbuilt.height", "2号楼") in failed
    assert ("asbuilt.outline", "1号楼") in failed
    assert ("asbuilt.position", "1号楼") not in failed


def test_the_base_map_is_current_and_one_undo_takes_it_back(
    project: Project, base: LayerInfo, compared: AsBuilt
) -> None:
    assert [one.id for one in building_layers(project)] == [base.id]
    before, layers = everything(project, base.id), project.layers()
    uuid = rows(project, base)["规划1号楼"]["uuid"]
    command = plan_acceptance(project, compared)
    assert command.params() == {"layer": base.id, "case": "GA-0001", "changed": 1, "added": 1, "removed": 1}
    project.execute(command)
    now = rows(project, base)
    assert set(now) == {"1号楼", "2号楼", "对面", "跨界"}
    assert now["1号楼"] == {
        "uuid": uuid, "楼名": "1号楼", "层数": 3, "height_m": 10.5, "owner": "海清置业", "source": "D-0002 竣工.dxf",
        "area": pytest.approx(45 * 15.5),
    }  # fmt: skip
    assert (now["2号楼"]["层数"], now["2号楼"]["height_m"], now["2号楼"]["owner"]) == (7, 21.6, None)
    assert (now["对面"]["source"], now["跨界"]["层数"]) == (None, 3)
    assert store.case(project, "GA-0001").status is CaseStatus.BUILT
    assert_whole(project)
    after = everything(project, base.id)
    project.undo()
    assert everything(project, base.id) == before
    assert project.layers() == layers
    assert store.case(project, "GA-0001").status is CaseStatus.OPEN
    project.redo()
    assert everything(project, base.id) == after
    assert_whole(project)


def test_what_the_survey_does_not_say_stays(project: Project, base: LayerInfo, tmp_path: Path) -> None:
    import_drawing(project, write_plan(tmp_path / "批准.dxf"))
    survey = write_survey(tmp_path / "竣工.dxf", storeys={"1号楼": (3, 0.0), "2号楼": (6, 0.0)})
    import_drawing(project, survey, case="GA-0001")
    found = compare_as_built(project, "D-0001", "D-0002", rules=rules_of("asbuilt."))
    project.execute(plan_acceptance(project, found, "现状建筑"))
    assert rows(project, base)["1号楼"]["height_m"] == 7.0


def test_the_base_map_changed_meanwhile(project: Project, base: LayerInfo, compared: AsBuilt) -> None:
    command = plan_acceptance(project, compared)
    project.execute(DeleteFeatures(base.id, list(command.gone)))
    before = project.log()
    with pytest.raises(PlannerError, match=r"feature\.unknown"):
        project.execute(command)
    assert project.log() == before
    assert store.case(project, "GA-0001").status is CaseStatus.OPEN


def test_refusals(project: Project, tmp_path: Path, compared: AsBuilt, base: LayerInfo) -> None:
    with pytest.raises(PlannerError, match=r"layer\.unknown"):
        plan_acceptance(project, compared, "nowhere")
    place_drawing(project, "D-0002", placement=Placement())
    unplaced = compare_as_built(project, "D-0001", "D-0002", rules=rules_of("asbuilt."))
    with pytest.raises(PlannerError, match=r"review\.not_placed"):
        plan_acceptance(project, unplaced)
    with Project.create(tmp_path / "empty.sqlite", "EPSG:4549") as empty:
        with pytest.raises(PlannerError, match=r"review\.no_building_layer"):
            plan_acceptance(empty, compared)
        import_drawing(empty, write_plan(tmp_path / "A.dxf", houses={}))
        import_drawing(empty, write_survey(tmp_path / "B.dxf", houses={}), case="GA-0001")
        empty.add_layer(NewLayer("建筑", "polygon", FIELDS), [])
        nothing = compare_as_built(empty, "D-0001", "D-0002", rules=rules_of("asbuilt."))
        with pytest.raises(PlannerError, match=r"review\.nothing_built"):
            plan_acceptance(empty, nothing)


def test_fields_are_known_by_many_names() -> None:
    def layer(*fields: tuple[str, Any]) -> LayerInfo:
        return LayerInfo("b", "u", "建筑", "polygon", 4549, tuple(FieldInfo(name, kind) for name, kind in fields))

    assert fields_of(layer(("Name", "text"), ("CS", "integer"), ("Height", "real"))) == {
        "name": "Name", "storeys": "CS", "height": "Height"
    }  # fmt: skip
    assert fields_of(layer(("name", "integer"), ("层数", "text"))) == {}
    assert fields_of(layer(("建筑高度", "real"), ("地上层数", "real"))) == {"height": "建筑高度", "storeys": "地上层数"}
