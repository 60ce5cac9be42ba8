"""How long a unit of the drawing is: as found, chosen, by the scale printed on a sheet, or by a length one knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.model import PlannerError
from planner_app.plugin_api.widgets import combo, label
from plugins.review.ui.dialog import NumberEdit

if TYPE_CHECKING:
    from plugins.review.ui.dialog import ReviewDialog
    from plugins.review.ui.drawing_picture import DrawingPicture
    from plugins.review.ui.preview import Preview

_LENGTH = "length"
_UNITS = ((0.001, "mm"), (0.01, "cm"), (1.0, "m"), (0.0254, "in"), (0.3048, "ft"), (1000.0, "km"))
_SCALES = (200, 500, 1000, 2000, 5000)


class UnitsBox(QWidget):
    """The choice.

    Args:
        picture: where the ends of a known length are clicked; dialog: says what goes wrong.

    Signals:
        changed(): another unit is asked for.
    """

    changed = Signal()

    def __init__(self, picture: DrawingPicture, dialog: ReviewDialog, metres: float | None = None) -> None:
        super().__init__()
        self._picture, self._dialog = picture, dialog
        self._metres = metres
        self._ends: list[tuple[float, float]] = []
        self._picking = False
        self.box = combo(self._chosen)
        self._hint = label("", "small", wrap=True)
        self.length = NumberEdit(None, "m")
        self.length.edit.setPlaceholderText(tr("true length"))
        self.length.edit.editingFinished.connect(self._calibrate)
        self._row = QWidget()
        line = QHBoxLayout(self._row)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self._hint, 1)
        line.addWidget(self.length, 1)
        self._row.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.box)
        column.addWidget(self._row)
        picture.point_picked.connect(self._picked)
        self._fill(None)

    def metres(self) -> float | None:
        """Metres per unit asked for; None: to be found."""
        return self._metres

    def show_found(self, found: Preview) -> None:
        """Offer what fits the drawing, and say what was found."""
        self._fill(found)

    def _fill(self, found: Preview | None) -> None:
        measuring = self.box.currentData() == _LENGTH
        self.box.clear()
        text = tr("find them")
        if found is not None and self._metres is None:
            units = found.plan.units
            text = f"{unit_word(units.metres_per_unit, found)} ({units_source(units.source)})"
            if units.source == "assumed" and _paper(found):
                text = tr("scale not known yet")
        self.box.addItem(text, None)
        known: list[tuple[float, str]] = [(metres, tr("1 unit = 1 {unit}", unit=name)) for metres, name in _UNITS]
        paper = _paper(found)
        if paper:
            printed = {round(one.denominator): one for one in (found.scales if found is not None else ())}
            known = [
                (
                    number * paper,
                    tr("1:{number} (printed on it)", number=number) if number in printed else f"1:{number}",
                )
                for number in sorted({*printed, *_SCALES})
            ]
        if self._metres is not None and all(not _same(self._metres, metres) for metres, _ in known):
            known.append((self._metres, unit_word(self._metres, found)))
        for metres, words in known:
            self.box.addItem(words, metres)
        self.box.addItem(tr("by a length I know…"), _LENGTH)
        if measuring and self._metres is None:
            self.box.setCurrentIndex(self.box.findData(_LENGTH))
        elif self._metres is not None:
            at = next(at for at, (metres, _) in enumerate(known) if _same(self._metres, metres))
            self.box.setCurrentIndex(at + 1)

    def _chosen(self) -> None:
        measuring = self.box.currentData() == _LENGTH
        self._row.setVisible(measuring)
        self._picking = measuring
        self._ends = []
        self._picture.set_mode("pick" if measuring else "look")
        if measuring:
            self._hint.setText(tr("Click both ends of a length in the drawing."))
            self.length.setEnabled(False)
        else:
            self._metres = self.box.currentData()
            self.changed.emit()

    def _picked(self, x: float, y: float) -> None:
        if not self._picking:
            return
        self._ends = [*self._ends, (x, y)][-2:]
        self._picture.show_points([(px, py, "") for px, py in self._ends])
        if len(self._ends) == 2:
            self._hint.setText(tr("Between the two points:"))
            self.length.setEnabled(True)
            self.length.edit.setFocus()

    def _calibrate(self) -> None:
        from plugins.review.model.drawing.calibration import by_known_length

        value = self.length.value()
        if value is None or len(self._ends) < 2:
            return
        try:
            self._metres = by_known_length(self._ends[0], self._ends[1], value)
        except PlannerError as error:
            self._dialog.say(error)
            return
        self._picking = False
        self._picture.set_mode("look")
        self._picture.show_points([])
        self._row.hide()
        self.changed.emit()


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def _paper(found: Preview | None) -> float:
    from plugins.review.model.drawing.calibration import paper_unit

    return paper_unit(found.drawing) if found is not None else 0.0


def unit_word(metres: float, found: Preview | None = None) -> str:
    """``1 unit = 1 mm``, of a sheet ``1:500``."""
    if paper := _paper(found):
        return f"1:{metres / paper:,.0f}"
    name = next((name for value, name in _UNITS if _same(value, metres)), "")
    return tr("1 unit = 1 {unit}", unit=name) if name else tr("1 unit = {metres} m", metres=f"{metres:.6g}")


def units_source(source: str) -> str:
    """How the units were found."""
    return {
        "known_length": tr("by a known length"),
        "parcel": tr("by the parcel's area"),
        "coordinates": tr("by its coordinates"),
        "header": tr("by the file's header"),
        "dimension_text": tr("by dimension texts"),
        "declared": tr("by the declared area"),
        "parking": tr("by the parking places"),
        "text_size": tr("by the height of texts"),
        "scale_text": tr("by the scale written on it"),
        "person": tr("set by hand"),
        "assumed": tr("assumed"),
    }.get(source, source)
