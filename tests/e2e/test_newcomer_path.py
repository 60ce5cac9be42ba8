"""A newcomer's path at the real window: open the sample, find a conflict, jump to it, decide, undo, print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from plugins.planning.ui.conflict_page import ConflictPage
from plugins.planning.ui.matrix_editor import MatrixEditor
from plugins.planning.ui.panel import PlanningPanel
from plugins.planning.ui.site_page import SitePage
from tests.e2e.walk import Walk, pdf_pictures, pdf_text

pytestmark = pytest.mark.qgis


class PlanningWalk(Walk):
    """At the planner's panel."""

    def __init__(self, desktop: Any, qtbot: Any, folder: Path | None, language: str) -> None:
        super().__init__(desktop, qtbot, folder, language)
        self.panel: PlanningPanel = self.window.findChildren(PlanningPanel)[0]


def shows(canvas: Any, shape: Any) -> bool:
    return bool(shapely.box(*canvas.extent()).contains(shape))


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_newcomer_path(
    language: str, sample: Path, sample_folder: Path, open_window: Any, qtbot: Any, screenshots: Path | None,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    walk = PlanningWalk(open_window(sample, language), qtbot, screenshots, language)
    page = walk.panel.pages[0]
    assert isinstance(page, ConflictPage)
    session, project = walk.session, walk.session.project
    walk.picture("opened")
    first_view = walk.canvas.extent()
    assert shows(walk.canvas, shapely.box(*project.extent("master_land_use")))
    assert page.form.a.currentText().startswith("规划用地")
    assert page.form.b.currentText().startswith("地类图斑")

    # Check: the primary button, nothing else.
    page._check.click()
    walk.until(lambda: bool(page._rows))
    walk.settle()
    result = next(layer for layer in project.layers() if layer.role == "planning.conflicts")
    assert project.count(result.id) == len(page._rows) == page._model.rowCount() > 500
    assert {"true_conflict", "boundary_sliver", "outdated_version"} <= {row.cause for row in page._rows}
    walk.picture("checked")

    # A card: its patches are selected and the map jumps to them.
    key = page._cards.keys()[1]
    page._cards.chosen.emit(key)
    walk.until(lambda: walk.canvas.extent() != first_view)
    walk.settle()
    chosen = session.selection.fids(result.id)
    assert set(chosen) == {row.fid for row in page._model.rows}
    assert 0 < len(chosen) < len(page._rows)
    shapes = shapely.from_wkb(project.read(result.id, fids=chosen).geometry)
    assert shows(walk.canvas, shapely.union_all(shapes))
    walk.picture("class-pair")
    page._cards.chosen.emit(key)

    # The legend filters by cause.
    page._bar.clicked.emit("outdated_version")
    assert {row.cause for row in page._model.rows} == {"outdated_version"}
    walk.picture("one-cause")
    page._bar.clicked.emit("outdated_version")
    assert page._model.rowCount() == len(page._rows)

    # Table to map: the third row.
    session.selection.clear()
    table = page._table
    table.view.selectRow(2)
    row = page._model.rows[table.proxy.mapToSource(table.proxy.index(2, 0)).row()]
    assert session.selection.fids(result.id) == (row.fid,)
    before = walk.canvas.extent()
    table.row_activated.emit(page._model.rows.index(row))
    walk.until(lambda: walk.canvas.extent() != before)
    walk.settle()
    shape = shapely.from_wkb(project.read(result.id, fids=[row.fid]).geometry)[0]
    assert shows(walk.canvas, shape)
    assert shape.area == pytest.approx(row.area_m2, abs=0.01)
    walk.picture("jumped")

    # Map to table: a click on the patch.
    session.selection.clear()
    assert not page._decide.isVisible()
    walk.canvas.set_tool("select")
    spot = shape.representative_point()
    walk.click_map(spot.x, spot.y)
    walk.until(lambda: session.selection.fids(result.id) == (row.fid,))
    assert table.selected_rows() == [page._model.rows.index(row)]

    # Decide with a ground; undo and redo by the window's buttons.
    page._decide.ground.setText("以总体规划为准")
    page._decide.buttons["b_yields"].click()

    def stored() -> tuple[str, str]:
        columns = project.read(result.id, fids=[row.fid], geometry=False).columns
        return columns["decision"][0] or "", columns["ground"][0] or ""

    def shown() -> tuple[str, str]:
        now = next(one for one in page._model.rows if one.fid == row.fid)
        return now.decision, now.ground

    assert stored() == shown() == ("b_yields", "以总体规划为准")
    walk.picture("decided")
    walk.window.top.undo.click()
    walk.until(lambda: shown() == ("", ""))
    assert stored() == ("", "")
    walk.picture("undone")
    walk.window.top.redo.click()
    walk.until(lambda: shown() == ("b_yields", "以总体规划为准"))
    assert stored() == shown()

    # What conflicts is a matrix to look at and change.
    seen: list[str] = []

    def look(editor: MatrixEditor) -> None:
        walk.picture("matrix", editor)
        seen.append(editor.name)

    asked = walk.answer_dialog(MatrixEditor, look)
    page.more.edit_matrix()
    walk.until(lambda: bool(asked))
    assert seen == ["default"]

    # The report, on paper and as a workbook, with the engine's map.
    report = tmp_path / f"report-{language}.pdf"
    monkeypatch.setattr(page._context, "ask_save", lambda *_: report)
    page._report.click()
    walk.until(lambda: report.exists() and not session.jobs.active())
    walk.picture("report-written")
    text = pdf_text(report)
    for word in ("规划用地", "地类图斑", "总体规划 2035", "土地利用规划 2020"):
        assert word in text
    assert pdf_pictures(report) >= 1
    book = tmp_path / "report.xlsx"
    monkeypatch.setattr(page._context, "ask_save", lambda *_: book)
    page._report.click()
    walk.until(lambda: book.exists() and not session.jobs.active())
    from openpyxl import load_workbook

    cells = {cell for sheet in load_workbook(book) for line in sheet.values for cell in line}
    assert {row.code, "以总体规划为准"} <= cells
    _check_sites(walk, language, sample_folder, shape, tmp_path, monkeypatch)


def _check_sites(
    walk: PlanningWalk, language: str, sample_folder: Path, patch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daily job: a site drawn, from a boundary-point file, from a drawing, from the selection; its report."""
    walk.panel.open(1)
    site = walk.panel.pages[1]
    assert isinstance(site, SitePage)

    def checked(start: Callable[[], None]) -> Any:
        site._check = None
        start()
        walk.until(lambda: site._check is not None)
        walk.settle()
        return site._check

    # Drawn: four corners around the middle of the patch.
    x, y = patch.representative_point().coords[0]
    corners = [(x - 30, y - 20), (x + 30, y - 20), (x + 30, y + 20), (x - 30, y + 20)]
    walk.canvas.session.settings.snapping = False

    def draw() -> None:
        site._draw.click()
        for corner in corners:
            walk.click_map(*corner)
        QTest.keyClick(walk.canvas, Qt.Key.Key_Return)

    drawn = checked(draw)
    # A pixel of the view is the hand's accuracy.
    assert drawn.site_area == pytest.approx(2400.0, abs=2 * 200 * walk.canvas.viewport.resolution + 60)
    assert drawn.lines
    assert drawn.areas
    walk.picture("site-drawn")

    # 界址点: X is north, Y east with the zone in front.
    points = tmp_path / "红线.txt"
    lines = [f"J{at},1,{north:.3f},{east:.3f}" for at, (east, north) in enumerate([*corners, corners[0]], 1)]
    head = "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n投影类型=高斯克吕格\n计量单位=米\n带号=40\n精度=0.001\n"
    points.write_text(head + "[地块坐标]\n4,0.24,1,地块一,面,,,,@\n" + "\n".join(lines) + "\n", encoding="gbk")
    monkeypatch.setattr(site._context, "ask_open", lambda *_: points)
    read = checked(site._open.click)
    assert read.site_area == pytest.approx(2400.0, abs=1e-6)
    walk.picture("site-from-points")

    drawing = sample_folder / "sample_drawings" / "01_clean.dxf"
    monkeypatch.setattr(site._context, "ask_open", lambda *_: drawing)
    planned = checked(site._open.click)
    assert planned.site_area > 10_000
    covered = sum(part.area for part in planned.areas if part.layer == "规划用地")
    assert covered == pytest.approx(planned.site_area, rel=1e-6)
    assert {card.key for card in site._cards._cards} == {str(at) for at in range(len(planned.lines))}
    walk.picture("site-from-drawing")

    selected = checked(site._selected.click)
    assert selected.site_area == pytest.approx(patch.area, rel=1e-9)

    report = tmp_path / f"site-{language}.pdf"
    monkeypatch.setattr(site._context, "ask_save", lambda *_: report)
    site._report.click()
    walk.until(lambda: report.exists() and not walk.session.jobs.active())
    walk.picture("site-report-written")
    text = pdf_text(report)
    assert "规划用地" in text
    assert f"{selected.site_area:,.2f}" in text
    assert pdf_pictures(report) >= 1
