"""The marks of the case as map and sheet show them, the one that is selected, and what is done to them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader

from planner_app.i18n import tr
from plugins.review.model.cases.records import IssueStatus, Markup
from plugins.review.ui.sheet.markup.shapes import CORNERED, DEFAULT_STYLE, Drawn, Place, corners
from plugins.review.ui.sheet.model import SheetModel, map_to_sheet, sheet_to_map

if TYPE_CHECKING:
    from plugins.review.model.cases.records import Issue
    from plugins.review.ui.state import ReviewState

_STAMPS = "review.ui.stamps"
#: Photos are shown this small; the whole picture stays in the project.
_THUMB = QSize(224, 168)
_MOST_THUMBS = 200
#: Colours to choose from: red, amber, green, blue, ink; readable on paper and on any land-use colour.
COLOURS = ("#C0322B", "#B86E00", "#1F7A3D", "#1F5FAE", "#1D2430")
WIDTHS = (1, 2, 4)
SIZES = (12, 14, 20)


class MarkBoard(QObject):
    """Marks, tool and style; shared by map and sheet.

    Signals:
        changed(): marks, selection or thumbnails changed.
        tool_changed(): another kind of mark is drawn (``kind``), or marking began or ended (``active``).
        selected_changed(str): id of the selected mark, "" for none.
    """

    changed = Signal()
    tool_changed = Signal()
    selected_changed = Signal(str)

    def __init__(self, model: SheetModel, state: ReviewState) -> None:
        super().__init__(model)
        self.model, self.state = model, state
        self.marks: list[Markup] = []
        self._issues: dict[str, Issue] = {}
        self.selected = ""
        self.kind = "select"
        self.active = False
        self.style: dict[str, Any] = dict(DEFAULT_STYLE)
        self.stamp: tuple[str, str] = self.stamps()[0]
        self._thumbs: dict[str, QImage | None] = {}
        self._moved: dict[tuple[object, ...], tuple[Place, ...] | None] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.read)
        for signal in (state.records_changed, state.case_changed, state.issue_selected):
            signal.connect(lambda *_: self._later.start())
        model.changed.connect(self._placed_anew)
        state.issue_selected.connect(self._follow_issue)
        self.read()

    # what there is

    def read(self) -> None:
        """Read the case's marks again."""
        from plugins.review.model.cases import store

        project, case = self.state.project, self.state.case
        self.marks = store.markups(project, case.id) if project is not None and case is not None else []
        self._issues = {one.id: one for one in self.state.issues()}
        if case is None:
            self.stop()
        if self.selected and all(mark.id != self.selected for mark in self.marks):
            self.select("")
        self.changed.emit()

    def mark(self, mark_id: str) -> Markup | None:
        """The mark of that id, or None."""
        return next((one for one in self.marks if one.id == mark_id), None)

    def seen(self, surface: str) -> list[Markup]:
        """Marks that have a place on a surface, the lowest first; those of closed issues only while theirs is meant."""
        record = self.state.record
        found = []
        for mark in self.marks:
            issue = self._issues.get(mark.issue_id)
            closed = issue is not None and issue.status is IssueStatus.CLOSED and issue.id != self.state.issue_id
            of_sheet = mark.surface == "sheet"
            elsewhere = of_sheet and (record is None or mark.drawing_id != record.id or not self._on_page(mark))
            if not closed and not elsewhere:
                found.append(mark)
        return found

    def _on_page(self, mark: Markup) -> bool:
        return not mark.page or not self.model.page or mark.page == self.model.page

    def drawn(self, mark: Markup, surface: str) -> Drawn | None:
        """A mark as it stands on a surface; None where it has no place there."""
        points = self.points(mark, surface)
        if points is None:
            return None
        issue = self._issues.get(mark.issue_id)
        badge = str(issue.number) if issue is not None and mark.kind in ("cloud", "rectangle", "polygon") else ""
        thumb = self._thumb(mark.attachment) if mark.kind == "photo" and mark.attachment else None
        return Drawn(mark, points, self.measured(mark), badge, thumb)

    def points(self, mark: Markup, surface: str) -> tuple[Place, ...] | None:
        """A mark's points on a surface; of cornered kinds all four corners."""
        own = corners(mark.points) if mark.kind in CORNERED and len(mark.points) == 2 else mark.points
        if mark.surface == surface:
            return tuple(own)
        turn = self.model.shown.turn if self.model.shown is not None else 0
        key = (turn, surface, mark.surface, own)
        if key not in self._moved:
            if len(self._moved) > 5_000:
                self._moved.clear()
            self._moved[key] = self.convert(own, mark.surface, surface)
        return self._moved[key]

    def convert(self, points: Sequence[Place], source: str, dest: str) -> tuple[Place, ...] | None:
        """Points of one surface on the other; None where the drawing has no place or the points none in it."""
        if source == dest:
            return tuple(points)
        shown = self.model.shown
        if shown is None:
            return None
        return sheet_to_map(shown, points) if dest == "map" else map_to_sheet(shown, points)

    def measured(self, mark: Markup) -> str:
        """What a dimension or an area reads: from its own points, the same on every surface."""
        shown = self.model.shown
        metres = 1.0 if mark.surface == "map" else shown.metres_per_unit if shown is not None else 1.0
        if mark.kind == "dimension" and len(mark.points) > 1:
            (x0, y0), (x1, y1) = mark.points[:2]
            return f"{math.hypot(x1 - x0, y1 - y0) * metres:,.2f} m"
        if mark.kind == "area" and len(mark.points) > 2:
            return f"{area_of(mark.points) * metres * metres:,.1f} m²"
        return ""

    def _placed_anew(self) -> None:
        self._moved.clear()
        self.changed.emit()

    # selection

    def select(self, mark_id: str) -> None:
        """Select a mark; its issue is meant with it."""
        if mark_id == self.selected:
            return
        self.selected = mark_id
        mark = self.mark(mark_id)
        if mark is not None:
            self.style |= {key: value for key, value in mark.style.items() if key in DEFAULT_STYLE}
            if mark.issue_id:
                self.state.select_issue(mark.issue_id)
        self.selected_changed.emit(mark_id)
        self.tool_changed.emit()
        self.changed.emit()

    def _follow_issue(self, issue_id: str) -> None:
        mark = self.mark(self.selected)
        if mark is not None and mark.issue_id != issue_id:
            self.select("")

    # tool and style

    def use(self, kind: str) -> None:
        """Take up a tool: ``select`` or a kind of mark."""
        if self.state.case is None:
            return
        self.active, self.kind = True, kind
        if kind != "select":
            self.select("")
        self.tool_changed.emit()

    def stop(self) -> None:
        """Put the tools down."""
        if self.active:
            self.active, self.kind = False, "select"
            self.select("")
            self.tool_changed.emit()

    def restyle(self, **values: Any) -> None:
        """Colour, width or size of the selected mark, and of those drawn next."""
        self.style |= values
        mark = self.mark(self.selected)
        if mark is not None:
            self.edit(mark.id, style={**mark.style, **values})
        self.tool_changed.emit()

    def stamps(self) -> list[tuple[str, str]]:
        """(text, colour) of the stamps to choose from: the project's own, or the usual ones."""
        project = self.state.project
        kept = project.setting(_STAMPS, "") if project is not None else ""
        try:
            own = [(str(text), str(colour)) for text, colour in json.loads(kept)] if kept else []
        except (ValueError, TypeError):
            own = []
        return own or [
            (tr("Review passed"), COLOURS[2]),
            (tr("Returned for changes"), COLOURS[0]),
            (tr("Checked and agreed"), COLOURS[3]),
            (tr("To be completed"), COLOURS[1]),
        ]

    def set_stamps(self, stamps: Sequence[tuple[str, str]]) -> None:
        """Keep the stamps with the project; an empty list brings the usual ones back."""
        if self.state.project is not None:
            self.state.project.set_setting(_STAMPS, json.dumps(list(stamps), ensure_ascii=False))
            self.stamp = self.stamps()[0]

    # what is done to marks

    def add(self, kind: str, points: Sequence[Place], surface: str, *, text: str = "", attachment: str = "") -> str:
        """Draw a mark; returns its id, "" if it could not be kept."""
        from plugins.review.model.cases import store
        from plugins.review.model.cases.commands import AddMarkup

        case, record, state = self.state.case, self.state.record, self.state
        if case is None:
            return ""
        style = dict(self.style)
        if kind == "stamp":
            text, style["colour"] = self.stamp
            style["size"] = max(int(style.get("size", 14)), 18)
        mark = Markup(
            store.new_id(), case.id, kind, tuple((float(x), float(y)) for x, y in points), surface,
            record.id if record is not None else "", self.model.page if surface == "sheet" else 0, state.issue_id,
            text, style, attachment, state.context.user, store.now(),
        )  # fmt: skip
        if state.execute(AddMarkup([mark]), self) is None:
            return ""
        self.read()
        return mark.id

    def edit(self, mark_id: str, **values: Any) -> None:
        """Change a mark."""
        from plugins.review.model.cases.commands import EditMarkup

        if self.state.execute(EditMarkup(mark_id, values), self) is not None:
            self.read()

    def delete(self, mark_id: str) -> None:
        """Delete a mark; undo brings it back."""
        from plugins.review.model.cases.commands import DeleteMarkup

        if self.state.execute(DeleteMarkup([mark_id]), self) is not None:
            self.read()

    def attach_photo(self, place: Place, surface: str) -> None:
        """Ask for a photo, keep it in the project and pin it to a place."""
        project = self.state.project
        path = self.state.context.ask_open(tr("Choose a photo"), tr("Pictures ({patterns})", patterns=PICTURES))
        if project is None or path is None:
            return
        chosen: Path = path

        def done(sha256: str) -> None:
            if self.state.project is project:
                self.select(self.add("photo", [place], surface, attachment=sha256))

        self.state.context.run_job(
            tr("Keep {name}", name=chosen.name),
            lambda progress: project.attach(chosen, name=chosen.name, progress=progress),
            done,
        )

    # photos

    def _thumb(self, sha256: str) -> QImage | None:
        if sha256 not in self._thumbs:
            project = self.state.project
            if project is None:
                return None
            if len(self._thumbs) > _MOST_THUMBS:
                self._thumbs.clear()
            self._thumbs[sha256] = None
            taken = project

            def done(image: QImage) -> None:
                self._thumbs[sha256] = image
                self.changed.emit()

            def failed(_error: Exception) -> None:
                return None  # a photo that cannot be read keeps its grey box

            self.state.context.in_background(
                f"thumb-{sha256}", lambda: read_picture(taken.read_attachment(sha256), _THUMB), done, failed
            )
        return self._thumbs[sha256]


PICTURES = "*.jpg *.jpeg *.png *.bmp *.webp *.tif *.tiff"
#: A photo's pixels beyond which it is decoded smaller (Qt's own limit is 256 MB).
_MOST_PIXELS = 40_000_000


def read_picture(content: bytes, most: QSize | None = None) -> QImage:
    """A photo, turned as its camera says, at most so large; a null image if it is none."""
    from PySide6.QtCore import QBuffer, QIODevice

    data = QByteArray(content)
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid():
        limit = most or size
        if size.width() * size.height() > _MOST_PIXELS and most is None:
            limit = size * math.sqrt(_MOST_PIXELS / (size.width() * size.height()))
        if size.width() > limit.width() or size.height() > limit.height():
            reader.setScaledSize(size.scaled(limit, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()


def area_of(points: Sequence[Place]) -> float:
    """Area of a polygon, from offsets to its first point: coordinates of millions of metres lose digits otherwise."""
    x0, y0 = points[0]
    local = [(x - x0, y - y0) for x, y in points]
    turned = zip(local, [*local[1:], local[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in turned)) / 2.0


def moved_by(mark: Markup, dx: float, dy: float) -> Mapping[str, Any]:
    """Values of a mark that was dragged."""
    return {"points": tuple((x + dx, y + dy) for x, y in mark.points)}


def with_corner(mark: Markup, handle: int, place: Place) -> Mapping[str, Any]:
    """Values of a mark one of whose handles was dragged; of cornered kinds any of the four corners."""
    points = list(mark.points)
    if mark.kind in CORNERED and len(points) == 2:
        (x0, y0), (x1, y1) = points
        x, y = place
        box = ((x, y, x1, y1), (x0, y, x, y1), (x0, y0, x, y), (x, y0, x1, y))[handle]
        return {"points": ((box[0], box[1]), (box[2], box[3]))}
    points[handle] = place
    return {"points": tuple(points)}


def changed(mark: Markup, values: Mapping[str, Any]) -> Markup:
    """A mark with other values, not kept yet."""
    return replace(mark, **dict(values))
