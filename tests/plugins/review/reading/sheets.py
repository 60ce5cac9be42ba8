"""Drawings made by hand with ezdxf and read back through the product's own reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ezdxf

from plugins.review.model.drawing.dxf import read_dxf
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.reading.convention import load_conventions
from plugins.review.model.reading.site_plan import read_site_plan
from plugins.review.model.reading.types import ReadingOptions, Role, SitePlan

CONVENTIONS = load_conventions(None)
Point = tuple[float, float]


class Sheet:
    """A DXF under construction. ``scale``: drawing units per metre; every length is given in metres."""

    def __init__(self, units: int = 6, scale: float = 1.0, at: Point = (0.0, 0.0)) -> None:
        self.doc: Any = ezdxf.new("R2010", setup=True)
        self.doc.header["$INSUNITS"] = units
        self.space: Any = self.doc.modelspace()
        self.scale, self.at = scale, at

    def xy(self, points: Sequence[Point]) -> list[Point]:
        return [((x + self.at[0]) * self.scale, (y + self.at[1]) * self.scale) for x, y in points]

    def ring(self, layer: str, points: Sequence[Point], *, close: bool = True, z: float = 0.0, into: Any = None) -> str:
        made = (into or self.space).add_lwpolyline(self.xy(points), close=close, dxfattribs={"layer": layer})
        made.dxf.elevation = z * self.scale
        return str(made.dxf.handle)

    def box(self, layer: str, x: float, y: float, w: float, h: float, **how: Any) -> str:
        return self.ring(layer, corners(x, y, w, h), **how)

    def line(self, layer: str, a: Point, b: Point) -> str:
        p, q = self.xy([a, b])
        return str(self.space.add_line(p, q, dxfattribs={"layer": layer}).dxf.handle)

    def text(self, layer: str, words: str, at: Point, size: float = 2.5, turn: float = 0.0) -> str:
        made = self.space.add_text(words, height=size * self.scale, rotation=turn, dxfattribs={"layer": layer})
        made.set_placement(self.xy([at])[0])
        return str(made.dxf.handle)

    def mtext(self, layer: str, words: str, at: Point, size: float = 2.5) -> str:
        made = self.space.add_mtext(
            words.replace("\n", "\\P"), dxfattribs={"layer": layer, "char_height": size * self.scale}
        )
        made.set_location(self.xy([at])[0])
        return str(made.dxf.handle)

    def dimension(self, layer: str, a: Point, b: Point, text: str = "<>") -> str:
        p, q = self.xy([a, b])
        made = self.space.add_aligned_dim(p1=p, p2=q, distance=2 * self.scale, text=text, dxfattribs={"layer": layer})
        made.render()
        return str(made.dimension.dxf.handle)

    def hatch(self, layer: str, *rings: Sequence[Point]) -> str:
        made = self.space.add_hatch(color=3, dxfattribs={"layer": layer})
        for points in rings:
            made.paths.add_polyline_path(self.xy(points), is_closed=True)
        return str(made.dxf.handle)

    def freeze(self, layer: str) -> None:
        (self.doc.layers.get(layer) if layer in self.doc.layers else self.doc.layers.add(layer)).freeze()

    def drawing(self) -> Drawing:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "sheet.dxf"
            self.doc.saveas(path)
            return read_dxf(path)

    def read(self, **options: Any) -> SitePlan:
        return read(self.drawing(), **options)


def read(drawing: Drawing, parcel_area: float | None = None, **options: Any) -> SitePlan:
    return read_site_plan(drawing, ReadingOptions(**options), conventions=CONVENTIONS, parcel_area=parcel_area)


def corners(x: float, y: float, w: float, h: float) -> list[Point]:
    return [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]


def area(plan: SitePlan, role: Role, kind: str | None = None) -> float:
    return sum(one.geometry.area for one in plan.of(role) if kind is None or one.kind == kind)


def kinds(plan: SitePlan) -> list[str]:
    return [repair.kind for repair in plan.repairs]


def codes(plan: SitePlan) -> list[str]:
    return [code for code, _ in plan.notes]


def small_plan(sheet: Sheet | None = None) -> Sheet:
    """A site of 120 × 80 m with two buildings, green, parking and a table: what most tests start from."""
    made = sheet or Sheet()
    made.box("YDHX-用地红线", 0, 0, 120, 80)
    made.box("JZJD-1#-建筑基底", 10, 10, 40, 15)
    made.box("JZJD-2#-建筑基底", 70, 40, 30, 20)
    made.box("LD-集中绿地", 10, 60, 30, 12)
    made.box("LD-宅旁绿地", 10, 30, 20, 5)
    for k in range(6):
        made.box("TCW-停车位", 60 + 2.5 * k, 5, 2.5, 5.3)
    made.text("WZ-文字", "1号楼 18F/-1F H=54.30m 住宅", (12, 16))
    made.text("WZ-文字", "2号楼 3F H=12.60m 商业", (72, 50))
    made.mtext("JJZB-经济技术指标表", "经济技术指标表\n用地面积：9600.00㎡\n容积率：1:1.40\n绿地率：30.5%", (140, 70))
    return made
