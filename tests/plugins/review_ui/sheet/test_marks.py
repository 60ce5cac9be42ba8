"""Mark-up: every kind drawn by hand on sheet and map, changed, undone, and in the same place on both."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import shapely
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter

from plugins.review.model.cases import store
from plugins.review.model.cases.commands import EditIssue, RaiseIssue
from plugins.review.model.cases.records import Comment, Issue, IssueStatus
from plugins.review.ui.sheet.markup.board import MarkBoard, read_picture
from plugins.review.ui.sheet.markup.painting import paint_marks
from tests.plugins.review_ui.sheet.desk import Desk, turned
from tests.plugins.review_ui.sheet.drawings import EAST, NORTH
from tests.plugins.review_ui.sheet.hand import Hand

# ---------------------------------------------------------------- drawing


@pytest.mark.parametrize("kind", ["cloud", "rectangle", "arrow"])
def test_two_points_by_dragging_or_by_two_clicks(hand: Hand, kind: str) -> None:
    hand.use(kind)
    hand.drag((3, 4), (10, 12), (23, 18))
    assert hand.last() == (kind, [(3, 4), (23, 18)])
    hand.click(40, 41)
    assert len(hand.marks) == 1
    hand.click(50, 55)
    assert hand.last() == (kind, [(40, 41), (50, 55)])
    mark = hand.marks[-1]
    assert (mark.surface, mark.drawing_id, mark.case_id) == ("sheet", hand.desk.record.id, hand.board.state.case.id)  # type: ignore[union-attr]
    assert (mark.author, mark.style["colour"]) == ("小王", "#C0322B")


@pytest.mark.parametrize("end", ["double click", "enter", "first point"])
def test_polygons_end_in_three_ways(hand: Hand, end: str) -> None:
    hand.use("polygon")
    for place in ((1, 41), (31, 41), (31, 61)):
        hand.click(*place)
    if end == "double click":
        hand.double_click(1, 61)
    else:
        hand.click(1, 61)
        if end == "enter":
            assert hand.key(Qt.Key.Key_Return)
        else:
            hand.click(1.5, 41.5)
    assert hand.last() == ("polygon", [(1, 41), (31, 41), (31, 61), (1, 61)])


def test_backspace_takes_the_last_point_back_and_esc_all(hand: Hand) -> None:
    hand.use("line")
    for place in ((41, 31), (45, 31), (49, 39)):
        hand.click(*place)
    assert hand.key(Qt.Key.Key_Backspace)
    hand.click(45, 36)
    hand.key(Qt.Key.Key_Enter)
    assert hand.last() == ("line", [(41, 31), (45, 31), (45, 36)])
    hand.click(70, 45)
    assert hand.tool.cancel()
    hand.key(Qt.Key.Key_Enter)
    assert len(hand.marks) == 1
    assert hand.board.kind == "line"
    assert hand.tool.cancel()  # then the tool
    assert hand.board.kind == "select"
    hand.click(45, 33)
    assert hand.board.selected
    assert hand.tool.cancel()  # then the selection
    assert not hand.board.selected
    assert not hand.tool.cancel()  # then the surface leaves the tools


def test_a_line_by_free_hand_is_thinned(hand: Hand) -> None:
    hand.use("freehand")
    hand.drag(*[(20 + n * 0.1, 20.0) for n in range(100)], *[(30.0, 20 + n * 0.1) for n in range(50)])
    kind, points = hand.last()
    assert kind == "freehand"
    assert len(points) <= 4
    assert points[0] == (20, 20)
    assert points[-1] == (30, 24.9)


def test_texts_and_callouts_are_asked_for(hand: Hand) -> None:
    hand.use("text")
    hand.words = ["消防登高面", ""]
    hand.click(10, 10)
    assert (hand.marks[-1].text, hand.last()) == ("消防登高面", ("text", [(10, 10)]))
    hand.click(20, 20)
    assert len(hand.marks) == 1  # nothing was said
    hand.use("callout")
    hand.words = ["退界不足"]
    hand.drag((30, 30), (50, 60))
    assert (hand.marks[-1].text, hand.last()) == ("退界不足", ("callout", [(30, 30), (50, 60)]))


def test_a_dimension_measures_from_vertex_to_vertex(hand: Hand) -> None:
    hand.use("dimension")
    hand.drag((29, 10.6), (60.9, 10.5))  # near two corners of the buildings
    assert hand.last() == ("dimension", [(30, 10), (60, 10)])
    assert hand.board.measured(hand.marks[-1]) == "30.00 m"
    hand.drag((29, 10.6), (60.9, 10.5), alt=True)
    assert hand.last()[1] == [(29, 10.6), (60.9, 10.5)]


def test_shift_keeps_a_line_straight(hand: Hand) -> None:
    hand.use("arrow")
    hand.drag((40, 60), (80, 62), shift=True)
    kind, points = hand.last()
    assert kind == "arrow"
    assert points[1][1] == pytest.approx(60.0)


def test_an_area_is_measured_in_square_metres_whatever_the_drawing_unit(hand: Hand, desk: Desk) -> None:
    hand.use("area")
    for place in ((0, 0), (100, 0), (100, 80), (0, 80)):
        hand.click(*place)
    hand.key(Qt.Key.Key_Return)
    assert hand.board.measured(hand.marks[-1]) == "8,000.0 m²"
    from tests.plugins.review_ui.sheet.drawings import site

    desk.show(site(), metres=0.001)
    assert hand.board.measured(hand.marks[-1]) == "0.0 m²"


def test_stamps_are_editable_and_kept_with_the_project(hand: Hand, desk: Desk) -> None:
    hand.board.stamp = hand.board.stamps()[0]
    hand.use("stamp")
    hand.click(50, 50)
    first = hand.marks[-1]
    assert (first.kind, first.text) == ("stamp", hand.board.stamps()[0][0])
    hand.board.set_stamps([("总工已阅", "#1F5FAE")])
    again = MarkBoard(hand.model, desk.state)
    assert again.stamps() == [("总工已阅", "#1F5FAE")]
    hand.click(60, 50)
    assert (hand.marks[-1].text, hand.marks[-1].style["colour"]) == ("总工已阅", "#1F5FAE")
    hand.board.set_stamps([])
    assert len(hand.board.stamps()) == 4


def test_a_photo_is_kept_in_the_project_and_shown_small(hand: Hand, desk: Desk, tmp_path: Path) -> None:
    picture = QImage(1200, 800, QImage.Format.Format_RGB32)
    picture.fill(QColor("#3366cc"))
    picture.save(str(tmp_path / "现场.png"))
    hand.use("photo")
    hand.click(10, 10)
    assert hand.marks == []  # no file was chosen
    desk.context.answer = tmp_path / "现场.png"
    hand.click(10, 10)
    mark = hand.marks[-1]
    assert desk.project.attachment(mark.attachment).name == "现场.png"
    drawn = hand.board.drawn(mark, "sheet")
    assert drawn is not None
    drawn = hand.board.drawn(mark, "sheet")  # read in the background
    assert drawn is not None
    assert drawn.thumb is not None
    assert (drawn.thumb.width(), drawn.thumb.height()) == (224, 149)
    hand.use("select")
    hand.double_click(10, 11)
    assert [photo.id for photo in hand.photos] == [mark.id]


def test_a_file_that_is_no_picture_keeps_its_pin(hand: Hand, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "fake.jpg").write_bytes(b"no picture")
    desk.context.answer = tmp_path / "fake.jpg"
    hand.use("photo")
    hand.click(10, 10)
    image = QImage(400, 400, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    paint_marks(painter, hand.board, "sheet", hand.to_screen, None)
    paint_marks(painter, hand.board, "sheet", hand.to_screen, None)
    painter.end()
    assert read_picture(b"no picture").isNull()


def test_nothing_is_drawn_without_a_case(desk: Desk) -> None:
    desk.state.case = None
    hand = Hand(desk)
    hand.use("cloud")
    assert not hand.board.active
    hand.board.kind = "cloud"
    hand.drag((1, 1), (9, 9))
    assert hand.marks == []


# ---------------------------------------------------------------- changing


def test_marks_are_moved_reshaped_deleted_and_undone(hand: Hand, desk: Desk) -> None:
    hand.use("rectangle")
    hand.drag((10, 50), (30, 70))
    hand.use("select")
    hand.drag((20, 50), (25, 52))  # by its lower side
    assert hand.last() == ("rectangle", [(15, 52), (35, 72)])
    hand.drag((35, 52), (40, 50))  # the corner that is neither of the two kept
    assert hand.last() == ("rectangle", [(15, 50), (40, 72)])
    hand.board.restyle(colour="#1F7A3D")
    assert hand.marks[-1].style["colour"] == "#1F7A3D"
    assert hand.key(Qt.Key.Key_Delete)
    assert hand.marks == []
    commands = []
    for _ in range(4):
        undone = desk.project.undo()
        assert undone is not None
        commands.append(undone.params["command"])
    hand.board.read()
    # Both drags within two seconds are one step.
    assert commands == ["review_delete_markup", "review_edit_markup", "review_edit_markup", "review_markup"]
    assert hand.marks == []
    desk.project.redo()
    hand.board.read()
    assert hand.last() == ("rectangle", [(10, 50), (30, 70)])


def test_dragging_where_there_is_no_mark_moves_the_picture(hand: Hand) -> None:
    hand.use("select")
    hand.drag((10, 10), (12, 15), (20, 30))
    assert hand.panned == [40.0, -80.0]
    assert hand.marks == []


def test_dragging_a_callouts_note_leaves_what_it_means(hand: Hand) -> None:
    hand.use("callout")
    hand.words = ["见条款"]
    hand.drag((10, 50), (40, 70))
    hand.use("select")
    hand.drag((40, 70), (50, 72))
    assert hand.last() == ("callout", [(10, 50), (50, 72)])


def test_a_text_is_edited_in_place_and_an_empty_one_goes(hand: Hand) -> None:
    hand.use("text")
    hand.words = ["旧", "新", ""]
    hand.click(10, 50)
    hand.use("select")
    hand.double_click(11, 49)
    assert hand.marks[-1].text == "新"
    assert hand.key(Qt.Key.Key_F2)
    assert hand.marks == []


def test_del_is_ours_only_while_a_mark_is_selected(hand: Hand) -> None:
    def owned(key: Qt.Key) -> bool:
        return hand.tool.owns_key(QKeyEvent(QKeyEvent.Type.ShortcutOverride, key, Qt.KeyboardModifier.NoModifier))

    assert not owned(Qt.Key.Key_Delete)
    hand.use("cloud")
    hand.drag((10, 50), (30, 70))
    hand.use("select")
    hand.click(10, 50)
    assert owned(Qt.Key.Key_Delete)
    assert not owned(Qt.Key.Key_Z)


# ---------------------------------------------------------------- map and sheet


def test_a_mark_stands_in_one_place_on_both_surfaces(desk: Desk) -> None:
    sheet = Hand(desk)
    sheet.use("cloud")
    sheet.drag((10, 10), (30, 30))
    (mark,) = sheet.marks
    on_sheet, on_map = (sheet.board.points(mark, one) for one in ("sheet", "map"))
    assert on_sheet is not None
    assert on_map is not None
    expected = shapely.get_coordinates(turned(shapely.multipoints(on_sheet)))
    assert np.allclose(on_map, expected)
    assert len(on_map) == 4  # a turned box needs its four corners
    sides = [math.dist(on_map[n], on_map[n - 1]) for n in range(4)]
    assert sides == pytest.approx([20.0] * 4)


def test_dragging_on_the_other_surface_moves_the_mark_itself(desk: Desk) -> None:
    sheet = Hand(desk)
    sheet.use("rectangle")
    sheet.drag((10, 10), (30, 30))
    corner = shapely.get_coordinates(turned(shapely.Point(EAST + 10, NORTH + 10)))[0]
    on_map = Hand(desk, "map", (float(corner[0]) - 5, float(corner[1]) - 5))
    on_map.use("select")
    east = math.cos(math.radians(30)), math.sin(math.radians(30))
    start = (5 + 6 * east[0], 5 + 6 * east[1])  # on the lower side, which runs 30° upwards
    on_map.drag(start, (start[0] + 4 * east[0], start[1] + 4 * east[1]))
    (mark,) = on_map.marks
    assert mark.surface == "sheet"
    assert np.allclose(mark.points, [(EAST + 14, NORTH + 10), (EAST + 34, NORTH + 30)])


def test_without_a_place_marks_stay_on_their_surface(desk: Desk) -> None:
    from tests.plugins.review_ui.sheet.drawings import site

    desk.show(site(), placed=False)
    hand = Hand(desk)
    hand.use("cloud")
    hand.drag((10, 10), (30, 30))
    (mark,) = hand.marks
    assert hand.board.drawn(mark, "map") is None
    assert hand.board.drawn(mark, "sheet") is not None


def test_marks_of_another_drawing_or_page_are_not_on_this_sheet(hand: Hand) -> None:
    hand.use("cloud")
    hand.drag((10, 10), (30, 30))
    mark = hand.marks[-1]
    hand.board.edit(mark.id, page=2)
    hand.model.page = 1
    assert hand.board.seen("sheet") == []
    hand.model.page = 2
    assert len(hand.board.seen("sheet")) == 1
    hand.board.edit(mark.id, drawing_id="another")
    assert hand.board.seen("sheet") == []
    assert hand.board.seen("map") == []


def test_a_mark_belongs_to_the_issue_that_is_meant(hand: Hand, desk: Desk) -> None:
    state = desk.state
    assert state.case is not None
    issue = Issue(
        store.new_id(), state.case.id, 0, "退界不足", desk.record.id, created_by="小王", created_at=store.now()
    )
    state.execute(RaiseIssue(issue, [Comment(store.new_id(), issue.id, "请核对", "小王", store.now())]))
    state.select_issue(issue.id)
    hand.board.read()
    hand.use("cloud")
    hand.drag((10, 50), (30, 70))
    mark = hand.marks[-1]
    assert mark.issue_id == issue.id
    drawn = hand.board.drawn(mark, "sheet")
    assert drawn is not None
    assert drawn.badge == "1"
    state.select_issue("")
    hand.use("select")
    hand.click(10, 50)
    assert state.issue_id == issue.id  # selecting the mark means its issue
    state.select_issue("")
    state.execute(EditIssue(issue.id, {"status": IssueStatus.CLOSED}))
    hand.board.read()
    assert hand.board.seen("sheet") == []
    state.issue_id = issue.id
    assert len(hand.board.seen("sheet")) == 1
