"""``planner tunnel services``: what ends in a parcel, crosses it, or lies in its street."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project
from tests.plugins.tunnel.assets.surveys import EAST, NORTH, write_csv


@pytest.fixture
def street(run, file: Path, tmp_path: Path) -> Path:
    """A street along y = 0 with a water main, a service into 甲, a sewer that crosses 乙, old gas, power far off."""
    rows: list[list[object]] = [["物探点号", "连接点号", "X", "Y", "管径", "使用状态"]]

    def line(
        a: str, b: str, start: tuple[float, float], end: tuple[float, float], dn: int, state: str = "在用"
    ) -> None:
        rows.append([a, b, NORTH + start[1], EAST + start[0], dn, state])
        rows.append([b, a, NORTH + end[1], EAST + end[0], dn, state])

    line("JS1", "JS2", [0, 0], [50, 0], 300)
    line("JS2", "JS3", [50, 0], [100, 0], 300)
    line("JS2", "JS4", [50, 0], [50, 15], 100)
    line("WS1", "WS2", [80, -10], [80, 60], 400)
    line("RQ1", "RQ2", [0, -5], [100, -5], 200, "废弃")
    line("DL1", "DL2", [0, -90], [100, -90], 100)
    run("tunnel", "import", file, write_csv(tmp_path / "s.csv", rows))
    boxes = {"甲-01": (40, 10, 60, 40), "乙-02": (70, 10, 90, 40), "丙-03": (500, 500, 520, 520)}
    shapes = [shapely.box(EAST + a, NORTH + b, EAST + c, NORTH + d) for a, b, c, d in boxes.values()]
    fields = (FieldInfo("地块编号", "text"),)
    point = (FieldInfo("code", "text"), FieldInfo("line", "text"), FieldInfo("network", "text"),
             FieldInfo("customer_count", "integer"))  # fmt: skip
    with Project.open(file) as project:
        project.add_layer(
            NewLayer("地块", "polygon", fields), [Batch(shapely.to_wkb(shapes), {"地块编号": list(boxes)})]
        )
        where = [bytes(shapely.to_wkb(shapely.points(EAST + 50, NORTH + 20)))]
        cells = {"code": ["YH1"], "line": ["JS2-JS4"], "network": ["s"], "customer_count": [32]}
        project.add_layer(NewLayer("用户点", "point", point, role="tunnel.service_point"), [Batch(where, cells)])
    return file


def test_services_of_parcels(run, street: Path) -> None:
    def found(parcel: str) -> tuple[list[tuple[str, str, str]], list[str]]:
        data = run("tunnel", "services", street, "--parcel", parcel)
        return [(one["kind"], one["how"], one["code"]) for one in data["services"]], data["missing"]

    first, lacking = found("甲-01")
    assert first == [("JS", "served", "JS2-JS4"), ("JS", "street", "JS1-JS2"), ("WS", "street", "WS1-WS2")]
    assert lacking == ["YS", "RQ", "DL", "TX"]
    second, _ = found("乙-02")
    assert second == [("JS", "street", "JS2-JS3"), ("WS", "crossing", "WS1-WS2")]
    assert found("丙-03") == ([], ["JS", "WS", "YS", "RQ", "DL", "TX"])
    data = run("tunnel", "services", street, "--parcel", "甲-01", "--reach", 200)["services"]
    assert [(one["kind"], one["customers"], round(one["distance_m"], 1)) for one in data] == [
        ("JS", 32, 0.0), ("JS", 0, 10.0), ("WS", 0, 20.0), ("DL", 0, 100.0),
    ]  # fmt: skip
    error = run("tunnel", "services", street, "--parcel", "戊", code=2)["error"]
    assert error["code"] == "tunnel.parcel_unknown"
