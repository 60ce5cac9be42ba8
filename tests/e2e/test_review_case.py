"""A whole case at the real window: a faulty drawing from its file to a signed opinion and on to the as-built survey."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bcf.bcfxml
import bcf.v2.model
import ezdxf
import pytest
import shapely
from ezdxf.math import Vec3
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from shapely.geometry import shape
from shiboken6 import isValid
from xsdata.models.datatype import XmlDateTime

from planner_app.i18n import tr
from planner_app.report.findings import finding_message
from plugins.review.model.cases import store
from plugins.review.model.cases.records import IssueStatus
from plugins.review.model.reading.types import Role
from plugins.review.ui import words
from plugins.review.ui.compare_dialog import AcceptDialog, AsBuiltDialog, CompareDialog
from plugins.review.ui.exchange_dialog import BcfDialog
from plugins.review.ui.intake_dialog import IntakeDialog
from plugins.review.ui.opinion_dialog import OpinionDialog
from plugins.review.ui.panel import ISSUES, RULES, TIMELINE, ReviewPanel
from plugins.review.ui.sheet.markup.strip import Palette, TextPopup
from tests.e2e.walk import LEFT, Walk, pdf_pictures, pdf_text

pytestmark = [
    pytest.mark.qgis,
    # What the offscreen platform says of menus and pop-ups.
    pytest.mark.qt_log_ignore("This plugin does not support", extend=True),
]

#: Who sits at the desk and what is written.
WORDS = {
    "zh_CN": {"user": "王敏", "note": "间距不足？", "reply": "请将 3# 后退至建筑控制线以内。"},
    "en": {"user": "J. Miller", "note": "Why here?", "reply": "Please move 3# back behind its line."},
}


class ReviewWalk(Walk):
    """At the reviewer's panel."""

    def __init__(self, desktop: Any, qtbot: Any, folder: Path | None, language: str, ask: pytest.MonkeyPatch) -> None:
        super().__init__(desktop, qtbot, folder, language)
        self._ask, self.words = ask, WORDS[language]
        self.press(self.window.rail.buttons["review"])
        self.panel: ReviewPanel = self.window.findChildren(ReviewPanel)[0]
        self.state, self.project = self.panel.state, self.session.project

    def tab(self, number: int) -> None:
        """A tab of the panel."""
        self.press_tab(self.panel.tabs, number)

    def file(self, path: Path) -> None:
        """What the file dialogs answer with."""
        self._ask.setattr(self.panel._context, "ask_open", lambda *_: path)
        self._ask.setattr(self.panel._context, "ask_save", lambda *_: path)

    def drop(self, path: Path) -> None:
        """A file dragged from the file manager onto the panel."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        copy, place = Qt.DropAction.CopyAction, QPoint(60, 300)
        keys = Qt.KeyboardModifier.NoModifier
        entering = QDragEnterEvent(place, copy, data, LEFT, keys)
        QApplication.sendEvent(self.panel, entering)
        assert entering.isAccepted()
        QApplication.sendEvent(self.panel, QDropEvent(QPointF(place), copy, data, LEFT, keys))

    def import_shown(self, picture: str, prepare: Callable[[IntakeDialog], None] | None = None) -> None:
        """Import what the intake dialog shows."""
        dialog = self.dialog(IntakeDialog)
        self.until(lambda: dialog.preview is not None and dialog.ok.isEnabled())
        if prepare is not None:
            prepare(dialog)
            self.until(lambda: dialog.ok.isEnabled() and not self.session.jobs.active())
        self.picture(picture, dialog)
        self.press(dialog.ok)
        self.until(lambda: not isValid(dialog) or not dialog.isVisible())

    def take(self, picture: str, prepare: Callable[[IntakeDialog], None] | None = None) -> None:
        """Import a site plan; it is checked at once."""
        before = self.state.checked
        self.import_shown(picture, prepare)
        self.until(lambda: self.state.checked not in (None, before) and not self.state.busy)
        self.settle()
        self.until(lambda: self.panel.sheets.overlay.ready)

    def rows(self) -> dict[str, list[str]]:
        """What the table of indicators reads, by the key of each row."""
        view = self.panel.table.table.view
        return {row.key: cells for row, cells in zip(self.state.check.rows, self.cells(view), strict=True)}


def revise(drawing: Path, revised: Path) -> None:
    """3# goes back behind its line (a fault less); 2# gets eight metres higher (a fault more)."""
    made = ezdxf.readfile(drawing)
    rings = {
        layer: shapely.Polygon([(x, y) for x, y, *_ in made.modelspace().query(f'*[layer=="{layer}"]')[0].get_points()])
        for layer in ("YDHX-用地红线", "JZJD-3#-建筑基底")
    }
    inside, edge = shapely.get_coordinates(
        shapely.shortest_line(rings["JZJD-3#-建筑基底"], rings["YDHX-用地红线"].exterior)
    )
    way = (inside - edge) / shapely.Point(inside).distance(shapely.Point(edge))
    for entity in made.modelspace():
        if "-3#" in entity.dxf.layer and entity.dxftype() == "LWPOLYLINE":
            entity.translate(float(way[0]), float(way[1]), 0.0)
    height = made.modelspace().query('DIMENSION[layer=="GD-2#"]')[0]
    height.dxf.defpoint3 += Vec3(0.0, 8.0, 0.0)
    height.dxf.discard("actual_measurement")
    made.saveas(revised)


@pytest.mark.parametrize(("language", "theme"), [("zh_CN", "light"), ("en", "dark")])
def test_review_case(
    language: str, theme: str, sample: Path, sample_folder: Path, open_window: Any, qtbot: Any,
    screenshots: Path | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("LOGNAME", WORDS[language]["user"])
    walk = ReviewWalk(open_window(sample, language, theme), qtbot, screenshots, language, monkeypatch)
    drawings = sample_folder / "sample_drawings"
    truth = json.loads((drawings / "truth.json").read_text("utf-8"))["files"]
    walk.picture("empty")
    _drop_something_else(walk, tmp_path / "notes.dxf")
    _check(walk, drawings / "02_faulty.dxf", truth["02_faulty.dxf"])
    _mark_up(walk)
    _revise(walk, drawings / "02_faulty.dxf", tmp_path / "02_faulty_B.dxf")
    _sign(walk, tmp_path / "opinion.pdf")
    _exchange(walk, tmp_path)
    _build(walk, drawings, truth["03_asbuilt.dxf"])


def _drop_something_else(walk: ReviewWalk, file: Path) -> None:
    """A file that is no drawing: a sentence says so, nothing is stored."""
    file.write_text("no drawing at all", "utf-8")
    walk.drop(file)
    dialog = walk.dialog(IntakeDialog)
    walk.until(dialog.notice.isVisible)
    walk.picture("no-drawing", dialog)
    assert any(file.name in one.text() for one in dialog.notice.findChildren(QLabel))
    assert not dialog.ok.isEnabled()
    walk.press(dialog.cancel)
    assert walk.panel.form.case_box.count() == 0


def _check(walk: ReviewWalk, drawing: Path, truth: dict[str, Any]) -> None:
    """Dropped on the panel the drawing is read, placed on the map, measured and checked against its parcel."""
    panel, state = walk.panel, walk.state
    walk.drop(drawing)
    walk.take("intake")
    assert state.case.parcel == truth["parcel"]
    (site,) = (state.opened.to_project(one.geometry) for one in state.opened.plan.of(Role.SITE))
    assert site.area == pytest.approx(truth["indicators"]["site_area_m2"], rel=1e-6)
    assert shapely.box(*walk.canvas.extent()).contains(site)
    assert panel.sheets.overlay.ready
    walk.picture("checked")
    rows = walk.rows()
    measured, declared = truth["indicators"], truth["declared"]
    for key in ("site_area_m2", "footprint_m2", "gfa_m2", "far_area_m2", "far", "density", "green_ratio"):
        factor = 100 if rows[key][4] == "%" else 1
        assert rows[key][1:3] == [f"{declared[key] * factor:,.2f}", f"{measured[key] * factor:,.2f}"]
    assert rows["height_m"][:4] == [f"{tr('Building height')} · 1#", "48.40", "55.60", "≤ 54.00"]
    assert rows["setback"][2:4] == ["9.40", "≥ 10.00"]
    failed = {(one.rule, one.feature) for one in state.findings if one.verdict.value == "fail"}
    assert {
        ("review.far_max", ""), ("review.green_ratio", ""), ("review.height", "1#"), ("review.setback", "3# E2"),
        ("review.over_build_to", "3#"),
    } <= failed  # fmt: skip


def _mark_up(walk: ReviewWalk) -> None:
    """A finding is looked at and made an issue with its cloud; a cloud and a note are drawn; a reply is written."""
    panel, state, project = walk.panel, walk.state, walk.project
    walk.tab(RULES)
    finding = next(one for one in state.findings if one.rule == "review.setback" and one.verdict.value == "fail")
    evidence = shape(finding.evidence)
    before = walk.canvas.extent()
    walk.click(walk.card(panel.rules, finding.feature))
    walk.until(lambda: walk.canvas.extent() != before)
    walk.settle()
    assert shapely.box(*walk.canvas.extent()).contains(evidence)
    (pointed,) = panel.sheets.model.highlights
    assert (pointed.token, pointed.geometry.equals(evidence)) == ("fail", True)
    middle = evidence.interpolate(0.5, normalized=True)
    walk.until(lambda: walk.is_red(middle.x, middle.y))
    walk.picture("finding")
    walk.press(walk.knobs(walk.card(panel.rules, finding.feature))[0])
    walk.until(lambda: len(store.issues(project)) == 1)
    (cloud,) = store.markups(project)
    assert shapely.box(*cloud.points[0], *cloud.points[1]).contains(evidence)
    walk.tab(ISSUES)
    walk.picture("issue")

    palette = walk.window.findChildren(Palette)[0]
    assert not palette.isVisible()
    walk.press(panel.sheets._bar.marking)
    walk.press(palette.tools["cloud"])
    x, y = evidence.centroid.coords[0]
    walk.drag_map((x - 30, y - 12), (x - 12, y + 4))
    walk.until(lambda: len(store.markups(project)) == 2)
    assert store.markups(project)[1].points[0] == pytest.approx((x - 30, y - 12), abs=walk.canvas.viewport.resolution)
    walk.until(lambda: walk.is_red(x - 30, y - 12))
    walk.press(palette.tools["callout"])
    walk.drag_map((x - 12, y), (x - 8, y + 15))
    walk.until(lambda: isinstance(QApplication.activePopupWidget(), TextPopup))
    popup = QApplication.activePopupWidget()
    walk.write(popup.edit, walk.words["note"])
    QTest.keyClick(popup.edit, Qt.Key.Key_Return)
    walk.until(lambda: [one.text for one in store.markups(project)] == ["", "", walk.words["note"]])
    walk.picture("marked")
    walk.press(panel.sheets._bar.marking)

    assert not panel.bar.isVisible()
    walk.click(walk.card(panel.issues, "#1"))
    walk.until(panel.bar.isVisible)
    walk.type(panel.bar.text, walk.words["reply"])
    QTest.keyClick(panel.bar.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    walk.until(lambda: [one.text for one in store.comments(project)][1:] == [walk.words["reply"]])
    walk.until(lambda: walk.says(panel.issues, walk.words["reply"]))
    walk.picture("replied")


def _revise(walk: ReviewWalk, drawing: Path, revised: Path) -> None:
    """The next revision: offered as such, issues carried over, compared on map and sheet."""
    panel, state = walk.panel, walk.state
    revise(drawing, revised)
    walk.file(revised)
    walk.press(panel.form.import_)
    walk.take("intake-revision")
    assert (state.record.revision, state.record.title) == (2, "02_faulty_B")
    failed = {(one.rule, one.feature) for one in state.findings if one.verdict.value == "fail"}
    assert ("review.height", "2#") in failed
    assert not {("review.setback", "3# E2"), ("review.over_build_to", "3#")} & failed
    assert walk.rows()["height_m"][2] == "56.40"
    (issue,) = store.issues(walk.project)
    assert (issue.drawing_id, issue.anchor_state) == (state.record.id, "moved")
    walk.tab(ISSUES)
    walk.picture("revision")
    walk.menu(panel.form.more, tr("Compare revisions…"))
    dialog = walk.dialog(CompareDialog)
    walk.picture("compare", dialog)
    walk.press(dialog.ok)
    walk.until(lambda: state.comparison is not None)
    walk.until(lambda: panel.sheets.model.comparison is not None)
    walk.picture("compared")
    cells = walk.cells(panel.diff.table.view)
    assert cells[0][:3] == [tr("Issue"), tr("moved"), f"#1 {issue.title}"]
    heights = next(row for row in cells if row[0] == tr("Indicator"))
    assert heights[2:5] == [tr("Building height"), "55.60", "56.40"]
    # 3# in its place: outline, 16 storeys and 30 balconies; and the height of 2#.
    assert {change.handle for change in state.comparison.diff.changed} >= {"14A", "15B"}
    assert sum("1.000" in row[5] for row in cells) == 47
    walk.press(panel.sheets._bar.sheet)
    walk.until(lambda: panel.sheets.sheet.canvas.ready)
    walk.press(panel.sheets._bar.swipe)
    walk.picture("swipe")
    walk.press(panel.sheets._bar.sheet)
    walk.press(panel.sheets._bar.end)
    walk.until(lambda: state.comparison is None)
    walk.tab(TIMELINE)
    walk.picture("timeline")


def _sign(walk: ReviewWalk, file: Path) -> None:
    """The opinion: two signatures, and a PDF that says what the screen says."""
    panel, state = walk.panel, walk.state
    walk.press(panel.form.opinion_button)
    dialog = walk.dialog(OpinionDialog)
    for name, reached in (("小王", "reviewed"), ("老李", "signed")):
        walk.until(lambda: dialog._draft is not None and dialog.ok.isEnabled())
        walk.picture(f"opinion-before-{reached}", dialog)
        walk.type(dialog._name, name)
        (sign,) = (one for one in walk.knobs(dialog) if one.text() == tr("Sign"))
        walk.press(sign)
        walk.until(lambda reached=reached: dialog._draft.state.key == reached)
    signed = [(one.role, one.name) for one in store.signoffs(walk.project)]
    assert signed == [("reviewer", "小王"), ("approver", "老李")]
    walk.until(dialog.ok.isEnabled)
    walk.file(file)
    walk.press(dialog.ok)
    walk.until(lambda: file.exists() and dialog.ok.isEnabled())
    walk.picture("opinion-written", dialog)
    walk.press(dialog.cancel)
    text = " ".join(pdf_text(file).split())
    assert pdf_pictures(file) >= 1
    for cells in walk.rows().values():
        verdict = cells[5] if cells[5] != tr("borderline, check by hand") else ""
        assert " ".join([*cells[1:4], verdict]).replace("—", "–").strip() in text
    packed = text.replace(" ", "")
    for finding in state.findings:
        if finding.verdict.value == "fail":
            assert finding_message(finding).replace(" ", "") in packed
    (issue,) = store.issues(walk.project)
    for word in (
        issue.title.split(" · ")[1],
        walk.words["reply"],
        "小王",
        "老李",
        state.case.number,
        state.record.title,
    ):
        assert word.replace(" ", "") in packed


def _exchange(walk: ReviewWalk, folder: Path) -> None:
    """BCF out, answered in another program, and back in."""
    panel, project = walk.panel, walk.project
    out, back = folder / "issues.bcf", folder / "answered.bcf"
    walk.menu(panel.form.more, tr("Exchange issues (BCF)…"))
    dialog = walk.dialog(BcfDialog)
    walk.file(out)
    walk.press(dialog.ok)
    walk.until(lambda: out.exists() and dialog.ok.isEnabled())
    walk.picture("bcf-written", dialog)
    (issue,) = store.issues(project)
    with bcf.bcfxml.load(out) as other:
        topic = other.topics[issue.id]
        assert topic.topic.title == issue.title
        assert walk.words["reply"] in [one.comment for one in topic.comments]
        assert topic.viewpoints
        topic.topic.topic_status = "Resolved"
        date = XmlDateTime.from_string("2026-12-01T08:00:00+08:00")
        said = bcf.v2.model.Comment(guid=store.new_id(), date=date, author="设计院", comment="已后退 1 m")
        topic.comments.append(said)
        other.save(back)
    walk.file(back)
    walk.press(walk.knobs(dialog)[0])
    walk.until(lambda: store.issues(project)[0].status is IssueStatus.ANSWERED)
    walk.until(dialog.ok.isEnabled)
    walk.picture("bcf-read", dialog)
    walk.press(dialog.cancel)
    walk.tab(ISSUES)
    walk.until(lambda: walk.says(panel.issues, words.issue_status("answered")))
    if not panel.bar.isVisible():
        walk.click(walk.card(panel.issues, "#1"))
    walk.until(lambda: walk.says(panel.issues, "已后退 1 m"))
    assert not walk.says(panel.issues, back.name)  # the file itself is kept, nobody said it
    walk.picture("answered")


def _build(walk: ReviewWalk, drawings: Path, truth: dict[str, Any]) -> None:
    """Another case is built: its survey against what was approved; accepted into the base map, and taken back."""
    panel, state, project = walk.panel, walk.state, walk.project
    walk.file(drawings / "03_approved.dxf")
    walk.press(panel.form.import_)
    walk.take("intake-approved", lambda dialog: walk.choose(dialog.case, 0))
    assert state.case.parcel == truth["parcel"]
    walk.menu(panel.form.more, tr("As-built check…"))
    dialog = walk.dialog(AsBuiltDialog)
    walk.picture("asbuilt-without-survey", dialog)
    walk.file(drawings / "03_asbuilt.dxf")
    walk.press(walk.knobs(dialog)[0])
    walk.import_shown("intake-survey")
    walk.until(dialog.ok.isEnabled)
    walk.picture("asbuilt-chosen", dialog)
    walk.press(dialog.ok)
    walk.until(lambda: state.built is not None)
    walk.picture("asbuilt")
    planted = {one["kind"]: one for one in truth["faults"]}
    rows = walk.cells(panel.built.table.view)
    for kind, column, value in (
        ("moved", 3, planted["moved"]["distance_m"]), ("taller", 3, planted["taller"]["more_m"] + 66.1),
    ):  # fmt: skip
        found = [row for row in rows if row[1] == planted[kind]["building"] and row[6] == tr("Fail")]
        assert any(abs(float(row[column].replace(",", "")) - value) < 0.05 for row in found)
    assert any(row[1] == planted["enlarged"]["building"] and row[6] == tr("Fail") for row in rows)

    base = next(one for one in project.layers() if one.name == "建筑")
    facts = state.built.facts
    around = facts.approved.to_project(facts.approved.plan.of(Role.SITE)[0].geometry).bounds
    before = project.read(base.id, bbox=around, columns=[]).geometry.tolist()
    walk.press(panel.built.table._actions[1])
    dialog = walk.dialog(AcceptDialog)
    walk.until(lambda: dialog.layer.count() > 0 and dialog.ok.isEnabled())
    walk.picture("accept", dialog)
    walk.press(dialog.ok)
    walk.until(lambda: state.case.status == "built")
    walk.picture("accepted")
    now = shapely.from_wkb(project.read(base.id, bbox=around, columns=[]).geometry)
    for pair in facts.pairs:
        surveyed = facts.survey.to_project(pair.built.geometry)
        assert min(surveyed.symmetric_difference(there).area for there in now) < 1e-6
    walk.press(walk.window.top.undo)
    walk.until(lambda: state.case.status == "open")
    assert project.read(base.id, bbox=around, columns=[]).geometry.tolist() == before
    walk.picture("undone")
