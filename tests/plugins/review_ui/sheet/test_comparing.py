"""Two revisions on the sheet, one over the other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from plugins.review.model.revisions.diff import diff
from plugins.review.ui.sheet.model import ADDED, REMOVED, UNCHANGED
from tests.plugins.review_ui.sheet.desk import Desk, opened, pixel
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH, drawing, entity, site, square


def revised() -> Any:
    """Building 2 moved, the text gone, a line new."""
    kept = [one for one in site().entities if one.handle not in ("12", "15")]
    moved = entity("12", "LWPOLYLINE", "JZJD-2号楼", square(EAST + 65, NORTH + 12, 20), closed=True)
    new = entity("20", "LINE", "TXT", [(EAST + 5, NORTH + 70), (EAST + 45, NORTH + 70)])
    return drawing([*kept, moved, new])


def printed(made: Any) -> Any:
    """With fingerprints, as readers give them."""
    return replace(
        made,
        entities=tuple(replace(e, fingerprint=f"{e.kind}{e.points.tolist()}{e.text}") for e in made.entities),
    )


def test_two_revisions_are_laid_over_each_other(desk: Desk, sheets: Any, qtbot: Any) -> None:
    old, new = printed(site()), printed(revised())
    desk.show(new)
    sheets.compare(opened(desk.record, old), diff(old, new))
    scenes = {part: (scene, look) for scene, look, part in sheets.model.scenes(False)}

    def colour(part: str, handle: str) -> int:
        scene, look = scenes[part]
        return int(look.colour[scene.index[handle]])

    assert (colour("old", "12"), colour("new", "12")) == (REMOVED, ADDED)
    assert (colour("old", "15"), colour("new", "20")) == (REMOVED, ADDED)
    assert (colour("old", "11"), colour("new", "11")) == (UNCHANGED, UNCHANGED)
    canvas = sheets.sheet.canvas
    canvas.fit()
    qtbot.waitUntil(lambda: canvas.ready, timeout=3000)
    qtbot.wait(50)
    assert pixel(canvas, 60, 20).red() > pixel(canvas, 60, 20).green() + 40
    assert pixel(canvas, 85, 20).green() > pixel(canvas, 85, 20).red() + 20
    sheets.model.set_swipe(1.0)  # the older alone
    qtbot.wait(20)
    assert pixel(canvas, 75, 32) == QColor("#FFFFFF")
    sheets.stop_comparing()
    assert [part for *_, part in sheets.model.scenes(False)] == ["new"]


def test_the_line_between_revisions_is_dragged(desk: Desk, sheets: Any) -> None:
    sheets.compare(opened(desk.record, site()), diff(site(), site()))
    canvas = sheets.sheet.canvas
    sheets.model.set_swipe(0.5)
    start = QPoint(canvas.width() // 2, 100)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(canvas, QPoint(canvas.width() // 4, 100))
    QTest.mouseRelease(
        canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(canvas.width() // 4, 100)
    )
    assert sheets.model.comparison.swipe == pytest.approx(0.25, abs=0.01)
    sheets.toggle_swipe()
    assert sheets.model.comparison.swipe is None
    sheets.toggle_swipe()
    assert desk.context.map.tool is not None
    sheets.stop_comparing()
    assert desk.context.map.tool is None


def test_a_drawing_moved_as_a_whole_is_laid_on_the_other(desk: Desk, sheets: Any) -> None:
    from plugins.review.ui.sheet.model import make_comparison, make_shown

    by = np.array([7.0, 3.0])
    shifted = [replace(e, points=e.points + by, rings=tuple(r + by for r in e.rings)) for e in site().entities]
    old, new = make_shown(opened(desk.record, site())), make_shown(opened(desk.record, drawing(shifted)))
    found = replace(diff(site(), site()), shift=(7.0, 3.0))
    comparison = make_comparison(old, new, found)
    assert np.allclose(comparison.old.sheet.lines.xy, new.sheet.lines.xy)
