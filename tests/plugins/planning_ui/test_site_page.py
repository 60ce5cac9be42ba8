"""Site page: before a check, after one, when it cannot be read, and what the map and table then show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtCore import QBuffer, QByteArray, Qt
from PySide6.QtGui import QImage, QImageWriter, QPainter

from planner_app.domain.layer import LayerInfo
from planner_app.project import Project
from plugins.planning.model.control_rules import shipped_rules
from plugins.planning.ui.site_page import SitePage
from tests.helpers.panel_context import FakeContext
from tests.plugins.planning_ui.conftest import EAST, NORTH

SITE = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)


@pytest.fixture
def page(qtbot: Any, context: FakeContext) -> SitePage:
    context.rule_list = list(shipped_rules())
    made = SitePage(context)
    qtbot.addWidget(made)
    made.show()
    return made


def draw(page: SitePage, context: FakeContext, shape: object = SITE) -> None:
    page._draw.click()
    assert context.map.drawing is not None
    context.map.drawing(None if shape is None else shapely.to_wkb(shape))


def test_before_a_check_one_sentence_says_what_will_come(page: SitePage) -> None:
    assert page._before.isVisible()
    for part in (page._figures, page._cards, page._report):
        assert not part.isVisible()
    assert not page._selected.isEnabled()


def test_a_drawn_site_is_checked(page: SitePage, context: FakeContext) -> None:
    draw(page, context)
    assert page._figures._values[0].text() == "10,000"
    assert not page._before.isVisible()
    assert page._report.isVisible()
    rows = [(row.layer, row.land, round(row.area or 0.0, 3)) for row in page._model.rows if row.line < 0]
    assert ("土规", "0101 Paddy field", 10000.0) in rows
    assert any(layer == "总规" and land.startswith("070102") and area == 10000.0 for layer, land, area in rows)
    # No control line is in the project: nothing can be judged, nothing is called a pass.
    verdicts = {row.verdict for row in page._model.rows if row.line >= 0}
    assert verdicts == {"cannot_judge"} or "pass" not in verdicts
    assert len(context.map.overlays) == 1
    assert context.map.shown[-1] == SITE.bounds


def test_escape_leaves_everything_as_it_was(page: SitePage, context: FakeContext) -> None:
    page._draw.click()
    assert page._notice.isVisible()
    assert context.map.drawing is not None
    context.map.drawing(None)
    assert not page._notice.isVisible()
    assert page._before.isVisible()


def test_selected_polygons_are_the_site(
    page: SitePage, context: FakeContext, plans: tuple[LayerInfo, LayerInfo]
) -> None:
    context.selection.set(plans[0].id, [1, 2])
    assert page._selected.isEnabled()
    page._selected.click()
    assert page._check is not None
    assert page._check.site_area == pytest.approx(15_000.0, abs=1e-6)


def test_a_file_that_is_no_red_line_is_said_in_the_panel(page: SitePage, context: FakeContext, tmp_path: Path) -> None:
    context.answer = tmp_path / "broken.geojson"
    context.answer.write_text("{}", encoding="utf-8")
    page._open.click()
    assert page._check is None
    assert page._notice.isVisible()
    assert page._notice.property("look") == "notice-error"


def test_purpose_is_checked_again(page: SitePage, context: FakeContext) -> None:
    draw(page, context)
    first = page._check
    page._purpose.setCurrentIndex(1)
    page._purpose.activated.emit(1)
    assert page._check is not first
    assert page._check is not None


def test_the_red_line_is_drawn_on_the_map(page: SitePage, context: FakeContext) -> None:
    draw(page, context)
    image = QImage(120, 120, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    context.map.overlays[0](painter, lambda x, y: (x - EAST + 10, 110 - (y - NORTH)))
    painter.end()
    edge = [image.pixelColor(x, 10).name() for x in range(10, 110)]
    assert "#d7263d" in edge
    assert image.pixelColor(60, 60).name() == "#ffffff"


def test_another_project_forgets_the_site(page: SitePage, context: FakeContext) -> None:
    draw(page, context)
    context.project_changed.emit()
    assert page._check is None
    assert context.map.overlays == []
    assert page._before.isVisible()


def test_report_of_the_site(page: SitePage, context: FakeContext, tmp_path: Path, project: Project) -> None:
    draw(page, context)
    context.answer = tmp_path / "site.xlsx"
    page._report.click()
    assert context.answer.stat().st_size > 1000
    west, south, east, north = context.rendered[0]
    assert (east - west) / (north - south) == pytest.approx(1800 / 1100)


def test_the_report_s_map_carries_the_red_line(page: SitePage, context: FakeContext) -> None:
    draw(page, context)
    paper = QImage(300, 300, QImage.Format.Format_RGB32)
    paper.fill(Qt.GlobalColor.white)
    blank = QBuffer()
    blank.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(blank, QByteArray(b"png")).write(paper)
    picture = page._with_site(bytes(blank.data().data()), (EAST - 100, NORTH - 100, EAST + 200, NORTH + 200))
    image = QImage.fromData(picture)
    assert image.size() == paper.size()
    assert "#d7263d" in {image.pixelColor(x, 200).name() for x in range(100, 200)}
    assert image.pixelColor(30, 30).name() == "#ffffff"
