"""Where a drawing lies: as its file says, in a coordinate system, or by points known in both, with what they miss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import button, combo, label, px, restyle
from plugins.review.model.drawing.placement import ControlPoint, Placement
from plugins.review.model.opinion.wording import placement_words
from plugins.review.ui import words
from plugins.review.ui.dialog import right_aligned
from plugins.review.ui.map_pick import pick_point
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.ui.dialog import ReviewDialog
    from plugins.review.ui.drawing_picture import DrawingPicture

AUTO, CRS, CONTROL = "auto", "crs", "control"
#: Residuals of the worst point beyond this are pointed out, m.
_LARGE_M = 0.10


class PlacingBox(QWidget):
    """The choice of a method with its inputs and its result.

    Args:
        picture: where points of the drawing are picked.
        dialog: where it stands; says what goes wrong.

    Signals:
        changed(): another place is asked for.
    """

    changed = Signal()

    def __init__(self, state: ReviewState, picture: DrawingPicture, dialog: ReviewDialog) -> None:
        super().__init__()
        self._state, self._picture, self._dialog = state, picture, dialog
        self.metres_per_unit = 1.0
        self._points: list[ControlPoint] = []
        self._filling = False
        self._pending: tuple[float, float] | None = None
        self._picking = False
        self.method = combo(self._method_chosen)
        for key, text in (
            (AUTO, tr("as the file says")), (CRS, tr("coordinate system…")), (CONTROL, tr("points known in both")),
        ):  # fmt: skip
            self.method.addItem(text, key)
        self.crs = combo(self.changed.emit)
        self.crs.setEditable(True)
        for code, text in _systems(state):
            self.crs.addItem(text, code)
        if (editor := self.crs.lineEdit()) is not None:
            editor.editingFinished.connect(self.changed)
        self.table = QTableWidget(0, 6)
        self._set_up_table()
        self.pick = button(tr("Pick a pair"), self._pick)
        self.pick.setToolTip(
            tr("Click a point in the drawing, then the same point on the map (a parcel's corner, say).")
        )
        self._csv = button(tr("From CSV…"), self._read_csv)
        self._drop = button(tr("Remove"), self._remove)
        self.scale = QCheckBox(tr("Scale as well"))
        self.scale.setToolTip(tr("Off: the drawing is turned and moved only; what a scale would change is told."))
        self.scale.toggled.connect(lambda _: self.changed.emit())
        for knob in (self.pick, self._csv, self._drop):
            knob.setAutoDefault(False)
        self._control = QWidget()
        knobs = QHBoxLayout()
        knobs.setSpacing(8)
        for knob in (self.pick, self._csv, self._drop):
            knobs.addWidget(knob)
        knobs.addStretch(1)
        knobs.addWidget(self.scale)
        column = QVBoxLayout(self._control)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.table)
        column.addLayout(knobs)
        self.result = label("", "small", wrap=True)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(8)
        for widget in (self.method, self.crs, self._control, self.result):
            whole.addWidget(widget)
        picture.point_picked.connect(self._picked_in_drawing)
        self._show_method()

    def _set_up_table(self) -> None:
        table = self.table
        table.setHorizontalHeaderLabels(
            [tr("Point"), tr("Drawing x"), tr("Drawing y"), tr("X (north)"), tr("Y (east)"), tr("Residual")]
        )
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setProperty("look", "boxed")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        right_aligned(table, 1, 2, 3, 4, 5)
        table.setMinimumHeight(px(132))
        table.itemChanged.connect(self._edited)

    # what is asked for

    def chosen(self) -> tuple[str, tuple[ControlPoint, ...], bool]:
        """(CRS or "", points, may scale) as the methods of the model take them."""
        method = self.method.currentData()
        if method == CRS:
            return self._code(), (), False
        if method == CONTROL and sum(one.used for one in self._points) > 1:
            return "", tuple(self._points), self.scale.isChecked()
        return "", (), False

    def _code(self) -> str:
        text = self.crs.currentText().strip()
        at = self.crs.findText(text)
        code = str(self.crs.itemData(at)) if at >= 0 else text.split(" ")[0].upper()
        return f"EPSG:{code}" if code.isdigit() else code

    def set_from(self, placement: Placement) -> None:
        """Start from how a drawing is placed now."""
        self._points = list(placement.points)
        method = CONTROL if placement.points else CRS if placement.method == "crs" else AUTO
        self.method.setCurrentIndex(self.method.findData(method))
        if placement.crs:
            self.crs.setCurrentText(placement.crs)
        self._show_method()
        self.show_result(placement)

    def show_result(self, placement: Placement | None) -> None:
        """Say where the drawing came to lie, and what the points miss."""
        if placement is None:
            self.result.setText("")
            return
        if placement.points and self.method.currentData() == CONTROL:
            self._points = list(placement.points)
        self._fill_table()
        if not placement.placed:
            text = tr("Not placed: it can be read and measured, but not shown on the map.")
        else:
            text = tr("Placed: {method}", method=placement_words(placement.method))
            if placement.crs:
                text += f" · {placement.crs}"
            if placement.rms is not None:
                text += f" · {tr('residual {rms} m', rms=f'{placement.rms:.3f}')}"
            if abs(placement.scale - 1.0) > 1e-6:
                text += f" · {tr('scale {scale}', scale=f'{placement.scale:.6f}')}"
        notes = [words.note(note) for note in placement.notes]
        restyle(self.result, "small" if placement.placed and not notes else "warning")
        self.result.setText("\n".join([text, *notes]))

    def _method_chosen(self) -> None:
        self._show_method()
        if self.method.currentData() != CONTROL or len(self._points) > 1:
            self.changed.emit()

    def _show_method(self) -> None:
        method = self.method.currentData()
        self.crs.setVisible(method == CRS)
        self._control.setVisible(method == CONTROL)
        if method != CONTROL:
            self._leave()
        self._fill_table()

    # control points

    def _fill_table(self) -> None:
        self._filling = True
        self.table.setRowCount(len(self._points))
        for row, one in enumerate(self._points):
            values = [one.name, *(f"{value:.3f}" for value in (one.x, one.y, one.north, one.east))]
            for column, text in enumerate(values):
                item = QTableWidgetItem(text)
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                else:
                    item.setCheckState(Qt.CheckState.Checked if one.used else Qt.CheckState.Unchecked)
                self.table.setItem(row, column, item)
            missed = QTableWidgetItem(words.NONE if one.residual is None else f"{one.residual:.3f}")
            missed.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            missed.setFlags(Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled)
            if one.residual is not None and one.residual > _LARGE_M:
                missed.setToolTip(tr("This point misses by more than {limit} m.", limit=f"{_LARGE_M:.2f}"))
                font = missed.font()
                font.setBold(True)
                missed.setFont(font)
            self.table.setItem(row, 5, missed)
        self._filling = False
        shown = self._points if self.method.currentData() == CONTROL else []
        scale = self.metres_per_unit or 1.0
        self._picture.show_points([(one.x / scale, one.y / scale, one.name) for one in shown])

    def _edited(self, item: QTableWidgetItem) -> None:
        if self._filling:
            return
        row, column = item.row(), item.column()
        one, text = self._points[row], item.text().strip()
        if column == 0:
            one = replace(one, name=text, used=item.checkState() == Qt.CheckState.Checked)
        else:
            try:
                value = float(text.replace(",", ""))
            except ValueError:
                self._fill_table()
                return
            x, y, north, east = (value if at == column else known
                                 for at, known in enumerate((one.x, one.y, one.north, one.east), start=1))  # fmt: skip
            one = replace(one, x=x, y=y, north=north, east=east)
        self._points[row] = one
        self.changed.emit()

    def _remove(self) -> None:
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        self._points = [one for at, one in enumerate(self._points) if at not in rows]
        self._fill_table()
        self.changed.emit()

    def _read_csv(self) -> None:
        path = self._state.context.ask_open(tr("Control points"), "CSV (*.csv *.txt)")
        if path is None:
            return

        def work(progress: Progress) -> list[ControlPoint]:
            from plugins.review.model.drawing.placing import read_control_csv

            return read_control_csv(path)

        def done(points: list[ControlPoint]) -> None:
            self._points = points
            self._fill_table()
            self.changed.emit()

        self._dialog.run(tr("Reading {name}", name=path.name), work, done)

    # picking pairs: a click in the drawing, then one on the map

    def _pick(self) -> None:
        self._pending = None
        self._picking = True
        self._picture.set_mode("pick")
        restyle(self.pick, "chosen")
        self.result.setText(tr("Click a point in the drawing."))

    def _picked_in_drawing(self, x: float, y: float) -> None:
        if not self._picking:
            return
        self._pending = (x * self.metres_per_unit, y * self.metres_per_unit)
        marks = [(one.x / self.metres_per_unit, one.y / self.metres_per_unit, one.name) for one in self._points]
        self._picture.show_points([*marks, (x, y, "?")])
        self.result.setText(tr("Now click the same point on the map; Esc leaves it."))
        pick_point(self._state.context, tr("Click the point marked ? in the drawing"), self._picked_on_map)

    def _picked_on_map(self, place: tuple[float, float] | None) -> None:
        pending, self._pending = self._pending, None
        self._leave()
        if pending is not None and place is not None:
            self._points.append(ControlPoint(*pending, *place, name=f"P{len(self._points) + 1}"))
        self._fill_table()
        used = sum(one.used for one in self._points)
        if used > 1:
            self.changed.emit()
        else:
            self.result.setText(tr("Two pairs place the drawing; a third shows how well."))

    def _leave(self) -> None:
        if not self._picking:
            return
        self._picking = False
        self._picture.set_mode("look")
        restyle(self.pick, "")


def _systems(state: ReviewState) -> list[tuple[str, str]]:
    """Coordinate systems drawings of this project are likely to be in."""
    crs = state.project.crs if state.project is not None else ""
    found = [(crs, tr("{crs} (the project's)", crs=crs))] if crs else []
    number = crs.removeprefix("EPSG:")
    if number.isdigit() and 4534 <= int(number) <= 4554:  # 3° zones of CGCS2000 by meridian: the same with zone prefix
        zone = (75 + (int(number) - 4534) * 3) // 3
        found.append((f"EPSG:{4488 + zone}", f"EPSG:{4488 + zone} · CGCS2000 / {tr('zone {zone}', zone=zone)}"))
    return [*found, ("EPSG:4490", "EPSG:4490 · CGCS2000"), ("EPSG:4326", "EPSG:4326 · WGS 84")]
