"""``planner conflicts`` and ``planner control`` as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from planner_app.cli import run_verb
from planner_app.domain.layer import LayerInfo, PlanKind
from planner_app.plugin_host import PluginHost
from planner_app.project import Project
from plugins.planning.model.headless import run_headless
from tests.helpers.plugin_rules import verb_context

Box = Callable[..., Any]
Add = Callable[..., LayerInfo]


@pytest.fixture
def town(project: Project, add: Add, box: Box) -> Path:
    """Two plans, a red line, a site. The file is closed: the verb opens it."""
    add("总规", [("R2", box(0, 0, 100, 100)), ("M1", box(100, 0, 200, 100))], PlanKind.MASTER, standard="gb50137")
    add("土规", [("0101", box(0, 0, 150, 100)), ("1001", box(150, 0, 200, 100))], PlanKind.LAND_USE,
        standard="mnr2023")  # fmt: skip
    add("生态保护红线", [("一般", box(0, 0, 30, 10))], PlanKind.ECOLOGICAL_RED_LINE)
    add("地块", [("x", box(0, 0, 50, 50))])
    path = project.path
    project.close()
    return path


def _answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, Any]]:
    code = run_verb([*map(str, arguments), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return code, json.loads(out)


def test_conflicts(town: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, data = _answer(
        capsys, "conflicts", town, "--a", "总规:用地代码", "--b", "土规:用地代码", "--save", "冲突图斑",
        "--report", tmp_path / "r.xlsx",
    )  # fmt: skip
    assert code == 0
    assert {
        "pairs", "patches", "area_m2", "basis", "by_class", "by_cause", "dropped", "repaired", "seconds",
    } <= data.keys()  # fmt: skip
    assert (data["pairs"], data["area_m2"]) == (3, pytest.approx(20_000))
    assert {row["cause"]: row["pairs"] for row in data["by_cause"]}["class_difference"] == 1  # M1 and 1001
    assert set(data["by_class"][0]) >= {"a", "b", "pairs", "area_m2"}
    with Project.open(town) as project:
        assert project.layer("冲突图斑").id == data["layer"]
        assert project.count(data["layer"]) == 3
        assert project.log(1)[0].command == "planning_conflicts"
    assert openpyxl.load_workbook(tmp_path / "r.xlsx").sheetnames[0] == "Summary"


def test_conflicts_options(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plans = ("--a", "总规:用地代码", "--b", "土规:用地代码")
    assert _answer(capsys, "conflicts", town, *plans, "--all")[1]["area_m2"] == pytest.approx(20_000)
    assert _answer(capsys, "conflicts", town, *plans, "--matrix", "default")[1]["area_m2"] == pytest.approx(15_000)
    assert _answer(capsys, "conflicts", town, *plans, "--min-area", 8_000)[1]["dropped"] == {
        "pairs": 2, "area_m2": pytest.approx(10_000),
    }  # fmt: skip
    ellipsoidal = _answer(capsys, "conflicts", town, *plans, "--basis", "ellipsoidal")[1]
    assert ellipsoidal["basis"] == "ellipsoidal"
    assert ellipsoidal["area_m2"] != ellipsoidal["area_planar_m2"]
    forced = _answer(capsys, "conflicts", town, *plans, "--b-standard", "dltb")[1]
    assert forced["standards"] == {"a": "gb50137", "b": "dltb"}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--a", "总规:没有", "--b", "土规"), "planning.field_missing"),
        (("--a", "没有:x", "--b", "土规"), "layer.unknown"),
        (("--a", "总规", "--b", "土规", "--matrix", "没有"), "planning.matrix_unknown"),
        (("--a", "总规", "--b", "土规", "--date", "yesterday"), "planning.date_wrong"),
        (("--a", "总规", "--b", "土规", "--report", "x.docx"), "report.format_unknown"),
        (("--a", "总规", "--b", "土规", "--min-width", "-1"), "planning.option_wrong"),
    ],
)
def test_bad_input_is_worded(town: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: str) -> None:
    exit_code, data = _answer(capsys, "conflicts", town, *more)
    assert (exit_code, data["error"]["code"]) == (2, code)
    assert data["error"]["message"] != code
    assert "{" not in data["error"]["message"] + data["error"]["hint"]
    assert data["error"]["hint"]


def test_control(town: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, data = _answer(
        capsys, "control", town, "--site", "地块", "--lines", "生态保护红线", "--plans", "总规:用地代码,土规",
        "--report", tmp_path / "r.html",
    )  # fmt: skip
    assert code == 1  # the ecological red line blocks
    assert data["site_area_m2"] == pytest.approx(2_500)
    finding = data["findings"][0]
    assert set(finding) >= {
        "rule", "verdict", "feature", "declared", "measured", "limit", "unit", "standard", "clause", "edition",
        "confidence", "blocking", "borderline", "message", "evidence",
    }  # fmt: skip
    assert (finding["verdict"], finding["measured"], finding["blocking"]) == ("fail", pytest.approx(300), True)
    assert finding["evidence"]["type"] == "Polygon"
    assert {one["verdict"] for one in data["findings"][1:]} == {"cannot_judge"}
    areas = [(row["layer"], row["class"], round(row["area_m2"], 6)) for row in data["areas"]]
    assert areas == [("生态保护红线", "", 300.0), ("总规", "R2", 2_500.0), ("土规", "0101", 2_500.0)]
    assert all(row["area_ellipsoidal_m2"] > 0 for row in data["areas"])
    assert "<svg" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_control_finds_the_lines_itself_and_declares_a_purpose(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, data = _answer(capsys, "control", town, "--site", "地块", "--purpose", "national_project")
    assert code == 0
    assert data["findings"][0]["verdict"] == "needs_certificate"
    code, data = _answer(capsys, "control", town, "--site", "没有")
    assert (code, data["error"]["code"]) == (2, "layer.unknown")


def test_plugin_registers_whole() -> None:
    host = PluginHost()
    host.load_models()
    assert [failure for failure in host.failures if failure.plugin == "planning"] == []
    assert {"conflicts", "control"} <= {verb.name for verb in host.verbs()}
    assert len(host.rules("planning.")) == 9


def test_headless_work(town: Path, tmp_path: Path) -> None:
    with Project.open(town) as project:
        summary = run_headless(verb_context(), project, tmp_path / "out")
    assert summary["conflicts"]["pairs"] == 3
    assert {Path(file).name for file in summary["files"]} >= {"conflicts.pdf", "conflicts.xlsx", "conflicts.html"}
    for file in summary["files"]:
        assert Path(file).stat().st_size > 2_000
