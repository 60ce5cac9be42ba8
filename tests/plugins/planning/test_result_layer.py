"""A result kept in the project: its layer, people's decisions, and what a second run keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import shapely

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import LayerInfo, PlanKind
from planner_app.domain.progress import NoProgress
from planner_app.project import Project
from planner_app.project.commands import EditCells, EditGeometry, InsertFeatures
from plugins.planning.model.conflict_result import ConflictResult
from plugins.planning.model.conflicts import run_conflicts
from plugins.planning.model.decide import ROLE, DecideConflicts
from plugins.planning.model.plan_side import LayerField
from plugins.planning.model.result_layer import FIELDS, is_stale, read_metadata, save_result

Box = Callable[..., Any]
Add = Callable[..., LayerInfo]


@pytest.fixture
def plans(project: Project, add: Add, box: Box) -> Project:
    add(
        "甲",
        [("R2", box(0, 0, 100, 100)), ("M1", box(100, 0, 200, 100)), ("B1", box(200, 0, 300, 50))],
        PlanKind.MASTER,
        standard="gb50137",
    )
    add("乙", [("0101", box(0, 0, 300, 100))], PlanKind.LAND_USE, standard="mnr2023")
    return project


def _run(project: Project) -> ConflictResult:
    return run_conflicts(project, LayerField("甲"), LayerField("乙"))


def _rows(project: Project, layer: LayerInfo) -> dict[tuple[str, int], dict[str, Any]]:
    table = project.read(layer.id, columns=[info.name for info in FIELDS])
    rows = [dict(zip(table.columns, values, strict=True)) for values in zip(*table.columns.values(), strict=True)]
    return {(row["a_class"], number): row for number, row in enumerate(rows)}


def test_layer_has_every_fact(plans: Project) -> None:
    layer = save_result(plans, _run(plans), "冲突", language="zh_CN")
    assert (layer.role, layer.geometry, layer.class_field, plans.count(layer.id)) == (ROLE, "polygon", "cause", 3)
    row = _rows(plans, layer)["R2", 0]
    assert row | {"area_ellipsoidal_m2": None, "a_uuid": "", "b_uuid": ""} == {
        "code": "C-0001", "cause": "true_conflict", "a_class": "R2", "a_name": "二类居住用地", "b_class": "0101",
        "b_name": "水田", "area_m2": pytest.approx(10_000), "area_ellipsoidal_m2": None, "width_m": pytest.approx(50),
        "verdict": "needs_certificate", "severity": "high",
        "reason": "建设占用耕地须办理农用地转用并落实占补平衡", "clause": "土地管理法 第四十四条、第三十条",
        "confidence": "medium", "decision": "", "ground": "", "decided_by": "", "decided_at": "",
        "a_layer": plans.layer("甲").id, "a_fid": 1, "a_uuid": "", "b_layer": plans.layer("乙").id, "b_fid": 1,
        "b_uuid": "",
    }  # fmt: skip
    uuids = plans.read(plans.layer("甲").id, columns=["uuid"]).columns["uuid"]
    assert row["a_uuid"] == uuids[0]
    style = plans.style(layer.id)
    assert "真实冲突" in style
    assert "categorizedSymbol" in style


def test_decisions_are_logged_and_undone(plans: Project) -> None:
    layer = save_result(plans, _run(plans), "冲突")
    plans.execute(DecideConflicts(layer.id, [1, 2], "a_yields", "市政府专题会议纪要", "张工"))
    rows = list(_rows(plans, layer).values())
    assert [row["decision"] for row in rows] == ["a_yields", "a_yields", ""]
    assert (rows[0]["ground"], rows[0]["decided_by"]) == ("市政府专题会议纪要", "张工")
    assert rows[0]["decided_at"].startswith("20")
    entry = plans.log(1)[0]
    assert (entry.command, entry.params["count"], entry.rows) == ("planning_decide", 2, 2)
    assert plans.can_undo() == "planning_decide"
    plans.undo()
    assert [row["decision"] for row in _rows(plans, layer).values()] == ["", "", ""]
    plans.redo()
    assert [row["decision"] for row in _rows(plans, layer).values()] == ["a_yields", "a_yields", ""]
    plans.execute(DecideConflicts(layer.id, [1], ""))
    assert next(iter(_rows(plans, layer).values()))["ground"] == ""


def test_wrong_decisions_are_refused(plans: Project) -> None:
    with pytest.raises(PlannerError) as caught:
        DecideConflicts("x", [1], "both")
    assert caught.value.code == "planning.decision_unknown"
    with pytest.raises(PlannerError, match="not_conflicts"):
        plans.execute(DecideConflicts(plans.layer("甲").id, [1], "a_yields"))


def test_a_second_run_keeps_codes_and_decisions(plans: Project, box: Box) -> None:
    layer = save_result(plans, _run(plans), "冲突")
    before = {row["a_class"]: row["code"] for row in _rows(plans, layer).values()}
    assert before == {"R2": "C-0001", "M1": "C-0002", "B1": "C-0003"}
    plans.execute(DecideConflicts(layer.id, [1, 3], "b_yields", "依据甲"))
    a = plans.layer("甲").id
    plans.execute(EditGeometry(a, {1: shapely.to_wkb(box(0, 0, 95, 100))}))  # nearly the same
    plans.execute(EditGeometry(a, {3: shapely.to_wkb(box(200, 60, 300, 100))}))  # elsewhere
    plans.execute(InsertFeatures(a, [shapely.to_wkb(box(200, 0, 300, 55))], {"用地代码": ["W1"]}))
    again = save_result(plans, _run(plans), "冲突")
    assert [one.name for one in plans.layers()].count("冲突") == 1
    rows = {row["a_class"]: (row["code"], row["decision"], row["ground"]) for row in _rows(plans, again).values()}
    assert rows == {
        "R2": ("C-0001", "b_yields", "依据甲"),
        "M1": ("C-0002", "", ""),
        "W1": ("C-0004", "", ""),
        "B1": ("C-0005", "", ""),
    }
    plans.undo()  # the layer that was replaced is back, with its decisions
    back = next(one for one in plans.layers() if one.name == "冲突")
    assert sum(bool(row["decision"]) for row in _rows(plans, back).values()) == 2
    assert read_metadata(plans, back.id)["a"]["name"] == "甲"


def test_metadata_tells_what_was_compared(plans: Project) -> None:
    result = _run(plans)
    layer = save_result(plans, result, "冲突")
    data = read_metadata(plans, layer.id)
    assert (data["a"]["name"], data["a"]["standard"], data["a"]["features"]) == ("甲", "gb50137", 3)
    assert (data["b"]["kind"], data["pairs"], data["crs"]) == ("land_use", 3, "EPSG:4549")
    assert sum(area for _, _, area in data["class_areas"]) == pytest.approx(25_000)
    assert data["at"].endswith("+00:00")
    assert is_stale(plans, layer.id) == []
    plans.execute(EditCells(plans.layer("甲").id, [1], "用地代码", ["R1"]))
    assert is_stale(plans, layer.id) == ["甲"]
    with pytest.raises(PlannerError, match="not_conflicts"):
        read_metadata(plans, plans.layer("甲").id)


def test_another_layers_name_is_not_taken_over(plans: Project) -> None:
    with pytest.raises(PlannerError, match="name_taken"):
        save_result(plans, _run(plans), "甲")


def test_cancelled_save_leaves_nothing(plans: Project) -> None:
    class Stopped(NoProgress):
        def is_cancelled(self) -> bool:
            return True

    names = [layer.name for layer in plans.layers()]
    with pytest.raises(Cancelled):
        save_result(plans, _run(plans), "冲突", progress=Stopped())
    assert [layer.name for layer in plans.layers()] == names


def test_nothing_to_save_is_an_empty_layer(project: Project, add: Add, box: Box) -> None:
    add("甲", [("R2", box(0, 0, 10, 10))], standard="gb50137")
    add("乙", [("070102", box(0, 0, 10, 10))], standard="mnr2023")
    layer = save_result(project, _run(project), "冲突")
    assert project.count(layer.id) == 0
