"""States of assets, the search, statistics: ``planner tunnel status`` and ``tunnel assets``."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.i18n import add_folder, set_language, word_error
from planner_app.project import Batch, Project
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.edit import DeleteAssets, EditAsset
from plugins.tunnel.model.assets.status import worded
from tests.helpers.project_files import assert_whole
from tests.plugins.tunnel.assets.surveys import HEAD, joined_rows, write_csv

I18N = Path(__file__).resolve().parents[4] / "plugins" / "tunnel" / "i18n"


@pytest.fixture
def town(run, file: Path, tmp_path: Path) -> Path:
    """Three pipes of a survey and a tunnel of 2 km."""
    run("tunnel", "import", file, write_csv(tmp_path / "s.csv", [*HEAD, *joined_rows()]), "--name", "survey")
    fields = tuple(FieldInfo(name, "text") for name in ("code", "name", "status"))
    axis = shapely.to_wkb(shapely.linestrings([(508_000, 2_944_100), (510_000, 2_944_100)]))
    reach = (FieldInfo("from_m", "real"), FieldInfo("to_m", "real"))
    with Project.open(file) as project:
        tunnel = Batch(
            [axis], {"code": ["GL01"], "name": ["滨江"], "status": ["在用"], "from_m": [0.0], "to_m": [2000.0]}
        )
        project.add_layer(NewLayer("tunnel", "line", (*fields, *reach), role="tunnel.tunnel"), [tunnel])
    return file


def test_states_only_go_forward_and_say_who(run, town: Path) -> None:
    ask = ("tunnel", "status", town, "--id", "line:JS1-JS2")
    wrong = run(*ask, "--to", "planned", code=2)["error"]
    assert (wrong["code"], wrong["message"]) == ("tunnel.status_wrong", "JS1-JS2 is in use and cannot become planned.")
    assert run(*ask, "--to", "broken", code=2)["error"]["code"] == "tunnel.status_unknown"
    run(*ask, "--to", "abandoned", "--by", "老张")
    assert run(*ask, "--to", "in_use", code=2)["error"]["code"] == "tunnel.status_reason"
    done = run(*ask, "--to", "in_use", "--by", "小李", "--note", "改线后启用")
    events = done["assets"][0]["history"]
    assert [(one["was"], one["now"], one["by"]) for one in events] == [
        ("abandoned", "in_use", "小李"), ("in_use", "abandoned", "老张"),
    ]  # fmt: skip
    assert events[0]["note"] == "改线后启用"
    assert events[0]["time"].endswith("Z")
    run("undo", town)
    assert len(run(*ask)["assets"][0]["history"]) == 1
    assert run("tunnel", "status", town, "--id", "valve:JS2", "--to", "abandoned", "--by", "x")["assets"]
    assert run("tunnel", "status", town, "--id", "node:nothing", code=2)["error"]["code"] == "tunnel.asset_unknown"
    assert run("tunnel", "status", town, "--id", "JS2", code=2)["error"]["code"] == "tunnel.asset_ambiguous"
    assert run("verify", town)["ok"]


def test_states_are_worded_in_both_languages() -> None:
    add_folder(I18N)
    error = PlannerError("tunnel.status_wrong", id="GX1", **worded(was="in_use", now="planned"))
    assert word_error(error)[0] == "GX1 is in use and cannot become planned."
    set_language("zh_CN")
    assert word_error(error)[0] == "GX1 当前为 在用，不能改为 规划。"


def test_search_by_code_and_chainage(run, town: Path) -> None:
    def found(text: str) -> list[str]:
        return [one["id"] for one in run("tunnel", "assets", town, "--find", text)["found"]]

    assert found("JS2") == ["node:JS2", "valve:JS2", "line:JS2-JS3", "line:JS1-JS2"]
    assert found("line:js1") == ["line:JS1-JS2"]
    assert found("滨江") == ["tunnel:GL01"]
    assert found("100%_") == []
    for text in ("GL01 K1+250", "K1+250 GL01", "gl01 1+250.0", "GL01-02 K1250", "k1+250"):
        place = run("tunnel", "assets", town, "--find", text)["found"]
        assert [(one["code"], one["m"], one["xy"]) for one in place] == [("GL01", 1250.0, [509_250.0, 2_944_100.0])]
    outside = run("tunnel", "assets", town, "--find", "GL01 K9+000", code=2)
    assert outside["error"]["code"] == "tunnel.chainage_outside"


def test_statistics(run, town: Path) -> None:
    data = run("tunnel", "assets", town)
    assert (data["tunnel_km"], data["lines"]) == (pytest.approx(2.0), 3)
    assert data["line_km"] == pytest.approx(0.21)
    kinds = {one["key"]: round(one["km"], 3) for one in data["by_kind"]}
    assert kinds == {"JS": 0.16, "WS": 0.05}
    assert {one["key"]: one["lines"] for one in data["by_material"]} == {"球墨铸铁": 1, "PE": 1, "混凝土": 1}
    assert sum(one["lines"] for one in data["by_age"]) == 3
    assert data["states"]["in_use"] == 4
    assert data["counts"]["valve"] == 1


@pytest.mark.parametrize(
    ("texts", "kind"),
    [(["JS"], "JS"), (["给水管线"], "JS"), (["雨污合流"], "HS"), (["", "燃气管点"], "RQ"), (["Sheet1", "WS23"], "WS"),
     (["2DX5"], "TX"), (["再生水"], "ZS"), (["Sheet1"], ""), (["sewer"], "WS"), (["stormwater"], "YS")],
)  # fmt: skip
def test_kinds_by_what_surveys_write(texts: list[str], kind: str) -> None:
    assert cjj61.kind_of(*texts) == kind


def test_colours_are_those_of_annex_b() -> None:
    assert [cjj61.colour_of(kind) for kind in ("JP", "WS", "TR", "RS", "GD", "DS", "QQ", "?")] == [
        "#00FFFF", "#4C3926", "#FF00FF", "#FF8000", "#FF0000", "#00FF00", "#000000", "#6600CC",
    ]  # fmt: skip


def test_renaming_and_deleting_take_along_what_hangs_on_an_asset(run, town: Path) -> None:
    with Project.open(town) as project:
        rows = {code: int(fid) for fid, code in zip(*_codes(project, "net_line"), strict=True)}
        nodes = {code: int(fid) for fid, code in zip(*_codes(project, "net_node"), strict=True)}
        with pytest.raises(PlannerError, match=r"tunnel\.asset_used"):
            project.execute(DeleteAssets("net_node", [nodes["JS2"]]))
        with pytest.raises(PlannerError, match=r"tunnel\.code_taken"):
            project.execute(EditAsset("net_node", nodes["JS2"], {"code": "JS3"}))
        with pytest.raises(PlannerError, match=r"tunnel\.code_empty"):
            project.execute(EditAsset("net_node", nodes["JS2"], {"code": " "}))
        project.execute(EditAsset("net_node", nodes["JS2"], {"code": "JS2A", "ground_z": 5.0}))
        ends = project.read("net_line", columns=["from_node", "to_node"], geometry=False).columns
        assert ends == {"from_node": ["JS1", "JS2A", "WS1"], "to_node": ["JS2A", "JS3", "WS2"]}
        assert project.read("valve", columns=["node"], geometry=False).columns["node"] == ["JS2A"]
        project.undo()
        assert project.read("valve", columns=["node"], geometry=False).columns["node"] == ["JS2"]
        project.execute(DeleteAssets("net_line", [rows["JS1-JS2"], rows["JS2-JS3"]]))
        project.execute(DeleteAssets("valve", [1]))
        project.execute(DeleteAssets("net_node", [nodes["JS2"]]))
        for _ in range(3):
            project.undo()
        assert project.count("net_line") == 3
        assert_whole(project)


def _codes(project: Project, table: str) -> tuple[list[int], list[str]]:
    found = project.read(table, columns=["code"], geometry=False)
    return list(found.fids), found.columns["code"]
