"""Which column of the detailed zoning holds which condition, and in which unit; kept in the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.model import PlannerError
from planner_app.plugin_api.widgets import Form, combo, label, px
from plugins.review.ui.dialog import ReviewDialog, in_cell
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from plugins.review.model.conditions.mapping import FieldMapping

_SAMPLES = 3


def key_word(key: str) -> str:
    """What a column of the detailed zoning may hold."""
    return {
        "parcel": tr("Parcel number"), "use": tr("Land use"), "compatible": tr("Compatible uses"),
        "compatible_share": tr("Compatible uses, at most"), "site_area_m2": tr("Site area"), "far_max": tr("FAR, most"),
        "far_min": tr("FAR, least"), "density_max": tr("Density, most"), "green_min": tr("Green ratio, least"),
        "height_max": tr("Height, most"), "setback": tr("Setbacks, as text"), "setback_N": tr("Setback, north"),
        "setback_E": tr("Setback, east"), "setback_S": tr("Setback, south"), "setback_W": tr("Setback, west"),
        "setback_road": tr("Setback, roads"), "parking": tr("Parking"),
        "number": tr("Document"), "issued": tr("Issued"),
    }.get(key, key)  # fmt: skip


def _units(key: str) -> list[tuple[str, str]]:
    if key == "site_area_m2":
        return [("m2", "m²"), ("ha", "ha"), ("mu", tr("mu (亩)"))]
    if key in ("density_max", "green_min", "compatible_share", "far_max", "far_min"):
        return [("fraction", tr("fraction")), ("percent", "%")]
    return []


class MappingDialog(ReviewDialog):
    """The editor: a line per condition, with the column it is read from, its unit and what stands there."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Field mapping of the detailed zoning"), tr("Save"), parent)
        self._mappings: dict[str, FieldMapping] = {}
        self._samples: dict[str, dict[str, list[str]]] = {}
        self._layers: list[LayerInfo] = []
        self._rows: list[tuple[QComboBox, QComboBox]] = []
        self.layer = combo(self._fill)
        form = Form()
        form.add(tr("Layer"), self.layer)
        self.table = QTableWidget(0, 4)
        self.table.setHorizontalHeaderLabels([tr("Condition"), tr("Column"), tr("Unit"), tr("What stands there")])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(px(36))
        self.table.setShowGrid(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.table.setColumnWidth(0, px(190))
        self.table.setColumnWidth(1, px(280))
        self.table.setColumnWidth(2, px(125))
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        explanation = label(
            tr("Conditions are read from these columns. What is set here is kept in the project."),
            "secondary",
            wrap=True,
        )
        for widget in (explanation, form, self.table):
            self.body.addWidget(widget)
        self.add_button(tr("Guess anew"), self._guess)
        self.fit(920, 660)
        self._load()

    def _load(self) -> None:
        project = self.state.project
        if project is None:
            return

        def work(
            progress: Progress,
        ) -> tuple[list[LayerInfo], dict[str, FieldMapping], dict[str, dict[str, list[str]]]]:
            from plugins.review.model.conditions.from_layer import detailed_layers
            from plugins.review.model.conditions.mapping import mapping_of

            first = [one.layer for one in detailed_layers(project)]
            known = {one.id for one in first}
            layers = [*first, *(one for one in project.layers() if one.geometry == "polygon" and not one.role
                                and one.id not in known)]  # fmt: skip
            samples = {}
            for layer in layers:
                columns = project.read(layer.id, geometry=False, limit=30).columns
                samples[layer.id] = {
                    name: list(dict.fromkeys(str(one) for one in values if one not in (None, "")))[:_SAMPLES]
                    for name, values in columns.items()
                }
            return layers, {one.id: mapping_of(project, one) for one in layers}, samples

        self.run(tr("Reading layers"), work, self._loaded)

    def _loaded(self, found: tuple[list[LayerInfo], dict[str, FieldMapping], dict[str, dict[str, list[str]]]]) -> None:
        self._layers, self._mappings, self._samples = found
        for layer in self._layers:
            self.layer.addItem(layer.name, layer.id)
        if not self._layers:
            self.notice.say(
                tr("This project has no polygon layer."), tr("Import the detailed zoning plan first."), "warning"
            )
            if self.ok is not None:
                self.ok.setEnabled(False)
        self._fill()

    def _fill(self) -> None:
        mapping = self._mappings.get(self.layer.currentData() or "")
        if mapping is not None:
            self._show(mapping)

    def _show(self, mapping: FieldMapping) -> None:
        from plugins.review.model.conditions.mapping import KEYS

        layer = next(one for one in self._layers if one.id == self.layer.currentData())
        self.table.setRowCount(0)
        self._rows = []
        for row, key in enumerate(KEYS):
            self.table.insertRow(row)
            self.table.setItem(row, 0, QTableWidgetItem(key_word(key)))
            column, unit = combo(), combo()
            column.addItem(tr("not in this layer"), "")
            for one in layer.fields:
                column.addItem(f"{one.alias} ({one.name})" if one.alias else one.name, one.name)
            column.setCurrentIndex(max(column.findData(mapping.fields.get(key, "")), 0))
            column.activated.connect(lambda _, row=row: self._say_sample(row))
            for code, text in _units(key):
                unit.addItem(text, code)
            unit.setCurrentIndex(max(unit.findData(mapping.units.get(key, "")), 0))
            self.table.setCellWidget(row, 1, in_cell(column))
            if unit.count():
                self.table.setCellWidget(row, 2, in_cell(unit))
            self._rows.append((column, unit))
            self._say_sample(row)

    def _say_sample(self, row: int) -> None:
        name = self._rows[row][0].currentData()
        samples = self._samples.get(self.layer.currentData() or "", {}).get(name, [])
        self.table.setItem(row, 3, QTableWidgetItem(" · ".join(samples)))

    def mapping(self) -> FieldMapping:
        """As edited."""
        from plugins.review.model.conditions.mapping import KEYS, FieldMapping

        fields, units = {}, {}
        for key, (column, unit) in zip(KEYS, self._rows, strict=True):
            if column.currentData():
                fields[key] = str(column.currentData())
                if unit.count():
                    units[key] = str(unit.currentData())
        return FieldMapping(fields, units)

    def _guess(self) -> None:
        from plugins.review.model.conditions.mapping import guess_mapping

        project, layer_id = self.state.project, self.layer.currentData()
        layer = next((one for one in self._layers if one.id == layer_id), None)
        if project is not None and layer is not None:
            self._show(guess_mapping(layer, project.read(layer.id, geometry=False, limit=500).columns))

    def apply(self) -> None:
        """Keep the mapping in the project."""
        from plugins.review.model.conditions.mapping import keep_mapping

        layer = next((one for one in self._layers if one.id == self.layer.currentData()), None)
        if self.state.project is None or layer is None:
            self.reject()
            return
        try:
            keep_mapping(self.state.project, layer, self.mapping())
        except PlannerError as error:
            self.say(error)
            return
        self.accept()
