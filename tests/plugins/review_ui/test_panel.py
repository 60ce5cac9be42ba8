"""The task panel: from the empty project to a case with findings, issues, their thread and the timeline."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import shapely
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QLabel, QPushButton
from shapely.geometry import shape

from planner_app.project import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.records import IssueStatus
from plugins.review.ui import ACTIONS, register
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.intake_dialog import IntakeDialog
from plugins.review.ui.panel import ISSUES, RULES
from plugins.review.ui.raise_issue import RaiseDialog
from tests.plugins.review.drawings import EAST, NORTH
from tests.plugins.review_ui.conftest import Window, review_context


def fails(window: Window, rule: str = "") -> list[Any]:
    return [one for one in window.state.findings if one.verdict.value == "fail" and rule in one.rule]


def shown(window: Window, do: Any) -> list[Highlight]:
    """What is highlighted while something is done."""
    seen: list[list[Highlight]] = []
    window.state.highlight.connect(seen.append)
    do()
    window.state.highlight.disconnect(seen.append)
    return seen[-1] if seen else []


def test_an_empty_project_says_what_to_do(window: Window) -> None:
    panel = window.panel
    assert panel.before.isVisible()
    assert panel.start.isVisible()
    assert not panel.form.check_button.isEnabled()
    assert not panel.form.opinion_button.isEnabled()
    assert not panel.figures.isVisible()
    assert not panel.tabs.isVisible()
    assert "Nothing checked yet" in window.table("indicators").empty


def test_a_drawing_is_imported_placed_and_checked_at_once(checked: Window) -> None:
    state, panel = checked.state, checked.panel
    assert state.case is not None
    assert (state.case.number, state.case.parcel) == ("GA-0001", "BH-01-07")
    assert panel.form.case_box.currentText() == "总平面图 · GA-0001"
    assert panel.form.check_button.text() == "Recheck"
    counts = Counter(one.verdict.value for one in state.findings)
    figures = [label.text() for label in panel.figures._values]
    assert figures == [str(counts[key]) for key in ("fail", "pass", "needs_certificate", "cannot_judge")]
    assert panel.figures._values[0].property("look") == "figure-fail"
    assert panel.tabs.tabText(RULES) == f"Rules {len(state.findings)}"
    assert checked.table("indicators").shown > 0
    # The map went to the site.
    west, south, east, north = checked.context.map.shown[-1]
    assert (west, south, east, north) == pytest.approx((EAST, NORTH, EAST + 120, NORTH + 80))


def test_numbers_stand_side_by_side_and_lead_to_their_polygons(checked: Window) -> None:
    table, check = checked.table("indicators"), checked.state.check
    assert check is not None
    row = next(at for at, one in enumerate(check.rows) if one.key == "far")
    cells = [table.model.index(row, column).data() for column in range(6)]
    assert cells == ["Floor area ratio", "0.75", "0.71", "≤ 0.70", "", "Fail"]
    footprint = next(at for at, one in enumerate(check.rows) if one.key == "footprint_m2")
    marks = shown(checked, lambda: table.cell_clicked.emit(footprint, 2))
    assert shapely.union_all([mark.geometry for mark in marks]).area == pytest.approx(45 * 15 + 40 * 20)
    handle = checked.state.opened.plan.declared_handles["far"]
    marks = shown(checked, lambda: table.cell_clicked.emit(row, 1))
    assert [mark.handles for mark in marks] == [(handle,)]


def test_a_finding_is_zoomed_to_and_becomes_an_issue_with_a_redline(checked: Window, project: Project) -> None:
    finding = next(one for one in fails(checked, "setback") if one.evidence)
    number = checked.state.findings.index(finding)
    marks = shown(checked, lambda: checked.panel.rules._chosen(str(number)))
    assert marks[0].geometry == shape(finding.evidence)
    checked.panel.raise_issue(finding)
    checked.settle()
    issue = store.issues(project)[0]
    assert (issue.number, issue.rule, issue.finding, issue.drawing_id) == (
        1, finding.rule, finding.feature, checked.state.record.id,
    )  # fmt: skip
    assert issue.anchors.geometry is not None
    handles = {one.handle for one in checked.state.opened.drawing.entities}
    assert issue.anchors.handles
    assert set(issue.anchors.handles) <= handles
    assert all(issue.anchors.fingerprints)
    cloud = store.markups(project)[0]
    assert (cloud.kind, cloud.issue_id, cloud.surface) == ("cloud", issue.id, "map")
    (west, south), (east, north) = cloud.points
    assert shapely.box(west, south, east, north).contains(shape(finding.evidence))
    texts = [knob.text() for knob in checked.panel.rules.findChildren(QPushButton)]
    assert "Issue #1" in texts
    assert checked.panel.tabs.tabText(ISSUES) == "Issues 1"
    project.undo()
    checked.settle()
    assert store.issues(project) == store.markups(project) == []
    assert checked.panel.tabs.tabText(ISSUES) == "Issues"


def test_what_concerns_the_whole_site_gets_no_cloud(checked: Window, project: Project) -> None:
    checked.panel.raise_issue(fails(checked, "far")[0])
    assert len(store.issues(project)) == 1
    assert store.markups(project) == []


@pytest.fixture
def issue(checked: Window) -> Window:
    """An issue that is open in the panel."""
    checked.panel.raise_issue(next(one for one in fails(checked, "setback") if one.evidence))
    checked.settle()
    checked.panel.issues.cards.chosen.emit(checked.panel.issues.said[0].issue.id)
    checked.settle()
    return checked


def test_the_thread_of_an_issue(issue: Window, project: Project) -> None:
    bar, state = issue.panel.bar, issue.state
    assert bar.isVisible()
    assert not bar.send.isEnabled()
    bar.text.setPlainText("请退让。")
    bar.send.click()
    issue.settle()
    assert bar.text.toPlainText() == ""
    assert [one.text for one in store.comments(project, state.issue_id)][-1] == "请退让。"
    bar.close_issue.click()
    issue.settle()
    found = store.issues(project)[0]
    assert found.status is IssueStatus.CLOSED
    last = store.comments(project, state.issue_id)[-1]
    assert (last.kind, last.text, last.author) == ("status", "Awaiting reply → Closed", "小王")
    assert bar.close_issue.text() == "Reopen"
    assert issue.panel.tabs.tabText(ISSUES) == "Issues"
    bar.close_issue.click()
    issue.settle()
    assert store.issues(project)[0].status is IssueStatus.OPEN


def test_fields_of_an_issue_are_edited_in_its_card(issue: Window, project: Project) -> None:
    card = issue.panel.issues._shown[0]
    card.edited.emit({"assignee": "设计院"})
    issue.settle()
    issue.panel.issues._shown[0].edited.emit({"due": "2026-12-01"})
    issue.settle()
    found = store.issues(project)[0]
    assert (found.assignee, found.due) == ("设计院", "2026-12-01")
    assert [entry.command for entry in project.log()][:2] == ["review_edit_issue", "review_edit_issue"]
    issue.state.select_issue("")
    issue.settle()
    texts = [label.text() for label in issue.panel.issues._shown[0].findChildren(QLabel)]
    assert any("小王 → 设计院 · due" in text for text in texts)


def test_a_photo_is_kept_in_the_project_and_seen_in_the_thread(issue: Window, project: Project, tmp_path: Path) -> None:
    picture = QImage(800, 600, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.darkGreen)
    photo = tmp_path / "现场.png"
    assert picture.save(str(photo))
    issue.context.answer = photo
    issue.panel.bar.text.setPlainText("现场照片")
    issue.panel.bar.photo.click()
    issue.settle()
    last = store.comments(project, issue.state.issue_id)[-1]
    assert last.text == "现场照片"
    assert project.read_attachment(last.attachment) == photo.read_bytes()
    thumb = issue.panel.issues._shown[0]._thumbs[last.attachment]
    assert thumb.pixmap().width() == 160


def test_the_timeline_tells_everything_newest_first(issue: Window, project: Project) -> None:
    issue.panel.bar.text.setPlainText("请退让。")
    issue.panel.bar.send.click()
    issue.settle()
    titles = [event.title for event in issue.panel.timeline.events]
    kinds = [event.icon for event in reversed(issue.panel.timeline.events)]
    assert kinds[:2] == ["folder-open", "file-plus-2"]
    assert {"list-checks", "message-square", "reply"} <= set(kinds)
    assert any("D-0001 checked: Fail" in title for title in titles)
    times = [event.time for event in issue.panel.timeline.events]
    assert times == sorted(times, reverse=True)


def test_a_point_selected_on_the_map_opens_its_issue(issue: Window, project: Project) -> None:
    wanted = issue.state.issue_id
    issue.state.select_issue("")
    issue.panel.tabs.setCurrentIndex(RULES)
    issue.context.selection.set("review_issue", [1])
    issue.context.selection.changed.emit()
    assert issue.state.issue_id == wanted
    assert issue.panel.tabs.currentIndex() == ISSUES


def test_an_issue_by_hand_sits_where_the_selection_is(checked: Window, project: Project, zoning: str) -> None:
    checked.context.selection.set(zoning, [2])
    checked.panel.dialogs.raise_issue()
    dialog = checked.dialog(RaiseDialog)
    dialog.apply()
    assert dialog.notice.isVisible()  # no title
    dialog.title.setText("与相邻地块衔接")
    dialog.text.setPlainText("补充竖向。")
    dialog.apply()
    checked.settle()
    found = store.issues(project)[0]
    assert found.title == "与相邻地块衔接"
    assert shape(found.anchors.geometry).bounds == pytest.approx((EAST + 120, NORTH, EAST + 240, NORTH + 80))
    assert checked.state.issue_id == found.id


def test_a_reopened_project_shows_its_case_again(checked: Window, project: Project, qtbot: Any) -> None:
    again = Window(qtbot, review_context(project))
    assert again.state.case == checked.state.case
    assert again.state.opened is not None
    assert again.state.record == checked.state.record
    assert again.panel.form.check_button.isEnabled()
    assert again.panel.form.check_button.text() == "Check drawing"


def test_undoing_the_import_leaves_an_empty_panel(checked: Window, project: Project) -> None:
    project.undo()
    checked.settle()
    assert checked.state.case is None
    assert checked.state.record is None
    assert checked.panel.start.isVisible()
    assert checked.table("indicators").model.rowCount() == 0


def test_a_file_is_dropped_on_the_panel(window: Window, plan: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(plan))])
    place, copy, button = QPointF(50, 50), Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(place.toPoint(), copy, data, button, Qt.KeyboardModifier.NoModifier)
    window.panel.dragEnterEvent(enter)
    assert enter.isAccepted()
    window.panel.dropEvent(QDropEvent(place, copy, data, button, Qt.KeyboardModifier.NoModifier))
    window.settle()
    assert window.dialog(IntakeDialog).preview is not None


def test_every_action_of_the_palette_does_something(checked: Window) -> None:
    from planner_app.plugin_api.ui import UiApi

    api = UiApi("review", Path())
    register(api)
    assert [action.id for action in api.actions] == [f"review.{name}" for name, _, _ in ACTIONS]
    commands = checked.state.commands
    assert {name for name, _, _ in ACTIONS} <= set(commands)
    checked.context.answer = None
    before = store.issues(checked.project)
    for action in api.actions:
        if action.id != "review.check":
            action.handler(checked.context)
            checked.settle()
    assert checked.context.opened == ["review"] * (len(ACTIONS) - 1)
    assert store.issues(checked.project) == before


def test_nothing_is_clipped_in_either_language(checked: Window, qtbot: Any) -> None:
    from planner_app.i18n import set_language

    for language in ("zh_CN", "en"):
        set_language(language)
        again = Window(qtbot, review_context(checked.project))
        again.panel.check()
        again.settle()
        for tab in range(3):
            again.panel.tabs.setCurrentIndex(tab)
            again.settle()
            for widget in again.panel.findChildren(QPushButton) + again.panel.findChildren(QLabel):
                wraps = isinstance(widget, QLabel) and widget.wordWrap()
                if widget.isVisible() and not wraps:
                    assert widget.width() >= widget.sizeHint().width() - 1, (language, widget.text())


def test_a_failing_check_is_told_in_the_panel(checked: Window, project: Project) -> None:
    from plugins.review.model.cases.commands import SetCase

    assert checked.state.case is not None
    project.execute(SetCase(checked.state.case.id, {"permit_date": "someday"}))
    checked.settle()
    checked.panel.check()
    checked.settle()
    assert checked.panel.notice.isVisible()
    assert "someday" in checked.panel.notice._sentence.text()
    assert not checked.state.busy


def test_a_check_is_remembered_once_per_result(checked: Window, project: Project) -> None:
    from plugins.review.ui.timeline import checks_of

    assert checked.state.record is not None
    checked.panel.check()
    checked.settle()
    assert len(checks_of(project, checked.state.record.id)) == 1
