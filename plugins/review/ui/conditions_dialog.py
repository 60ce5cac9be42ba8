"""Planning conditions of the case's parcel: read from the detailed zoning or entered, kept with the case, printed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QTableWidget,
    QVBoxLayout,
    QWidget,
)

from planner_app.domain.progress import Progress
from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import Form, button, combo, label, px
from plugins.review.model.conditions.doubts import doubts
from plugins.review.model.conditions.types import Conditions, EdgeSetback
from plugins.review.ui.dialog import NumberEdit, ReviewDialog, in_cell
from plugins.review.ui.issues import date_edit, iso_date
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_MAP_SIZE = (1500, 1000)
_SIDES = ("", "road", "N", "NE", "E", "SE", "S", "SW", "W", "NW")


def side_word(side: str) -> str:
    """A side of the site."""
    return {
        "": tr("Every side"), "road": tr("Towards roads"), "N": tr("North side"), "NE": tr("North-east side"),
        "E": tr("East side"), "SE": tr("South-east side"), "S": tr("South side"), "SW": tr("South-west side"),
        "W": tr("West side"), "NW": tr("North-west side"),
    }.get(side, side)  # fmt: skip


class ConditionsDialog(ReviewDialog):
    """The form 规划条件."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Planning conditions"), tr("Save"), parent)
        case = state.case
        assert case is not None
        self._case = case
        self._base = case.conditions or Conditions(case.parcel, city=case.city)
        self._source = label("", "small", wrap=True)
        self._left, self._right = QVBoxLayout(), QVBoxLayout()
        for column in (self._left, self._right):
            column.setSpacing(10)
        columns = QHBoxLayout()
        columns.setSpacing(24)
        columns.addLayout(self._left, 1)
        columns.addLayout(self._right, 1)
        self.body.addWidget(self._source)
        self.body.addLayout(columns, 1)
        self.add_button(tr("Read from the plan"), self.read_parcel)
        self.add_button(tr("Field mapping…"), self.edit_mapping)
        self.add_button(tr("Print…"), self.print_)
        self.fit(860, 560)
        self._parts: list[QWidget] = []
        self._fill(self._base)

    # the form

    def _fill(self, of: Conditions) -> None:
        for part in self._parts:
            part.hide()
            part.deleteLater()
        self._base = of
        self.parcel, self.number = QLineEdit(of.parcel), QLineEdit(of.number)
        self.issued = date_edit(of.issued)
        self.use = QLineEdit(of.use)
        self.compatible = QLineEdit(", ".join(of.compatible))
        self.compatible.setPlaceholderText(tr("codes or names, separated by commas"))
        self.numbers = {
            "compatible_share": NumberEdit(of.compatible_share, "%", 0.01),
            "site_area_m2": NumberEdit(of.site_area_m2, "m²"),
            "far_min": NumberEdit(of.far_min),
            "far_max": NumberEdit(of.far_max),
            "density_max": NumberEdit(of.density_max, "%", 0.01),
            "green_min": NumberEdit(of.green_min, "%", 0.01),
            "height_max": NumberEdit(of.height_max, "m"),
            "parking": NumberEdit(of.parking),
        }
        self.parking_per = combo()
        for key, text in (
            ("total", tr("places in all")), ("household", tr("places per household")),
            ("100m2", tr("places per 100 m² of floor area")),
        ):  # fmt: skip
            self.parking_per.addItem(text, key)
        self.parking_per.setCurrentIndex(max(self.parking_per.findData(of.parking_per), 0))
        parking = QWidget()
        line = QHBoxLayout(parking)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.numbers["parking"], 1)
        line.addWidget(self.parking_per, 2)
        left = _form(
            (tr("Parcel"), self.parcel), (tr("Document"), self.number), (tr("Issued"), self.issued),
            (tr("Land use"), self.use), (tr("Compatible uses"), self.compatible),
            *((caption, self.numbers[key]) for key, caption in _captions().items()), (tr("Parking"), parking),
        )  # fmt: skip
        self.setbacks = SetbackTable(of.setbacks)
        self.other = QPlainTextEdit("\n".join(of.other))
        self.other.setTabChangesFocus(True)
        self.other.setProperty("look", "boxed")
        self.other.setPlaceholderText(tr("One demand per line; shown and printed, not judged"))
        self._parts = [
            left,
            label(tr("Setbacks"), "heading"),
            self.setbacks,
            label(tr("Further demands"), "heading"),
            self.other,
        ]
        self._left.insertWidget(0, left)
        for part in self._parts[1:]:
            self._right.addWidget(part)
        self._say_source()

    def _say_source(self) -> None:
        of, project = self._base, self.state.project
        if of.source == "layer" and project is not None:
            name = next((one.name for one in project.layers() if one.id == of.layer_id), of.layer_id)
            self._source.setText(tr("Read from {layer}; what you change here holds for this case.", layer=name))
        else:
            self._source.setText(tr("Entered by hand. Empty: the document says nothing about it; nothing is judged."))

    def value(self) -> Conditions:
        """The conditions as entered."""
        numbers: dict[str, Any] = {name: field.value() for name, field in self.numbers.items()}
        made = replace(
            self._base,
            parcel=self.parcel.text().strip(),
            number=self.number.text().strip(),
            issued=iso_date(self.issued),
            use=self.use.text().strip(),
            compatible=tuple(_parts_of(self.compatible.text())),
            setbacks=self.setbacks.value(),
            parking_per=self.parking_per.currentData() if numbers["parking"] is not None else "",
            other=tuple(line.strip() for line in self.other.toPlainText().splitlines() if line.strip()),
            **numbers,
        )
        return made if _same(made, self._base) else replace(made, source="entered")

    # doing

    def apply(self) -> None:
        """Keep them with the case."""
        from plugins.review.model.cases.commands import SetCase

        made = self.value()
        for code, params in doubts(made):
            said = f"{_captions()[params['field']]}: {word(code, params)}"
            self.notice.say(said, word(code, params, "hint"), "warning")
            return
        changed: dict[str, Any] = {"conditions": made}
        if made.parcel and made.parcel != self._case.parcel:
            changed["parcel"] = made.parcel
        if made == self._case.conditions:
            self.accept()
        elif self.state.execute(SetCase(self._case.id, changed, self._case.title), self) is not None:
            self.accept()
            if self.state.checked is not None:
                self.state.run_check()

    def read_parcel(self) -> None:
        """Fill the form from the detailed zoning, by number or by the place of the drawing."""
        project, number = self.state.project, self.parcel.text().strip()
        opened = self.state.opened
        if project is None:
            return

        def work(progress: Progress) -> Conditions | None:
            from plugins.review.model.conditions.from_layer import find_parcel, parcel_at

            if number:
                return find_parcel(project, number)
            outline = opened.outline() if opened is not None else None
            return parcel_at(project, _shape(outline)) if outline is not None else None

        self.run(tr("Looking for the parcel"), work, self._read)

    def _read(self, found: Conditions | None) -> None:
        if found is not None:
            self._fill(found)
        elif self.parcel.text().strip():
            self.notice.say(
                tr("No detailed plan of this project has the parcel {parcel}.", parcel=self.parcel.text().strip()),
                tr("Check the number, or say under Field mapping which column holds it."), "warning",
            )  # fmt: skip
        else:
            self.notice.say(tr("Enter the number of the parcel, or place the drawing first."), level="warning")

    def edit_mapping(self) -> None:
        """Say which columns of the detailed zoning hold what."""
        from plugins.review.ui.mapping_dialog import MappingDialog

        MappingDialog(self.state, self).show()

    def print_(self) -> None:
        """Write the conditions as DOCX or PDF with a map."""
        project, made = self.state.project, self.value()
        path = self.state.context.ask_save(
            tr("Planning conditions"), f"{made.parcel or self._case.number}.docx", "Word (*.docx);;PDF (*.pdf)"
        )
        if path is None or project is None:
            return
        name, crs = project.name, project.crs

        def write(png: bytes) -> None:
            def work(progress: Progress) -> None:
                from plugins.review.model.conditions.print import write_conditions

                write_conditions(made, path, png or None, project=name, crs=crs)

            done = tr("Written to {file}.", file=path.name)
            self.run(tr("Writing the conditions"), work, lambda _: self.notice.say(done, str(path.parent), "success"))

        if made.wkb is None:
            write(b"")
        else:
            self.state.context.render_map(_around(_shape(made.wkb).bounds), _MAP_SIZE, write, dpi=150.0)


class SetbackTable(QWidget):
    """Least distances per side, with the height they begin at."""

    def __init__(self, setbacks: tuple[EdgeSetback, ...]) -> None:
        super().__init__()
        self.table = QTableWidget(0, 3)
        self.table.setHorizontalHeaderLabels([tr("Side"), tr("At least (m)"), tr("Parts above (m)")])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setProperty("look", "boxed")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.verticalHeader().setDefaultSectionSize(px(36))
        self._rows: list[tuple[QComboBox, NumberEdit, NumberEdit]] = []
        line = QHBoxLayout()
        line.addWidget(button(tr("Add a side"), lambda: self._add(EdgeSetback("", 5.0)), "link"))
        line.addWidget(button(tr("Remove"), self._remove, "link"))
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.table, 1)
        column.addLayout(line)
        for one in setbacks:
            self._add(one)

    def _add(self, one: EdgeSetback) -> None:
        row = self.table.rowCount()
        self.table.insertRow(row)
        side = combo()
        for key in _SIDES:
            side.addItem(side_word(key), key)
        if side.findData(one.side) < 0:
            side.addItem(one.side, one.side)
        side.setCurrentIndex(side.findData(one.side))
        fields = (side, NumberEdit(one.metres), NumberEdit(one.above_m))
        for column, field in enumerate(fields):
            self.table.setCellWidget(row, column, in_cell(field))
        self._rows.append(fields)

    def _remove(self) -> None:
        rows = {index.row() for index in self.table.selectionModel().selectedRows()}
        rows = rows or ({len(self._rows) - 1} if self._rows else set())
        for row in sorted(rows, reverse=True):
            self.table.removeRow(row)
            del self._rows[row]

    def value(self) -> tuple[EdgeSetback, ...]:
        """As entered."""
        found = []
        for side, metres, above in self._rows:
            if (least := metres.value()) is not None:
                found.append(EdgeSetback(side.currentData(), least, above.value() or 0.0))
        return tuple(found)


def _captions() -> dict[str, str]:
    """The numbers of the form, in its order."""
    return {
        "compatible_share": tr("At most"), "site_area_m2": tr("Site area"), "far_min": tr("FAR, least"),
        "far_max": tr("FAR, most"), "density_max": tr("Density, most"), "green_min": tr("Green ratio, least"),
        "height_max": tr("Height, most"),
    }  # fmt: skip


def _form(*rows: tuple[str, QWidget]) -> Form:
    form = Form()
    for caption, field in rows:
        form.add(caption, field)
    return form


def _parts_of(text: str) -> list[str]:
    plain = text.replace("，", ",").replace("、", ",").replace(";", ",").replace("；", ",")
    return [part.strip() for part in plain.split(",") if part.strip()]


def _same(one: Conditions, other: Conditions) -> bool:
    """Whether a form left the conditions as they were, but for the rounding of its fields."""
    for name in ("far_min", "far_max", "density_max", "green_min", "height_max", "parking", "site_area_m2"):
        a, b = getattr(one, name), getattr(other, name)
        if (a is None) != (b is None) or (a is not None and b is not None and abs(a - b) > 0.005):
            return False
    names = ("parcel", "number", "issued", "use", "compatible", "setbacks", "other")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _shape(wkb: bytes) -> BaseGeometry:
    import shapely

    return shapely.from_wkb(wkb)


def _around(bounds: tuple[float, float, float, float], margin: float = 0.5) -> tuple[float, float, float, float]:
    """An extent of the picture's proportions around a parcel."""
    west, south, east, north = bounds
    scale = max((east - west) / _MAP_SIZE[0], (north - south) / _MAP_SIZE[1], 0.01) * (1 + 2 * margin)
    x, y = (west + east) / 2, (south + north) / 2
    width, height = _MAP_SIZE[0] * scale, _MAP_SIZE[1] * scale
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2
