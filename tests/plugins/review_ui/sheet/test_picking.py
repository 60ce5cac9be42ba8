"""What lies under a pixel, and what is said of it."""

from __future__ import annotations

from plugins.review.ui.sheet.pick import pick, snap
from plugins.review.ui.sheet.scene import build_scene
from plugins.review.ui.sheet.sheet_view import describe
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, drawing, entity, hatch, square


def test_the_nearest_line_wins_then_the_smallest_area() -> None:
    x, y = EAST, NORTH
    scene = build_scene(
        drawing(
            [
                entity("1", "LWPOLYLINE", "A", square(x, y, 50), closed=True),
                entity("2", "LWPOLYLINE", "A", square(x + 10, y + 10, 10), closed=True),
                hatch("3", "B", square(x + 60, y, 20), square(x + 65, y + 5, 10)),
                entity("4", "LINE", "A", [(x + 30, y - 5), (x + 30, y + 55)]),
            ]
        )
    )
    shown = scene.shown(frozenset())

    def at(px: float, py: float) -> str:
        found = pick(scene, shown, x + px, y + py, 1.0)
        return "" if found is None else scene.handles[found]

    assert at(30.6, 25) == "4"
    assert at(15, 15) == "2"
    assert at(5, 40) == "1"
    assert at(62, 10) == "3"
    assert at(70, 10) == ""  # its hole
    assert at(90, 90) == ""
    assert snap(scene, shown, x + 10.4, y + 19.7, 1.0) == (x + 10, y + 20)
    assert snap(scene, shown, x + 40, y + 40, 1.0) is None
    assert pick(scene, scene.shown(frozenset({"A"})), x + 15, y + 15, 1.0) is None


def test_the_description_measures_in_metres() -> None:
    line = entity("7", "LINE", "轴线", [(0, 0), (3000, 4000)])
    assert describe(line, 0.001).endswith("5.000 m")
    assert "“高度 H=18”" in describe(entity("8", "TEXT", "T", [(0, 0)], text="高度\nH=18", size=2.0), 1.0)
