"""``planner review …`` as a person types it: keys, exit codes, errors, both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import shapely

from planner_app.cli import run_verb
from planner_app.domain.layer import FieldInfo, NewLayer, PlanInfo, PlanKind
from planner_app.project import Batch, Project
from plugins.review.model.cases import opened as opening
from plugins.review.model.cases import store
from plugins.review.model.cases.commands import DeleteIssue, RaiseIssue
from plugins.review.model.cases.records import Anchors, Issue
from tests.plugins.review.drawings import EAST, GREENS, HOUSES, NORTH, write_plan, write_survey

KEYS = (
    "site_area_m2", "footprint_m2", "gfa_m2", "far_area_m2", "far", "density", "green_m2", "green_ratio", "height_m",
)  # fmt: skip
FINDING = {
    "rule", "verdict", "feature", "declared", "measured", "limit", "unit", "standard", "clause", "edition",
    "confidence", "blocking", "borderline", "message", "evidence",
}  # fmt: skip


@pytest.fixture
def town(tmp_path: Path) -> Path:
    """A project with a parcel of the detailed plan under the drawing."""
    opening.forget()
    path = tmp_path / "town.sqlite"
    with Project.create(path, "EPSG:4549", "滨海新城") as project:
        fields = (FieldInfo("parcel_no", "text"), FieldInfo("class_code", "text"), FieldInfo("far_max", "real"))
        shape = shapely.to_wkb(shapely.box(EAST, NORTH, EAST + 120, NORTH + 80))
        plan = PlanInfo("detailed", PlanKind.DETAILED, "控规")
        new = NewLayer("地块指标", "polygon", fields, plan=plan, class_field="class_code")
        columns = {"parcel_no": ["BH-01-07"], "class_code": ["070102"], "far_max": [0.5]}
        project.add_layer(new, [Batch([shape], columns)])
    return path


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    return write_plan(tmp_path / "总平面图.dxf")


class Planner:
    """Runs verbs with ``--json`` and hands back (exit code, object)."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        code = run_verb(["review", *map(str, arguments), "--json"])
        out = self.capsys.readouterr().out
        assert out.count("\n") == 1, out[:300]
        return code, json.loads(out)

    def fails(self, wanted: str, *arguments: object) -> dict[str, str]:
        code, data = self(*arguments)
        assert (code, data["error"]["code"]) == (2, wanted)
        assert data["error"]["message"] != wanted
        return dict(data["error"])

    def text(self, *arguments: object) -> str:
        assert run_verb(["review", *map(str, arguments)]) == 0
        return self.capsys.readouterr().out


@pytest.fixture
def planner(capsys: pytest.CaptureFixture[str]) -> Planner:
    return Planner(capsys)


def test_import(town: Path, drawing: Path, planner: Planner) -> None:
    code, data = planner("import", town, drawing, "--parcel", "BH-01-07")
    assert code == 0
    assert (data["drawing"], data["case"], data["format"], data["kind"]) == ("D-0001", "GA-0001", "dxf", "site_plan")
    assert data["sha256"] == store.file_digest(drawing)
    assert data["entities"] == 17  # the site, 2 footprints, 9 floors, 2 greens, 2 names, a table
    assert data["layers"]["site"] == ["YDHX-用地红线"]
    assert data["layers"]["footprint"] == ["JZJD-1号楼-建筑基底", "JZJD-2号楼-建筑基底"]
    found = data["indicators"]
    assert found["site_area_m2"] == pytest.approx(9600)
    assert found["footprint_m2"] == pytest.approx(1475)
    assert found["far"] == pytest.approx(6825 / 9600)
    assert found["green_m2"] == pytest.approx(40 * 15 + 56 * 5)
    assert [(one["name"], one["storeys"]) for one in found["buildings"]] == [("1号楼", 3), ("2号楼", 6)]
    assert set(KEYS) <= set(found)
    assert set(KEYS) <= set(data["declared"])
    assert (data["declared"]["far"], data["declared"]["gfa_m2"]) == (0.75, None)
    assert isinstance(data["repairs"], list)
    assert all(set(one) == {"code", "message"} and one["message"] != one["code"] for one in data["warnings"])
    code, again = planner("import", town, drawing)
    assert (code, again["again"], again["drawing"]) == (0, True, "D-0001")
    assert "review.imported_before" in [one["code"] for one in again["warnings"]]


def test_import_options(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    local = write_plan(tmp_path / "local.dxf", east=1000.0, north=500.0)
    points = tmp_path / "points.csv"
    rows = [(0, 0), (120, 0), (120, 80), (0, 80)]
    points.write_text(
        "name,x,y,east,north\n"
        + "".join(f"K{n},{1000 + x},{500 + y},{EAST + x},{NORTH + y}\n" for n, (x, y) in enumerate(rows)),
        encoding="utf-8",
    )
    code, data = planner("import", town, local, "--control", points, "--kind", "other", "--title", "二期", "--city",
                         "滨海", "--date", "2026-03-01", "--unit", "m",
                         "--region", "995,495,1145,585")  # fmt: skip
    assert (code, data["kind"], data["placement"]["method"]) == (0, "other", "control")
    assert data["placement"]["rms_m"] == pytest.approx(0, abs=1e-6)
    _, cases = planner("cases", town)
    assert (cases["cases"][0]["title"], cases["cases"][0]["permit_date"]) == ("二期", "2026-03-01")
    _, more = planner("import", town, drawing, "--case", "二期", "--replaces", "local.dxf")
    assert (more["case"], more["revision"], more["kind"]) == ("GA-0001", 2, "other")


def test_check(town: Path, drawing: Path, planner: Planner) -> None:
    planner("import", town, drawing, "--parcel", "BH-01-07")
    code, data = planner("check", town, "D-0001")
    assert (code, data["verdict"]) == (1, "fail")
    assert all(set(one) >= FINDING for one in data["findings"])
    far = next(one for one in data["findings"] if one["rule"] == "review.far_max")
    assert (far["verdict"], far["blocking"], far["limit"]) == ("fail", True, 0.5)
    assert far["measured"] == pytest.approx(6825 / 9600)
    for ref in (data["drawing"], "总平面图.dxf", store.file_digest(drawing), str(drawing), "1"):
        assert planner("check", town, ref)[1]["drawing"] == "D-0001", ref
    dated = planner("check", town, "D-0001", "--date", "2020-01-01", "--parcel", "BH-01-07")[1]
    assert dated["date"] == "2020-01-01"


def test_diff(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    first = planner("import", town, drawing)[1]
    with Project.open(town) as project:
        record = store.drawing(project, "D-0001")
        handle = next(
            one.handle
            for one in opening.open_drawing(project, "D-0001").drawing.entities
            if "2号楼-建筑基底" in one.layer
        )
        anchors = Anchors(handles=(handle,))
        project.execute(RaiseIssue(Issue(store.new_id(), record.case_id, 0, "退界不足", record.id, anchors=anchors)))
    changed = write_plan(
        tmp_path / "B.dxf", houses={**HOUSES, "2号楼": (70.0, 40.0, 110.0, 60.5)}, note="修改说明",
        storeys={"2号楼": (6, 19.2)}, greens={"集中": GREENS["集中"]},
    )  # fmt: skip
    second = planner("import", town, changed, "--replaces", first["drawing"])[1]
    assert second["issues"] == [{"issue": 1, "anchor": "moved"}]
    code, data = planner("diff", town, "D-0001", "D-0002")
    assert code == 0
    assert (len(data["added"]), len(data["removed"])) == (1, 1)
    assert all(isinstance(handle, str) for handle in (*data["added"], *data["removed"]))
    whats = {one["handle"]: one["what"] for one in data["changed"]}
    assert len(whats) == 8  # the outline, its six floors, its text
    assert sum("2 of 4 vertices moved, at most 0.500 m" in what for what in whats.values()) == 7
    assert sum("H=19.20" in what for what in whats.values()) == 1
    keys = {row["key"]: (row["before"], row["after"]) for row in data["indicators"]}
    assert keys["footprint_m2"] == pytest.approx((1475.0, 1495.0))
    assert keys["height_m"] == pytest.approx((18.6, 19.2))
    assert {(one["role"], one["name"]) for one in data["elements"]} >= {("footprint", "2号楼"), ("green", "宅旁")}
    assert planner("diff", town, "D-0002", "D-0002")[1]["changed"] == []


def test_diff_of_a_building_that_only_moved(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    planner("import", town, drawing)
    x0, y0, x1, y1 = HOUSES["2号楼"]
    moved = write_plan(tmp_path / "B.dxf", houses={**HOUSES, "2号楼": (x0 + 3, y0 + 4, x1 + 3, y1 + 4)})
    planner("import", town, moved, "--replaces", "D-0001")
    data = planner("diff", town, "D-0001", "D-0002")[1]
    elements = {(one["role"], one["name"]): one for one in data["elements"]}
    assert elements["footprint", "2号楼"]["moved"] == pytest.approx(5.0)
    assert elements["footprint", "2号楼"]["before"] == elements["footprint", "2号楼"]["after"]
    assert ("footprint", "1号楼") not in elements
    elsewhere = write_plan(tmp_path / "C.dxf", east=EAST + 250)
    planner("import", town, elsewhere, "--replaces", "D-0001")
    assert planner("diff", town, "D-0001", "D-0003")[1]["elements"] == [], "the drawing moved as a whole"


def test_asbuilt(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    planner("import", town, drawing)
    survey = write_survey(tmp_path / "竣工.dxf", storeys={"2号楼": (7, 21.6)})
    assert planner("import", town, survey)[1]["kind"] == "as_built"
    code, data = planner("asbuilt", town, "D-0001", "竣工.dxf")
    assert (code, data["verdict"]) == (1, "fail")
    assert all(set(one) >= FINDING for one in data["findings"])
    failed = {(one["rule"], one["feature"]) for one in data["findings"] if one["verdict"] == "fail"}
    assert failed == {("asbuilt.storeys", "2号楼"), ("asbuilt.height", "2号楼")}
    assert {row["name"]: row["storeys_built"] for row in data["buildings"]} == {"1号楼": 3, "2号楼": 7}
    planner.fails("review.no_building_layer", "asbuilt", town, "D-0001", "D-0002", "--accept")
    with Project.open(town) as project:
        fields = (FieldInfo("name", "text"), FieldInfo("storeys", "integer"), FieldInfo("height_m", "real"))
        project.add_layer(NewLayer("建筑", "polygon", fields), [])
    code, data = planner("asbuilt", town, "D-0001", "D-0002", "--accept")
    assert (code, data["accepted"]["added"]) == (1, 2)
    assert planner("cases", town)[1]["cases"][0]["status"] == "built"


def test_opinion_and_bcf(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    planner("import", town, drawing, "--parcel", "BH-01-07")
    with Project.open(town) as project:
        record = store.drawing(project, "D-0001")
        project.execute(RaiseIssue(Issue(store.new_id(), record.case_id, 0, "容积率超标", record.id)))
    for suffix in (".json", ".html"):
        out = tmp_path / f"意见{suffix}"
        code, data = planner("opinion", town, "D-0001", "--out", out)
        assert (code, data["out"], data["sha256"]) == (0, str(out), store.file_digest(out))
    bcf = tmp_path / "意见.bcf"
    code, data = planner("bcf", town, "--export", bcf)
    assert (code, data["topics"]) == (0, 1)
    assert {"topics", "comments", "viewpoints"} <= set(data)
    other = tmp_path / "other.sqlite"
    Project.create(other, "EPSG:4549").close()
    code, data = planner("bcf", other, "--import", bcf)
    assert (code, data["topics"], data["case"]) == (0, 1, "GA-0001")
    assert [one["title"] for one in planner("issues", other)[1]["issues"]] == ["容积率超标"]


def test_issues_of_findings(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    planner("import", town, drawing, "--parcel", "BH-01-07")
    bad = [one for one in planner("check", town, "D-0001")[1]["findings"] if one["verdict"] != "pass"]
    failing = [one for one in bad if one["verdict"] in ("fail", "needs_certificate")]
    assert failing, "a plan with nothing wrong shows nothing here"
    code, data = planner("raise", town, "D-0001")
    assert (code, data["case"], data["drawing"]) == (0, "GA-0001", "D-0001")
    assert [one["rule"] for one in data["raised"]] == [one["rule"] for one in failing]
    assert planner("raise", town, "D-0001")[1]["raised"] == [], "each once"
    assert len(planner("issues", town)[1]["issues"]) == len(failing)
    assert planner("bcf", town, "--export", tmp_path / "意见.bcf")[1]["topics"] == len(failing)
    unsure = next((one["rule"] for one in bad if one["verdict"] == "cannot_judge"), "")
    if unsure:
        (raised, *_) = planner("raise", town, "D-0001", "--rule", unsure)[1]["raised"]
        assert (raised["rule"], raised["status"]) == (unsure, "needs_drawing")


def test_bcf_of_several_cases(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    planner("import", town, drawing, "--parcel", "BH-01-07")
    planner(
        "import", town, write_plan(tmp_path / "另一图.dxf", note="另一地块"), "--title", "另一地块", "--parcel", "X"
    )
    with Project.open(town) as project:
        for number in ("D-0001", "D-0002"):
            record = store.drawing(project, number)
            project.execute(RaiseIssue(Issue(store.new_id(), record.case_id, 0, f"意见 {number}", record.id)))
        loose = Issue(store.new_id(), record.case_id, 0, "与图无关")
        project.execute(RaiseIssue(loose))
    bcf = tmp_path / "往来 意见.bcf"
    code, data = planner("bcf", town, "--export", bcf)
    assert (code, data["topics"], data["cases"], data["case"]) == (0, 3, ["GA-0001", "GA-0002"], None)
    code, data = planner("bcf", town, "--import", bcf)
    assert (code, data["added"], data["cases"]) == (0, 0, ["GA-0001", "GA-0002"]), "all are known where they are"
    assert len(planner("cases", town)[1]["cases"]) == 2
    with Project.open(town) as project:
        for one in store.issues(project):
            project.execute(DeleteIssue(one.id))
    code, data = planner("bcf", town, "--import", bcf)
    assert (code, data["added"], data["cases"]) == (0, 3, ["GA-0001", "GA-0002", "GA-0003"])
    found = {one["title"]: (one["case"], one["drawing"]) for one in planner("issues", town)[1]["issues"]}
    assert found == {
        "意见 D-0001": ("GA-0001", "D-0001"), "意见 D-0002": ("GA-0002", "D-0002"), "与图无关": ("GA-0003", ""),
    }  # fmt: skip
    assert planner("cases", town)[1]["cases"][2]["title"] == "往来 意见"
    with Project.open(town) as project:
        project.undo()
        assert len(store.cases(project)) == 2, "case and issues are one step"


def test_a_bcf_nobody_can_read_opens_no_case(tmp_path: Path, planner: Planner) -> None:
    path, broken = tmp_path / "p.sqlite", tmp_path / "x.bcf"
    Project.create(path, "EPSG:4549").close()
    broken.write_bytes(b"no zip")
    code, data = planner("bcf", path, "--import", broken)
    assert (code, "error" in data) == (2, True)
    assert planner("cases", path)[1]["cases"] == []


def test_lists_and_conditions(town: Path, drawing: Path, planner: Planner) -> None:
    assert planner("cases", town)[1] == {"cases": []}
    planner("import", town, drawing, "--parcel", "BH-01-07")
    assert [one["parcel"] for one in planner("cases", town)[1]["cases"]] == ["BH-01-07"]
    rows = planner("drawings", town, "--case", "GA-0001")[1]["drawings"]
    assert [(one["drawing"], one["file"], one["placed"]) for one in rows] == [("D-0001", "总平面图.dxf", "coordinates")]
    assert planner("issues", town)[1] == {"issues": []}
    assert planner("conditions", town, "--parcel", "BH-01-07")[1]["far_max"] == 0.5
    assert planner("conditions", town, "--case", "GA-0001")[1]["parcel"] == "BH-01-07"
    assert "GA-0001" in planner.text("cases", town)


def test_errors_say_what_and_what_to_do(town: Path, drawing: Path, tmp_path: Path, planner: Planner) -> None:
    planner.fails("review.file_missing", "import", town, tmp_path / "nothing.dxf")
    error = planner.fails("review.drawing_unknown", "check", town, "D-0007")
    assert "import" in error["hint"]
    planner("import", town, drawing)
    error = planner.fails("review.drawing_unknown", "diff", town, "D-0001", "D-0007")
    assert "D-0001 总平面图.dxf" in error["hint"]
    planner.fails("review.case_unknown", "drawings", town, "--case", "GA-7")
    planner.fails("review.parcel_unknown", "check", town, "D-0001", "--parcel", "XX")
    planner.fails("review.date_wrong", "check", town, "D-0001", "--date", "1.3.2026")
    for region in ("1,2,3", "1,2,3,x", "0,0,0,5", "0,0,nan,5"):
        planner.fails("review.region_wrong", "import", town, drawing, "--region", region)
    for unit in ("ell", "-1", "0", "inf"):
        planner.fails("review.unit_wrong", "import", town, drawing, "--unit", unit)
    planner.fails("cli.usage", "bcf", town)
    code, data = planner("import", town, town)  # a project is no drawing
    assert (code, data["error"]["message"] != data["error"]["code"]) == (2, True)


def test_chinese(town: Path, drawing: Path, planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANNER_LANG", "zh_CN")
    planner("import", town, drawing, "--parcel", "BH-01-07")
    error = planner.fails("review.drawing_unknown", "check", town, "D-0007")
    assert "没有图纸" in error["message"]
    far = next(one for one in planner("check", town, "D-0001")[1]["findings"] if one["rule"] == "review.far_max")
    assert "容积率" in far["message"]
    with Project.open(town) as project:
        assert {"审查案件", "审查图纸", "审查意见", "审查图纸要素"} <= {one.name for one in project.layers()}


def test_one_undo_takes_back_a_whole_import(
    town: Path, drawing: Path, planner: Planner, capsys: pytest.CaptureFixture[str]
) -> None:
    planner("import", town, drawing)
    assert run_verb(["undo", str(town), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["undone"]["command"] == "review_import"
    assert planner("cases", town)[1] == {"cases": []}
    assert planner("drawings", town)[1] == {"drawings": []}
    assert run_verb(["verify", str(town), "--json"]) == 0
    capsys.readouterr()
    assert run_verb(["redo", str(town), "--json"]) == 0
    capsys.readouterr()
    assert len(planner("drawings", town)[1]["drawings"]) == 1
