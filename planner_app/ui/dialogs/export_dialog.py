"""Export: format, whole layer or selection, file."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QLineEdit, QRadioButton, QWidget

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr
from planner_app.ui.controls import button, column, row
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session

FORMATS = (
    ("GeoPackage", ".gpkg"),
    ("GeoJSON", ".geojson"),
    ("Shapefile", ".shp"),
    ("Excel", ".xlsx"),
    ("CSV", ".csv"),
)


class ExportDialog(FormDialog):
    """Emits ``wanted(layer id, path, fids or None)``."""

    wanted = Signal(str, Path, object)

    def __init__(self, session: Session, layer: LayerInfo, parent: QWidget) -> None:
        super().__init__(session, tr("Export “{layer}”", layer=layer.name), tr("Export"), parent)
        self.layer = layer
        self.format = QComboBox()
        for name, suffix in FORMATS:
            if layer.geometry != "none" or suffix in (".xlsx", ".csv", ".gpkg"):
                self.format.addItem(f"{name} ({suffix})", suffix)
        folder = Path(session.settings.last_folder or Path.home())
        stem = "".join("_" if c in '\\/:*?"<>|' else c for c in layer.name)
        self.path = QLineEdit(str(folder / f"{stem}{self.format.currentData()}"))
        self.format.currentIndexChanged.connect(self._suffix)
        place = row(spacing=6)
        place.addWidget(self.path, 1)
        place.addWidget(button(tr("Browse…"), self._browse))
        self.fids = session.selection.fids(layer.id)
        total = session.project.count(layer.id) if session.project is not None else 0
        self.all = QRadioButton(tr("All {count} features", count=f"{total:,}"))
        self.selected = QRadioButton(tr("The {count} selected features", count=f"{len(self.fids):,}"))
        self.selected.setEnabled(bool(self.fids))
        (self.selected if self.fids else self.all).setChecked(True)
        form = self.form()
        form.addRow(fact(tr("Format")), self.format)
        form.addRow(fact(tr("File")), place)
        form.addRow(fact(tr("What")), column(self.all, self.selected, spacing=4))

    def _suffix(self) -> None:
        self.path.setText(str(Path(self.path.text()).with_suffix(self.format.currentData())))

    def _browse(self) -> None:
        suffix = self.format.currentData()
        name, _ = QFileDialog.getSaveFileName(self, self.windowTitle(), self.path.text(), f"*{suffix}")
        if name:
            self.path.setText(str(Path(name).with_suffix(suffix)))

    def submit(self) -> None:
        """Check and hand over."""
        path = Path(self.path.text().strip())
        if not path.parent.is_dir():
            self.complain(
                tr("The folder “{folder}” does not exist.", folder=str(path.parent)), tr("Choose another place.")
            )
            return
        self.session.settings.last_folder = str(path.parent)
        self.wanted.emit(self.layer.id, path, self.fids if self.selected.isChecked() else None)
        self.accept()
