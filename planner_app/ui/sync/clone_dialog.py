"""Fetching a project of the server into a file: which layers, which area, where to."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QRadioButton,
    QWidget,
)

from planner_app.i18n import tr
from planner_app.sync.types import LayerDef, ProjectDef, Scope
from planner_app.ui.controls import button, label, row
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session
from planner_app.ui.sync.area_picker import MOST, AreaPicker
from planner_app.ui.sync.line import Line

if TYPE_CHECKING:
    from planner_app.sync.transport import Transport


def read_layers(transport: Transport, project: str) -> list[LayerDef]:
    """The layers the user may read, plan by plan. For the line's thread."""
    with transport.pull(project, 0) as pull:
        return sorted(pull.layers, key=lambda one: (one.cells.get("plan_id", ""), one.cells.get("name") or one.table))


def read_outlines(transport: Transport, project: str, layer: str) -> Any:
    """Geometries of a layer as a shapely array, some thousands at most. For the line's thread."""
    import numpy as np
    import shapely

    with transport.pull(project, 0) as pull:
        rows = [one.geometry for one in islice(pull.rows(layer, Scope()), MOST) if one.geometry is not None]
    return shapely.from_wkb(np.array(rows, dtype=object))


class CloneDialog(FormDialog):
    """Emits ``wanted(project name, path, Scope)``."""

    wanted = Signal(str, Path, object)

    def __init__(
        self, session: Session, conninfo: str, password: str | None, project: ProjectDef, folder: str, parent: QWidget
    ) -> None:
        super().__init__(session, tr("Open “{name}” of the server", name=project.name), tr("Fetch"), parent, 620)
        self._project, self._layers = project, list[LayerDef]()
        self._line = Line("choosing", self)
        backend = session.sync.backend
        self._line.connect_by(lambda: backend.connect(conninfo, password))
        stem = "".join("_" if c in '\\/:*?"<>|' else c for c in project.name.strip()) or "project"
        self.path = QLineEdit(str(Path(folder) / f"{stem}.sqlite"))
        place = row(spacing=6)
        place.addWidget(self.path, 1)
        place.addWidget(button(tr("Browse…"), self._browse))
        form = self.form()
        form.addRow(fact(tr("File")), place)
        self.heading(tr("Layers"))
        self.layers = QListWidget()
        self.layers.setProperty("look", "boxed")
        self.layers.setFixedHeight(session.theme.px(150))
        self.layers.itemChanged.connect(lambda _: self._count())
        self.body.addWidget(self.layers)
        self.count = label(tr("Asking the server…"), "small")
        marks = row(self.count, None, spacing=4)
        marks.addWidget(button(tr("Choose all"), lambda: self._mark(Qt.CheckState.Checked), "link"))
        marks.addWidget(button(tr("Choose none"), lambda: self._mark(Qt.CheckState.Unchecked), "link"))
        self.body.addLayout(marks)
        self.heading(tr("Extent"))
        self.whole, self.part = QRadioButton(tr("Everything")), QRadioButton(tr("Only what I draw here"))
        self.whole.setChecked(True)
        self.ground = QComboBox()
        self.ground.setMinimumWidth(session.theme.px(170))
        self.ground.setToolTip(tr("The layer shown to find one's way"))
        self._to_try: list[str] = []
        self.ground.activated.connect(lambda _: self._ground_chosen())
        self.body.addLayout(row(self.whole, self.part, None, label(tr("Shown"), "secondary"), self.ground, spacing=12))
        self.picker = AreaPicker(session.theme)
        self.picker.changed.connect(lambda: self.part.setChecked(True))
        self.whole.clicked.connect(lambda *_: self.picker.set_box(None))
        self.body.addWidget(self.picker, 1)
        self.picker.say(tr("Asking the server…"))
        self._line.ask(lambda transport: read_layers(transport, project.uuid), self._show_layers, self._failed)
        self.finished.connect(lambda _: self._line.close(0.0))

    def _failed(self, error: Exception) -> None:
        self.complain(*self.session.word(error))
        self.picker.say("")

    def _browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, self.windowTitle(), self.path.text(), tr("Projects (*.sqlite)"))
        if name:
            self.path.setText(name if Path(name).suffix else f"{name}.sqlite")

    def _show_layers(self, layers: list[LayerDef]) -> None:
        self._layers = layers
        for one in layers:
            name = one.cells.get("name") or one.table
            item = QListWidgetItem(name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            item.setData(Qt.ItemDataRole.UserRole, one.uuid)
            self.layers.addItem(item)
            if one.geometry != "none":
                self.ground.addItem(name, one.uuid)
        self._count()
        if self.ground.count():
            self._to_try = [one.uuid for one in layers if one.geometry == "polygon"][:4]
            self._try_ground()
        else:
            self.picker.say(tr("The project has no layers with a place."))

    def _try_ground(self) -> None:
        """A layer that shows something, if one of the first does."""
        if self._to_try:
            self.ground.setCurrentIndex(self.ground.findData(self._to_try.pop(0)))
        self._show_ground()

    def _show_ground(self) -> None:
        layer = self.ground.currentData()
        self.picker.say(tr("Asking the server…"))

        def show(found: Any) -> None:
            if not len(found) and self._to_try:
                self._try_ground()
            elif layer == self.ground.currentData():
                self.picker.show_geometries(found)

        self._line.ask(lambda transport: read_outlines(transport, self._project.uuid, layer), show, self._failed)

    def _ground_chosen(self) -> None:
        self._to_try = []
        self._show_ground()

    def _chosen(self) -> list[str]:
        items = [self.layers.item(number) for number in range(self.layers.count())]
        return [
            str(item.data(Qt.ItemDataRole.UserRole)) for item in items if item.checkState() == Qt.CheckState.Checked
        ]

    def _count(self) -> None:
        self.count.setText(tr("{count} of {all} layers", count=len(self._chosen()), all=self.layers.count()))

    def _mark(self, state: Qt.CheckState) -> None:
        for number in range(self.layers.count()):
            self.layers.item(number).setCheckState(state)

    def submit(self) -> None:
        """Check and hand over."""
        path, chosen = Path(self.path.text().strip()), self._chosen()
        if not path.name or not path.parent.is_dir():
            self.complain(
                tr("The folder “{folder}” does not exist.", folder=str(path.parent)), tr("Choose another place.")
            )
        elif path.exists():
            self.complain(tr("“{name}” exists already.", name=path.name), tr("Choose another name, or open it."))
        elif self._layers and not chosen:
            self.complain(tr("Choose at least one layer."))
        elif self.part.isChecked() and self.picker.box is None:
            self.complain(tr("Draw the area: press on the map, drag, let go."))
        else:
            layers = None if len(chosen) == len(self._layers) else frozenset(chosen)
            self.session.settings.last_folder = str(path.parent)
            box = self.picker.box if self.part.isChecked() else None
            self.wanted.emit(self._project.name, path, Scope(layers, box))
            self.accept()
