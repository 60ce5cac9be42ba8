"""A city's own transformation: four or seven parameters, or control points. Entered once, kept in the project."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHeaderView,
    QLineEdit,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from planner_app.domain.crs import SETTING, CityTransform, fit_four_parameters
from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.ui.controls import button, column, label, row
from planner_app.ui.crs_names import crs_name
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session

#: More than this between control points and their transformation deserves a question.
WORRYING_RMS_M = 0.2


def stored_transform(session: Session, source: str) -> CityTransform | None:
    """The transformation the project keeps if it leads from this CRS, else None."""
    text = session.project.setting(SETTING) if session.project is not None else ""
    kept = CityTransform.from_json(text) if text else None
    return kept if kept is not None and kept.source == source else None


class CityDialog(FormDialog):
    """Emits ``stored()`` after the transformation was kept in the project."""

    stored = Signal()

    def __init__(self, session: Session, source: str, parent: QWidget) -> None:
        super().__init__(session, tr("City parameters"), tr("Save"), parent, 560)
        self.source = source
        self.target = session.project.crs if session.project is not None else ""
        self.body.addWidget(
            label(tr("From {source} to {target}", source=crs_name(source), target=crs_name(self.target)), "heading")
        )
        self.body.addWidget(
            label(
                tr("Parameters are given out by the city's surveying office. They stay in this project file."),
                "small",
                wrap=True,
            )
        )
        self.kind = QComboBox()
        for key, name in (
            ("points", tr("Control points")),
            ("four", tr("Four parameters (plane)")),
            ("seven", tr("Seven parameters")),
        ):
            self.kind.addItem(name, key)
        self.form().addRow(fact(tr("Known as")), self.kind)
        self.points = self._points_page()
        self.four = _fields(("ΔX (m)", "ΔY (m)", tr("Rotation (″)"), tr("Scale (ppm)")))
        self.seven = _fields(("ΔX (m)", "ΔY (m)", "ΔZ (m)", "εx (″)", "εy (″)", "εz (″)", tr("Scale (ppm)")))
        self.pages = QStackedWidget()
        four = tr("X' = ΔX + k (X cos α − Y sin α), Y' = ΔY + k (X sin α + Y cos α); X is north, Y is east.")
        seven = tr(
            "Bursa-Wolf as position vector (EPSG 9606); turn the signs of the rotations if yours are coordinate frame."
        )
        pages = (self._page_of_points(), self._page(self.four, four), self._page(self.seven, seven))
        for page in pages:
            self.pages.addWidget(page)
        self.kind.currentIndexChanged.connect(self.pages.setCurrentIndex)
        self.body.addWidget(self.pages, 1)
        self._show_stored(stored_transform(session, source))

    def _points_page(self) -> QTableWidget:
        table = QTableWidget(4, 4)
        table.setProperty("look", "boxed")
        table.setHorizontalHeaderLabels(
            [tr("Old X (north)"), tr("Old Y (east)"), tr("New X (north)"), tr("New Y (east)")]
        )
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.setMinimumHeight(self.session.theme.px(180))
        return table

    def _page_of_points(self) -> QWidget:
        page = QWidget()
        add = button(tr("Add a row"), lambda: self.points.insertRow(self.points.rowCount()))
        buttons = row(button(tr("Paste"), self.paste), add, None, spacing=6)
        page.setLayout(column(self.points, buttons, spacing=8))
        return page

    def _page(self, fields: dict[str, QLineEdit], hint: str) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        form.setContentsMargins(0, 0, 0, 0)
        for name, field in fields.items():
            form.addRow(fact(name), field)
        form.addRow(label(hint, "small", wrap=True))
        return page

    def _show_stored(self, transform: CityTransform | None) -> None:
        if transform is None:
            return
        self.kind.setCurrentIndex(self.kind.findData(transform.kind))
        values = list(transform.parameters)
        if transform.kind == "four":
            east, north, rotation, scale = values
            values = [north, east, -math.degrees(rotation) * 3600, (scale - 1) * 1e6]
        for field, value in zip((self.four if transform.kind == "four" else self.seven).values(), values, strict=True):
            field.setText(f"{value:.10g}")

    def paste(self) -> None:
        """Control points from the clipboard: four numbers per line, as from a spreadsheet."""
        lines = [line.replace(",", " ").split() for line in QGuiApplication.clipboard().text().splitlines()]
        rows = [cells[-4:] for cells in lines if len(cells) >= 4]
        self.points.setRowCount(max(len(rows), 4))
        for number, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                self.points.setItem(number, place, QTableWidgetItem(cell))

    def _control_points(self) -> list[tuple[float, float, float, float]]:
        points = []
        for number in range(self.points.rowCount()):
            items = [self.points.item(number, place) for place in range(4)]
            texts = [item.text().strip() if item is not None else "" for item in items]
            if any(texts):
                x, y, new_x, new_y = (_number(text) for text in texts)
                points.append((y, x, new_y, new_x))  # X is north on screen, coordinates are easting first
        return points

    def transform(self) -> CityTransform:
        """What was entered.

        Raises:
            PlannerError: a number is missing or wrong, or there are too few control points.
        """
        kind = self.kind.currentData()
        if kind == "points":
            return fit_four_parameters(self.source, self.target, self._control_points())[0]
        values: list[Any] = [_number(field.text()) for field in (self.four if kind == "four" else self.seven).values()]
        if kind == "four":
            north, east, seconds, ppm = values
            # Published with X north and Y east, where a positive angle turns clockwise on the map.
            values = [east, north, -math.radians(seconds / 3600), 1 + ppm / 1e6]
        return CityTransform(self.source, self.target, kind, tuple(values))

    def submit(self) -> None:
        """Keep it in the project."""
        project = self.session.project
        try:
            made = self.transform()
        except PlannerError as error:
            self.complain(*self.session.word(error))
            return
        if made.rms is not None and made.rms > WORRYING_RMS_M and not self.notice.isVisible():
            self.notice.show_text(
                tr("The control points disagree by {rms} m on average.", rms=f"{made.rms:.3f}"), "warning",
                tr("Check them for slips; Save again keeps them as they are."),
            )  # fmt: skip
            return
        if project is not None:
            project.set_setting(SETTING, made.to_json())
        self.stored.emit()
        self.accept()


def _fields(names: tuple[str, ...]) -> dict[str, QLineEdit]:
    return {name: QLineEdit() for name in names}


def _number(text: str) -> float:
    cleaned = text.strip().replace(",", "")
    try:
        value = float(cleaned)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise PlannerError("ui.not_a_number", text=text.strip(), field=tr("City parameters"))
    return value
