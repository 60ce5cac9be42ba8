"""Lines of a utility design: kind by the layer, diameter by the text beside them; ticks and wells are none."""

from __future__ import annotations

from pathlib import Path

import ezdxf
import pytest

from plugins.review.model.drawing.intake import read_drawing
from plugins.review.model.reading.convention import load_conventions
from plugins.review.model.reading.pipes import diameter, level
from plugins.review.model.reading.site_plan import read_site_plan
from plugins.review.model.reading.types import Role
from tests.plugins.review.drawings import EAST, NORTH, write_plan


@pytest.mark.parametrize(
    ("text", "size"),
    [("DN300", 300), ("ｄ８００ i=0.003", 800), ("φ110", 110), ("1200×800", 1200), ("De63", 63), ("L=300", None),
     ("road300", None), ("GX-JS-DN200", 200)],
)  # fmt: skip
def test_diameters(text: str, size: int | None) -> None:
    assert diameter(text) == size


@pytest.mark.parametrize(
    ("layer", "kind"),
    [("GX-JS", "JS"), ("GX_给水", "JS"), ("给水管线", "JS"), ("室外污水管", "WS"), ("雨水", "YS"), ("RQ-GX", "RQ"),
     ("中水管", "ZS"), ("热力管道", "RL"), ("电力管线", "DL"), ("通信管", "TX"), ("管线综合图框", None),
     ("给排水说明", None)],
)  # fmt: skip
def test_layers(layer: str, kind: str | None) -> None:
    match = load_conventions(None)["bureau"].match(layer)
    assert (match.kind if match is not None and match.role is Role.PIPE else None) == kind


def test_pipes_of_a_drawing(tmp_path: Path) -> None:
    path = write_plan(tmp_path / "plan.dxf")
    document = ezdxf.readfile(path)
    space = document.modelspace()

    def at(x: float, y: float) -> tuple[float, float]:
        return EAST + x, NORTH + y

    space.add_lwpolyline([at(0, 10), at(60, 10), at(60, 35)], dxfattribs={"layer": "GX-JS"})
    space.add_text("DN300", height=1.5, dxfattribs={"layer": "标注"}).set_placement(at(20, 11))
    space.add_text("DN999", height=1.5, dxfattribs={"layer": "标注"}).set_placement(at(20, 40))
    space.add_line(at(0, 5), at(110, 5), dxfattribs={"layer": "污水管线"})
    space.add_line(at(0, 5), at(0.2, 5.2), dxfattribs={"layer": "污水管线"})  # a tick
    space.add_circle(at(10, 5), 0.5, dxfattribs={"layer": "污水管线"})  # a well
    document.saveas(path)
    plan = read_site_plan(read_drawing(path), conventions=load_conventions(None))
    pipes = plan.of(Role.PIPE)
    assert [(one.kind, one.value, round(one.geometry.length, 2)) for one in pipes] == [
        ("JS", 300.0, 85.0), ("WS", None, 110.0),
    ]  # fmt: skip
    assert plan.convention == "bureau"


@pytest.mark.parametrize(
    ("text", "found"),
    [("管底标高 3.52", (3.52, "invert")), ("管内底：-1.20m", (-1.2, "invert")), ("管顶高程=4.05", (4.05, "top")),
     ("DN400 管中心标高2.5", (2.5, "axis")), ("管外底 3", (3.0, "bottom")), ("地面标高 5.20", None), ("H=1.5", None),
     ("标高 3.52", None), ("管底", None), ("管顶覆土 0.7", None)],
)  # fmt: skip
def test_levels_as_written(text: str, found: tuple[float, str] | None) -> None:
    assert level(text) == found


def test_levels_of_a_drawing(tmp_path: Path) -> None:
    """Z of 3D polylines and lines, in the drawing's unit; ends at zero were not measured; texts at the ends."""
    path = write_plan(tmp_path / "plan.dxf")
    document = ezdxf.readfile(path)
    space = document.modelspace()

    def at(x: float, y: float, *z: float) -> tuple[float, ...]:
        return EAST + x, NORTH + y, *z

    layer = {"layer": "GX-JS"}
    space.add_polyline3d([at(0, 10, 3.1), at(30, 10, 2.9), at(60, 10, 2.6)], dxfattribs=layer)
    space.add_line(at(0, 20, 0), at(60, 20, 1.5), dxfattribs=layer)
    space.add_line(at(0, 30), at(60, 30), dxfattribs=layer)
    space.add_lwpolyline([at(0, 40), at(60, 40)], dxfattribs=layer)
    for x, text in ((0.5, "管顶 2.00"), (59.0, "管底 1.00"), (30.0, "管顶 9.99")):
        space.add_text(text, height=1.0, dxfattribs={"layer": "标注"}).set_placement(at(x, 41))
    block = document.blocks.new("B")
    block.add_polyline3d([(0, 0, 1.0), (20, 0, 2.0)], dxfattribs=layer)
    space.add_blockref("B", at(0, 50, 0.5))
    document.saveas(path)
    pipes = read_site_plan(read_drawing(path), conventions=load_conventions(None)).of(Role.PIPE)
    found = {round(one.geometry.bounds[1] - NORTH): (one.levels, one.level_ref, one.level_from) for one in pipes}
    assert found == {
        10: ((3.1, 2.6), "", "curve"),
        20: ((None, 1.5), "", "curve"),
        30: ((None, None), "", ""),
        40: ((2.0, None), "top", "text"),  # what the other end says speaks of something else
        50: ((1.5, 2.5), "", "curve"),
    }
