"""How marks are painted and hit."""

from __future__ import annotations

from typing import Any

import pytest
import shapely
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

from plugins.review.model.cases.records import MARKUPS, Markup
from plugins.review.ui.sheet.markup import shapes
from plugins.review.ui.sheet.markup.painting import paint_mark
from plugins.review.ui.sheet.markup.shapes import Drawn, outline
from plugins.review.ui.sheet.markup.strip import Palette, kinds
from tests.plugins.review_ui.sheet.desk import Desk
from tests.plugins.review_ui.sheet.hand import Hand


@pytest.mark.parametrize("kind", MARKUPS)
def test_every_kind_is_painted_hit_and_bounded(kind: str) -> None:
    points = ((10.0, 10.0), (60.0, 40.0), (20.0, 60.0))
    mark = Markup("m", "c", kind, points, text="审查", author="小王", time="2026-11-20T00:00:00Z")
    drawn = Drawn(mark, shapes.corners(points[:2]) if kind in shapes.CORNERED else points, "12.00 m")

    def to_screen(x: float, y: float) -> tuple[float, float]:
        return x * 3 + 60, 360 - y * 3

    image = QImage(400, 400, QImage.Format.Format_RGB32)
    image.fill(QColor("#FFFFFF"))
    painter = QPainter(image)
    shape = paint_mark(painter, drawn, to_screen, selected=True)
    painter.end()
    red = [
        (x, y) for x in range(0, 400, 2) for y in range(0, 400, 2)
        if QColor(image.pixel(x, y)).red() - QColor(image.pixel(x, y)).blue() > 90
    ]  # fmt: skip
    assert red
    around = shape.bounds.adjusted(-14, -14, 14, 14)
    assert all(around.contains(QPointF(x, y)) for x, y in red)
    inked = next(box.center() for box in shape.boxes) if shape.boxes else shape.path.pointAtPercent(0.3)
    assert shape.hit(inked)
    assert not shape.hit(QPointF(395, 395))


def test_a_cloud_has_the_same_bumps_at_every_zoom_and_bulges_outwards() -> None:
    mark = Markup("m", "c", "cloud", ((0.0, 0.0), (40.0, 20.0)))
    counts = []
    for scale in (1.0, 7.0):
        shape = outline(Drawn(mark, shapes.corners(mark.points)), lambda x, y, s=scale: (x * s, -y * s))  # type: ignore[misc]
        counts.append(shape.path.elementCount())
        inner = shapely.box(0, -20 * scale, 40 * scale, 0)
        bounds = shape.path.boundingRect()
        assert bounds.left() < 0
        assert bounds.right() > inner.bounds[2]
    assert counts[0] == counts[1]


def test_records_of_others_do_not_break_the_picture() -> None:
    """No points, an unknown kind, a colour that is none, a width out of range."""
    image = QImage(100, 100, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    for kind, points, style in (
        ("cloud", (), {}),
        ("hologram", ((1.0, 1.0), (5.0, 5.0)), {"colour": "reddish", "width": "thick", "size": -3}),
        ("callout", ((1.0, 1.0),), {"width": 1e9}),
        ("dimension", ((1.0, 1.0),), {"size": float("nan")}),
        ("arrow", ((1.0, 1.0), (1.0, 1.0)), {}),
        ("polygon", ((1.0, 1.0),), {}),
        ("cloud", ((5.0, 5.0),) * 4, {}),
    ):
        paint_mark(painter, Drawn(Markup("m", "c", kind, points, style=style), points), lambda x, y: (x, y))
    painter.end()


def test_the_palette_follows_the_board(hand: Hand, desk: Desk, qtbot: Any) -> None:
    palette = Palette(desk.context, hand.board)  # type: ignore[arg-type]
    qtbot.addWidget(palette)
    assert {kind for kind, _, _ in kinds()} == {"select", *MARKUPS}
    palette.tools["cloud"].click()
    assert (hand.board.active, hand.board.kind) == (True, "cloud")
    assert palette.tools["cloud"].isChecked()
    palette.colours["#1F5FAE"].click()
    hand.drag((10, 50), (30, 70))
    assert hand.marks[-1].style["colour"] == "#1F5FAE"
    assert not palette.bin.isEnabled()
    hand.use("select")
    hand.click(10, 50)
    assert palette.bin.isEnabled()
    palette.widths[4].click()
    assert hand.marks[-1].style["width"] == 4
    palette.bin.click()
    assert hand.marks == []
    hand.board.stop()
    assert not any(knob.isChecked() for knob in palette.tools.values())
