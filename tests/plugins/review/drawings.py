"""Site plans and surveys written as DXF, on the ground of EPSG:4549; what they show can be worked out on paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ezdxf.filemanagement
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer, PlanInfo, PlanKind
from planner_app.project import Batch, Project

EAST, NORTH = 560_000.0, 3_400_000.0
"""Corner of the site, 60 km east of the central meridian near 30.7°N."""
SITE = (0.0, 0.0, 120.0, 80.0)
HOUSES = {"1号楼": (12.0, 15.0, 57.0, 30.0), "2号楼": (70.0, 40.0, 110.0, 60.0)}
STOREYS = {"1号楼": (3, 10.5), "2号楼": (6, 18.6)}
GREENS = {"集中": (10.0, 62.0, 50.0, 77.0), "宅旁": (62.0, 2.0, 118.0, 7.0)}


def write_plan(
    path: Path,
    *,
    houses: dict[str, tuple[float, float, float, float]] | None = None,
    storeys: dict[str, tuple[int, float]] | None = None,
    greens: dict[str, tuple[float, float, float, float]] | None = None,
    east: float = EAST,
    north: float = NORTH,
    note: str = "",
    declared: str = "经济技术指标表\\P用地面积：9600.00㎡\\P容积率：0.75",
) -> Path:
    """A site plan by the bureau's layers: site, footprints, floors, heights, green, a table."""
    document, space = _document()
    _ring(space, SITE, "YDHX-用地红线", east, north)
    for name, box in (HOUSES if houses is None else houses).items():
        floors, height = (STOREYS | (storeys or {}))[name]
        _ring(space, box, f"JZJD-{name}-建筑基底", east, north)
        for floor in range(1, floors + 1):
            _ring(space, box, f"MJ-{name}-F{floor:02d}-全-计容", east, north)
        _text(space, f"{name} {floors}F H={height:.2f}m", (box[0] + 2, box[1] + 5), "WZ-文字", east, north)
    for kind, box in (GREENS if greens is None else greens).items():
        _ring(space, box, f"LD-{kind}绿地", east, north)
    table = space.add_mtext(declared, dxfattribs={"layer": "JJZB-经济技术指标表", "char_height": 2.5})
    table.set_location((east + 130, north + 70))
    if note:
        _text(space, note, (2, -6), "WZ-文字", east, north)
    document.saveas(path)
    return path


def write_survey(
    path: Path,
    *,
    houses: dict[str, tuple[float, float, float, float]] | None = None,
    storeys: dict[str, tuple[int, float]] | None = None,
    greens: dict[str, tuple[float, float, float, float]] | None = None,
    east: float = EAST,
    north: float = NORTH,
) -> Path:
    """An as-built survey on CASS layers."""
    document, space = _document()
    for name, box in (HOUSES if houses is None else houses).items():
        floors, height = (STOREYS | (storeys or {}))[name]
        _ring(space, box, "JMD", east, north)
        _text(space, f"砼{floors}", (box[0] + 4, box[1] + 8), "JMD", east, north)
        _text(space, f"{name} H={height:.2f}", (box[0] + 4, box[1] + 4), "JMD", east, north)
    for box in (GREENS if greens is None else greens).values():
        _ring(space, box, "ZBTZ", east, north)
    for number, (x, y) in enumerate(((-12, -9), (134, -6), (129, 93)), start=1):
        space.add_point((east + x, north + y), dxfattribs={"layer": "KZD"})
        _text(space, f"BH{number:03d}", (x + 1.5, y), "KZD", east, north)
    document.saveas(path)
    return path


def _document() -> tuple[Any, Any]:
    document = ezdxf.filemanagement.new("R2013", setup=True)
    document.header["$INSUNITS"] = 6
    return document, document.modelspace()


def _ring(space: Any, box: tuple[float, float, float, float], layer: str, east: float, north: float) -> None:
    x0, y0, x1, y1 = box
    points = [(east + x, north + y) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
    space.add_lwpolyline(points, close=True, dxfattribs={"layer": layer})


def _text(space: Any, text: str, place: tuple[float, float], layer: str, east: float, north: float) -> None:
    made = space.add_text(text, height=2.0, dxfattribs={"layer": layer})
    made.set_placement((east + place[0], north + place[1]))


def add_zoning(project: Project, far_max: float, setback_m: float) -> str:
    """A detailed zoning plan with two parcels: the site's, with these limits, and its neighbour's; its layer."""
    fields = tuple(
        FieldInfo(name, "text" if name in ("parcel_no", "class_code") else "real")
        for name in (
            "parcel_no", "class_code", "far_max", "density_max_pct", "green_min_pct", "height_max_m", "setback_m",
        )
    )  # fmt: skip
    boxes = [(0, 0, 120, 80), (120, 0, 240, 80)]
    wkb = [shapely.to_wkb(shapely.box(EAST + a, NORTH + b, EAST + c, NORTH + d)) for a, b, c, d in boxes]
    columns = {
        "parcel_no": ["BH-01-07", "BH-01-08"], "class_code": ["070102", "090101"], "far_max": [far_max, 2.0],
        "density_max_pct": [28.0, 45.0], "green_min_pct": [8.0, 20.0], "height_max_m": [24.0, 60.0],
        "setback_m": [setback_m, 5.0],
    }  # fmt: skip
    plan = PlanInfo("detailed", PlanKind.DETAILED, "控制性详细规划")
    new = NewLayer("地块指标", "polygon", fields, plan=plan, class_field="class_code")
    return project.add_layer(new, [Batch(wkb, columns)]).id
