"""How a layer is drawn: one symbol, classes in standard colours, or graduated; opacity and labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QColorDialog,
    QComboBox,
    QDoubleSpinBox,
    QHeaderView,
    QSlider,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from planner_app.domain.layer import LayerInfo
from planner_app.domain.style import (
    LayerStyle,
    StyleClass,
    categorised,
    default_style,
    from_qml,
    graduated,
    to_qml,
)
from planner_app.i18n import language, tr
from planner_app.ui.controls import button, label, line, row, swatch_colour
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session
from planner_app.ui.swatches import swatch

_MOST_CLASSES = 500
_SCALES = (0, 1000, 2000, 5000, 10000, 25000, 50000, 100000)


class StyleEditor(FormDialog):
    """Edits a copy; Apply and Save write it as one undoable step."""

    def __init__(self, session: Session, layer: LayerInfo, parent: QWidget) -> None:
        super().__init__(session, tr("Style of “{layer}”", layer=layer.name), tr("Save"), parent, 620)
        self.layer = layer
        qml = session.project.style(layer.id) if session.project is not None else ""
        stored = from_qml(qml) if qml else None
        if qml and stored is None:
            self.notice.show_text(
                tr("This style was made in QGIS and is kept as it is."), "info", tr("Saving here replaces it.")
            )
        kind = self._plan_kind()
        self.style_ = stored or default_style(layer.geometry, plan_kind=kind, label_field=layer.label_field)
        self.classes = list(self.style_.classes)
        self._quiet = True
        self._build_kind()
        self._build_classes()
        self._build_symbol()
        self._build_labels()
        self.foot.insertWidget(1, button(tr("Apply"), self.apply))
        self._quiet = False
        self._show_classes()
        self._kind_shown()

    def _plan_kind(self) -> str:
        plans = self.session.project.plans() if self.session.project is not None else []
        return next((str(plan.kind) for plan in plans if plan.id == self.layer.plan_id), "")

    # building

    def _build_kind(self) -> None:
        self.kind, self.field = QComboBox(), QComboBox()
        for key, name in (
            ("single", tr("One symbol")),
            ("categorised", tr("By class")),
            ("graduated", tr("Graduated by a number")),
        ):
            self.kind.addItem(name, key)
        self.kind.setCurrentIndex(self.kind.findData(self.style_.kind))
        self.kind.currentIndexChanged.connect(self._kind_chosen)
        self.field.currentIndexChanged.connect(self._classify)
        self.steps = QSpinBox()
        self.steps.setRange(2, 12)
        self.steps.setValue(max(2, len(self.classes)) if self.style_.kind == "graduated" else 5)
        self.steps.valueChanged.connect(self._classify)
        self._field_label, self._steps_label = fact(tr("Field")), fact(tr("Number of classes"))
        form = self.form()
        form.addRow(fact(tr("Kind")), self.kind)
        form.addRow(self._field_label, self.field)
        form.addRow(self._steps_label, self.steps)
        self._fill_fields(self.style_.field or self.layer.class_field)

    def _build_classes(self) -> None:
        self.table = QTableWidget(0, 4)
        self.table.setProperty("look", "boxed")
        self.table.setHorizontalHeaderLabels([tr("Fill"), tr("Outline"), tr("Value"), tr("Label")])
        self.table.setShowGrid(False)
        self.table.verticalHeader().setVisible(False)
        self.table.verticalHeader().setDefaultSectionSize(self.session.theme.px(28))
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.horizontalHeader().setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        for number, width in ((0, 56), (1, 66), (2, 150)):
            self.table.setColumnWidth(number, self.session.theme.px(width))
        self.table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.cellDoubleClicked.connect(self._colour_cell)
        self.table.cellChanged.connect(self._label_typed)
        self.table.setToolTip(tr("Double-click a colour to change it"))
        self.body.addWidget(self.table)
        self.colour = button(tr("Fill colour…"), lambda: self._colour_rows(0))
        self.outline = button(tr("Outline colour…"), lambda: self._colour_rows(1))
        self.standard = button(tr("Standard colours"), self._classify)
        self.standard.setToolTip(tr("Classify again in the colours of the layer's class standard"))
        self.remove = button(tr("Remove classes"), self._remove_rows)
        self.body.addLayout(row(self.colour, self.outline, self.standard, self.remove, None, spacing=6))

    def _build_symbol(self) -> None:
        first = self.classes[0] if self.classes else StyleClass()
        self.stroke_width = QDoubleSpinBox()
        self.stroke_width.setRange(0.0, 5.0)
        self.stroke_width.setSingleStep(0.1)
        self.stroke_width.setDecimals(2)
        self.stroke_width.setSuffix(" mm")
        self.stroke_width.setValue(first.stroke_width)
        self.line_style = QComboBox()
        for key, name in (
            ("solid", tr("Solid")),
            ("dash", tr("Dashes")),
            ("dot", tr("Dots")),
            ("dash dot", tr("Dash, dot")),
            ("dash dot dot", tr("Dash, dot, dot")),
        ):
            self.line_style.addItem(name, key)
        self.line_style.setCurrentIndex(self.line_style.findData(first.line))
        self.fill_opacity = _slider(first.fill_opacity)
        self.opacity = _slider(self.layer.opacity)
        self.marker = QComboBox()
        for key, name in (
            ("circle", tr("Circle")),
            ("square", tr("Square")),
            ("diamond", tr("Diamond")),
            ("triangle", tr("Triangle")),
            ("cross", tr("Cross")),
        ):
            self.marker.addItem(name, key)
        self.marker.setCurrentIndex(self.marker.findData(first.marker))
        self.size_ = QDoubleSpinBox()
        self.size_.setRange(0.5, 20.0)
        self.size_.setSuffix(" mm")
        self.size_.setValue(first.size)
        form = self.form()
        form.addRow(fact(tr("Line style")), row(self.stroke_width, self.line_style, None))
        if self.layer.geometry == "point":
            form.addRow(fact(tr("Marker")), row(self.marker, self.size_, None))
        if self.layer.geometry == "polygon":
            form.addRow(fact(tr("Fill opacity")), _with_percent(self.fill_opacity))
        form.addRow(fact(tr("Layer opacity")), _with_percent(self.opacity))

    def _build_labels(self) -> None:
        self.label_field = QComboBox()
        self.label_field.addItem(tr("No labels"), "")
        for info in self.layer.fields:
            if info.type != "blob":
                self.label_field.addItem(info.alias or info.name, info.name)
        self.label_field.setCurrentIndex(max(0, self.label_field.findData(self.style_.label_field)))
        self.label_size = QDoubleSpinBox()
        self.label_size.setRange(4.0, 40.0)
        self.label_size.setDecimals(1)
        self.label_size.setSuffix(" pt")
        self.label_size.setValue(self.style_.label_size)
        self.label_scale = QComboBox()
        for scale in _SCALES:
            self.label_scale.addItem(
                tr("at every scale") if not scale else tr("from 1:{scale}", scale=f"{scale:,}"), scale
            )
        found = self.label_scale.findData(int(self.style_.label_min_scale))
        self.label_scale.setCurrentIndex(found if found >= 0 else 4)
        self.body.addWidget(line())
        form = self.form()
        form.addRow(fact(tr("Labels")), row(self.label_field, self.label_size, self.label_scale, None))

    # classes

    def _fill_fields(self, chosen: str) -> None:
        numeric = self.kind.currentData() == "graduated"
        self._quiet, before = True, self._quiet
        self.field.clear()
        for info in self.layer.fields:
            if info.type in ("integer", "real") or (not numeric and info.type != "blob"):
                self.field.addItem(info.alias or info.name, info.name)
        self.field.setCurrentIndex(max(0, self.field.findData(chosen)))
        self._quiet = before

    def _kind_shown(self) -> None:
        kind = self.kind.currentData()
        for part in (self.field, self._field_label):
            part.setVisible(kind != "single")
        for part in (self.steps, self._steps_label):
            part.setVisible(kind == "graduated")
        self.standard.setVisible(kind == "categorised")
        self.remove.setVisible(kind == "categorised")
        self.table.setFixedHeight(self.session.theme.px(64 if kind == "single" else 240))
        self.colour.setVisible(self.layer.geometry != "line")

    def _kind_chosen(self) -> None:
        self._fill_fields(self.field.currentData() or self.layer.class_field)
        self._kind_shown()
        if self.kind.currentData() == "single":
            plain = default_style(self.layer.geometry, plan_kind=self._plan_kind())
            self._take(plain if plain.kind == "single" else LayerStyle())
        else:
            self._classify()

    def _classify(self, *_: object) -> None:
        """Read the field's values in a job and make classes of them."""
        project, name, kind = self.session.project, self.field.currentData(), self.kind.currentData()
        if self._quiet or project is None or kind == "single":
            return
        if not name:
            self.complain(tr("This layer has no field for that."))
            return
        steps, layer, spoken = self.steps.value(), self.layer, language()

        def work(_progress: Any) -> LayerStyle:
            cells = project.read(layer.id, columns=[name], geometry=False).columns[name]
            if kind == "graduated":
                return graduated(name, [cell for cell in cells if isinstance(cell, int | float)], steps)
            values = list({str(cell) for cell in cells if cell not in (None, "")})
            standard = layer.class_standard if name == layer.class_field else ""
            return categorised(name, standard, values[:_MOST_CLASSES], layer.geometry, language=spoken)

        self.session.jobs.run(tr("Read values"), work, self._take, self._classify_failed, listed=False)

    def _classify_failed(self, error: Exception) -> None:
        self.complain(*self.session.word(error))

    def _take(self, style: LayerStyle) -> None:
        self.classes = list(style.classes)
        self._show_classes()
        if len(self.classes) > 60:
            self.notice.show_text(tr("{count} classes: is this the right field?", count=len(self.classes)), "warning")
        else:
            self.notice.hide()

    def _show_classes(self) -> None:
        blocked = self.table.blockSignals(True)
        self.table.setRowCount(len(self.classes))
        ratio, theme = self.devicePixelRatioF(), self.session.theme
        for number, one in enumerate(self.classes):
            for place, colours in ((0, (one.fill, one.fill)), (1, (one.stroke, one.stroke))):
                item = QTableWidgetItem()
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                geometry = "polygon" if place == 0 else "line"
                item.setData(
                    Qt.ItemDataRole.DecorationRole, swatch(geometry, [colours], theme.px(28), theme.px(14), ratio)
                )
                self.table.setItem(number, place, item)
            value = QTableWidgetItem(class_text(one))
            value.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            self.table.setItem(number, 2, value)
            self.table.setItem(number, 3, QTableWidgetItem(one.label))
        self.table.blockSignals(blocked)

    def _label_typed(self, number: int, place: int) -> None:
        item = self.table.item(number, place)
        if place == 3 and item is not None:
            self.classes[number] = replace(self.classes[number], label=item.text())

    def _rows(self) -> list[int]:
        chosen = sorted({index.row() for index in self.table.selectedIndexes()})
        return chosen or list(range(len(self.classes)))[:1]

    def _colour_cell(self, number: int, place: int) -> None:
        if place in (0, 1):
            self.table.selectRow(number)
            self._colour_rows(place)

    def _colour_rows(self, place: int) -> None:
        rows = self._rows()
        if not rows:
            return
        old = self.classes[rows[0]].fill if place == 0 else self.classes[rows[0]].stroke
        chosen = QColorDialog.getColor(swatch_colour(old or "#FFFFFF"), self, self.windowTitle())
        if chosen.isValid():
            self.paint(rows, place, chosen.name().upper())

    def paint(self, rows: list[int], place: int, colour: str) -> None:
        """Give these classes a fill (place 0) or outline (1)."""
        for number in rows:
            one = self.classes[number]
            self.classes[number] = replace(one, fill=colour) if place == 0 else replace(one, stroke=colour)
        self._show_classes()

    def _remove_rows(self) -> None:
        gone = {index.row() for index in self.table.selectedIndexes()}
        if len(gone) < len(self.classes):
            self.classes = [one for number, one in enumerate(self.classes) if number not in gone]
            self._show_classes()

    # saving

    def style_now(self) -> LayerStyle:
        """The style as the dialog stands."""
        classes = tuple(
            replace(
                one, stroke_width=self.stroke_width.value(), line=self.line_style.currentData(),
                fill_opacity=self.fill_opacity.value() / 100, marker=self.marker.currentData(), size=self.size_.value(),
            )
            for one in self.classes
        )  # fmt: skip
        kind = self.kind.currentData()
        return replace(
            self.style_, kind=kind, field="" if kind == "single" else self.field.currentData() or "", classes=classes,
            opacity=self.opacity.value() / 100, label_field=self.label_field.currentData(),
            label_size=self.label_size.value(), label_min_scale=float(self.label_scale.currentData()),
        )  # fmt: skip

    def apply(self) -> bool:
        """Write the style; the dialog stays."""
        from planner_app.project.commands import SetStyle

        if not self.classes:
            self.complain(tr("The style has no class."), tr("Choose another field, or one symbol."))
            return False
        style = self.style_now()
        command = SetStyle(self.layer.id, to_qml(style, self.layer.geometry), style.opacity)
        return self.session.execute(command, self) is not None

    def submit(self) -> None:
        """Write the style and close."""
        if self.apply():
            self.accept()


def class_text(one: StyleClass) -> str:
    """Value or range of a class as the table shows it."""
    if one.lower is not None and one.upper is not None:
        return f"{one.lower:,.6g} – {one.upper:,.6g}"
    return tr("everything else") if one.value is None else one.value


def _slider(share: float) -> QSlider:
    made = QSlider(Qt.Orientation.Horizontal)
    made.setRange(0, 100)
    made.setValue(round(share * 100))
    return made


def _with_percent(slider: QSlider) -> Any:
    shown = label(f"{slider.value()} %", "small")
    shown.setMinimumWidth(44)
    set_text: Callable[[int], None] = lambda value: shown.setText(f"{value} %")  # noqa: E731
    slider.valueChanged.connect(set_text)
    return row(slider, shown)
