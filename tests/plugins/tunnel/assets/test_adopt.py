"""The loop: pipes of an approved drawing become planned assets, the accepted survey makes them assets in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ezdxf
import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Project
from plugins.review.model.asbuilt.accept import plan_acceptance
from plugins.review.model.asbuilt.compare import compare_as_built
from plugins.review.model.cases import opened as opening
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import SetCase
from plugins.review.model.cases.records import CaseStatus
from plugins.review.model.cases.workflow import import_drawing
from plugins.tunnel.model import tables
from plugins.tunnel.model.assets.adopt import adopt, waiting_cases
from plugins.tunnel.model.assets.importing import draft_of, look_into
from plugins.tunnel.model.assets.status import history
from tests.helpers.plugin_rules import rules_of
from tests.helpers.project_files import assert_whole
from tests.plugins.review.drawings import EAST, NORTH, write_plan, write_survey
from tests.plugins.tunnel.assets.surveys import write_csv

WATER = [(-5.0, 10.0), (60.0, 10.0), (60.0, 35.0)]
BRANCH = [(60.0, 35.0), (70.0, 35.0)]
SEWER = [(0.0, 5.0), (110.0, 5.0)]


def draw(path: Path, lines: dict[str, list[tuple[list[tuple[float, float]], str]]]) -> Path:
    """Add open polylines with a text beside them to a drawing."""
    document = ezdxf.readfile(path)
    space = document.modelspace()
    for layer, many in lines.items():
        for points, text in many:
            space.add_lwpolyline([(EAST + x, NORTH + y) for x, y in points], dxfattribs={"layer": layer})
            if text:
                where = (EAST + (points[0][0] + points[1][0]) / 2, NORTH + points[0][1] + 1.0)
                space.add_text(text, height=1.5, dxfattribs={"layer": f"{layer}标注"}).set_placement(where)
    document.saveas(path)
    return path


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    opening.forget()
    with Project.create(tmp_path / "town.sqlite", "EPSG:4549", "滨海新城") as made:
        made.user = "小王"
        yield made


def set_status(project: Project, status: CaseStatus) -> None:
    project.execute(SetCase(store.cases(project)[0].id, {"status": status}))


def lines(project: Project) -> dict[str, dict]:
    layer = tables.need(project, tables.LINE)
    found = project.read(layer.id)
    rows = [dict(zip(found.columns, values, strict=True)) for values in zip(*found.columns.values(), strict=True)]
    for row, fid, shape in zip(rows, found.fids, shapely.from_wkb(found.geometry), strict=True):
        row |= {"fid": int(fid), "geometry": shape}
    return {row["code"]: row for row in rows}


@pytest.fixture
def approved(project: Project, tmp_path: Path) -> Project:
    design = {"GX-给水": [(WATER, "DN300"), (BRANCH, "")], "污水管线-DN400": [(SEWER, "")]}
    import_drawing(project, draw(write_plan(tmp_path / "plan.dxf"), design))
    assert waiting_cases(project) == []  # nothing before it is approved
    with pytest.raises(PlannerError, match=r"tunnel\.case_open"):
        adopt(project, "GA-0001")
    set_status(project, CaseStatus.APPROVED)
    return project


def test_approved_pipes_become_planned_assets_once(approved: Project) -> None:
    waiting = waiting_cases(approved)[0]
    assert (waiting.number, waiting.drawing, waiting.waiting) == ("GA-0001", "D-0001", 3)
    done = adopt(approved)
    assert [len(one.new) for one in done] == [3]
    found = lines(approved)
    assert {(one["kind_code"], one["dn_mm"], one["status"]) for one in found.values()} == {
        ("JS", 300, "planned"), ("JS", None, "planned"), ("WS", 400, "planned"),
    }  # fmt: skip
    water = next(one for one in found.values() if one["dn_mm"] == 300)
    branch = next(one for one in found.values() if one["kind_code"] == "JS" and one["dn_mm"] is None)
    assert water["to_node"] == branch["from_node"]
    assert water["geometry"].length == pytest.approx(90)
    told = history(approved, tables.need(approved, tables.LINE).id, water["fid"])
    assert [(one.was, one.now, one.by, one.source) for one in told] == [("", "planned", "小王", "GA-0001 / D-0001")]
    before = len(approved.log())
    assert adopt(approved) == []
    assert len(approved.log()) == before
    approved.undo()
    assert waiting_cases(approved)[0].waiting == 3
    approved.redo()
    assert waiting_cases(approved)[0].waiting == 0
    assert_whole(approved)


def test_the_accepted_survey_makes_them_in_use(approved: Project, tmp_path: Path) -> None:
    adopt(approved)
    built = {"GX-JS": [([(x + 0.4, y) for x, y in WATER], "DN250")], "GX-RQ": [([(0, 70), (40, 70)], "DN100")]}
    survey = draw(write_survey(tmp_path / "built.dxf"), built)
    import_drawing(approved, survey, case="GA-0001", kind="as_built")
    assert waiting_cases(approved)[0].waiting == 0  # not accepted yet
    set_status(approved, CaseStatus.BUILT)
    waiting = waiting_cases(approved)[0]
    assert (len(waiting.built), len(waiting.extra), len(waiting.missing)) == (1, 1, 2)
    adopt(approved, "GA-0001", "老张")
    found = lines(approved)
    water = next(one for one in found.values() if one["dn_mm"] == 250)
    assert (water["status"], water["deviation_m"]) == ("in_use", pytest.approx(0.4, abs=0.001))
    assert water["geometry"].bounds[0] == pytest.approx(EAST - 4.6)
    assert sorted(one["status"] for one in found.values()) == ["in_use", "in_use", "planned", "planned"]
    layer = tables.need(approved, tables.LINE).id
    assert next((one.was, one.now, one.by, one.note) for one in history(approved, layer, water["fid"])) == (
        "planned", "in_use", "老张", "0.40 m; the survey has no levels of it",
    )  # fmt: skip
    assert adopt(approved) == []


def test_a_case_of_pipes_alone_is_built_once_its_survey_is_accepted(project: Project, tmp_path: Path) -> None:
    import_drawing(project, draw(write_plan(tmp_path / "plan.dxf", houses={}), {"GX-给水": [(WATER, "DN300")]}))
    set_status(project, CaseStatus.APPROVED)
    adopt(project)
    survey = draw(write_survey(tmp_path / "built.dxf", houses={}), {"GX-JS": [(WATER, "DN300")]})
    import_drawing(project, survey, case="GA-0001", kind="as_built")
    found = compare_as_built(project, "D-0001", "D-0002", rules=rules_of("asbuilt."))
    assert adopt(project) == []
    command = plan_acceptance(project, found)
    assert (command.layer_id, list(command.rows)) == ("", [])  # no base map of buildings is needed for it
    project.execute(command)
    assert store.cases(project)[0].status is CaseStatus.BUILT
    adopt(project)
    assert [one["status"] for one in lines(project).values()] == ["in_use"]
    project.undo()
    project.undo()
    assert store.cases(project)[0].status is CaseStatus.APPROVED
    assert_whole(project)


def test_a_survey_table_brings_levels(approved: Project, tmp_path: Path) -> None:
    adopt(approved)
    rows = [
        ["物探点号", "连接点号", "X", "Y", "地面高程", "埋深", "管径", "材质"],
        ["JS1", "JS2", NORTH + 10.2, EAST - 5, 5.0, 1.5, 300, "球墨铸铁"],
        ["JS2", "JS1", NORTH + 10.2, EAST + 60, 5.0, 1.4, 300, "球墨铸铁"],
    ]
    source = look_into(approved, write_csv(tmp_path / "竣工.csv", rows))
    done = adopt(approved, "GA-0001", survey=draft_of(approved, source))
    assert [len(one.built) for one in done] == [1]
    water = next(one for one in lines(approved).values() if one["status"] == "in_use")
    assert (water["z1"], water["z2"], water["material"], water["dn_mm"]) == (3.5, 3.6, "球墨铸铁", 300)


def test_levels_come_from_the_as_built_drawing_and_are_said_to(approved: Project, tmp_path: Path) -> None:
    """The main as a 3D polyline drawn against its design, the sewer flat with levels written at its ends."""
    adopt(approved)
    path = draw(write_survey(tmp_path / "built.dxf"), {"GX-WS": [(SEWER, "DN400")]})
    document = ezdxf.readfile(path)
    space = document.modelspace()
    back = [(EAST + x, NORTH + y, z) for (x, y), z in zip(WATER[::-1], (2.6, 2.8, 3.1), strict=True)]
    space.add_polyline3d(back, dxfattribs={"layer": "GX-JS"})
    for x, text in ((0.0, "管内底标高 1.25"), (109.0, "管内底 0.75"), (1.0, "地面标高 5.20")):
        at = (EAST + x, NORTH + 5.5)
        space.add_text(text, height=1.0, dxfattribs={"layer": "GX-WS标注"}).set_placement(at)
    document.saveas(path)
    import_drawing(approved, path, case="GA-0001", kind="as_built")
    set_status(approved, CaseStatus.BUILT)
    done = adopt(approved)
    assert [one.levels for one in done] == [{"curve": 1, "text": 1}]
    built = {one["kind_code"]: one for one in lines(approved).values() if one["status"] == "in_use"}
    water, sewer = built["JS"], built["WS"]
    # the design runs the other way: z1 is at its first node
    assert (water["z1"], water["z2"], water["z_ref"]) == (3.1, 2.6, "top")
    assert shapely.get_coordinates(water["geometry"])[0].tolist() == pytest.approx([EAST - 5, NORTH + 10])
    assert (sewer["z1"], sewer["z2"], sewer["z_ref"]) == (1.25, 0.75, "invert")
    layer = tables.need(approved, tables.LINE).id
    assert [history(approved, layer, one["fid"])[0].note for one in (water, sewer)] == [
        "0.00 m; levels from the Z of the as-built drawing's lines",
        "0.00 m; levels from texts of the as-built drawing",
    ]


def test_a_revision_moves_what_is_only_planned(approved: Project, tmp_path: Path) -> None:
    adopt(approved)
    first = store.drawings(approved)[0]
    design = {"GX-给水": [([(x, y + 2) for x, y in WATER], "DN300"), (BRANCH, "")], "污水管线-DN400": [(SEWER, "")]}
    import_drawing(approved, draw(write_plan(tmp_path / "b.dxf"), design), case="GA-0001", replaces=first.id)
    waiting = waiting_cases(approved)[0]
    assert (waiting.drawing, len(waiting.new), len(waiting.moved)) == ("D-0002", 0, 1)
    adopt(approved)
    water = next(one for one in lines(approved).values() if one["dn_mm"] == 300)
    assert water["geometry"].bounds[1] == pytest.approx(NORTH + 12)


def test_adopting_into_tables_that_others_made(approved: Project) -> None:
    """Layers of lines and nodes with a few fields of their own get what is missing."""
    fields = (FieldInfo("code", "text"), FieldInfo("kind_code", "text"))
    for name, geometry in (("net_line", "line"), ("net_node", "point")):
        approved.add_layer(NewLayer(name, geometry, fields, role=f"tunnel.{name}"), [])
    adopt(approved)
    assert {one["status"] for one in lines(approved).values()} == {"planned"}
    approved.undo()
    assert lines(approved) == {}
    assert_whole(approved)
