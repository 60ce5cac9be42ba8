"""New project: name, file, coordinate system. CGCS2000 zones stand first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QListWidget, QListWidgetItem, QWidget

from planner_app.i18n import tr
from planner_app.ui.controls import button, column, label, row
from planner_app.ui.crs_names import crs_code, crs_name
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session


class CrsList(QWidget):
    """A list of coordinate systems with a search field; ``crs()`` is the chosen one or ""."""

    changed = Signal()

    def __init__(self, session: Session, chosen: str = "", extra: str = "") -> None:
        super().__init__()
        from planner_app.domain.crs import chooser_list

        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search by name, meridian or EPSG number"))
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setProperty("look", "boxed")
        self.list.setMinimumHeight(session.theme.px(190))
        entries = [(code, crs_name(code, name)) for code, name in chooser_list()]
        if extra and extra not in [code for code, _ in entries]:
            entries.insert(0, (extra, crs_name(extra)))
        for code, name in entries:
            item = QListWidgetItem(f"{name}    {code}")
            item.setData(Qt.ItemDataRole.UserRole, code)
            self.list.addItem(item)
            if code == chosen:
                self.list.setCurrentItem(item)
        self.search.textChanged.connect(self._filter)
        self.list.currentItemChanged.connect(lambda *_: self.changed.emit())
        self.setLayout(column(self.search, self.list, spacing=6))

    def crs(self) -> str:
        """``EPSG:n`` of the chosen line, or of a number typed that is in no line; else ""."""
        item = self.list.currentItem()
        if item is not None and not item.isHidden():
            return str(item.data(Qt.ItemDataRole.UserRole))
        typed = self.search.text().strip().upper()
        typed = typed if typed.startswith("EPSG:") else f"EPSG:{typed}"
        return typed if crs_code(typed) else ""

    def choose(self, crs: str) -> None:
        """Mark a line."""
        for number in range(self.list.count()):
            if self.list.item(number).data(Qt.ItemDataRole.UserRole) == crs:
                self.list.setCurrentRow(number)
                self.list.scrollToItem(self.list.item(number))

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        first = None
        for number in range(self.list.count()):
            item = self.list.item(number)
            shown = all(word in item.text().casefold() for word in words)
            item.setHidden(not shown)
            first = first if first is not None or not shown else item
        current = self.list.currentItem()
        if first is not None and (current is None or current.isHidden()):
            self.list.setCurrentItem(first)
        self.changed.emit()


class NewProjectDialog(FormDialog):
    """Emits ``chosen(path, crs, name)``."""

    chosen = Signal(Path, str, str)

    def __init__(self, session: Session, folder: str, parent: QWidget) -> None:
        super().__init__(session, tr("New project"), tr("Create"), parent, 560)
        self.name = QLineEdit(tr("Untitled"))
        self.path = QLineEdit()
        self._folder, self._path_typed = folder, False
        self.path.textEdited.connect(self._typed)
        self.name.textChanged.connect(self._suggest)
        form = self.form()
        form.addRow(fact(tr("Name")), self.name)
        place = row(spacing=6)
        place.addWidget(self.path, 1)
        place.addWidget(button(tr("Browse…"), self._browse))
        form.addRow(fact(tr("File")), place)
        self.heading(tr("Coordinate system"))
        self.crs = CrsList(session, session.settings.city_crs)
        self.crs.choose(session.settings.city_crs)
        self.body.addWidget(self.crs, 1)
        self.body.addWidget(
            label(
                tr("All layers are brought into this system on import. It cannot be changed later."), "small", wrap=True
            )
        )
        self._suggest()
        self.name.selectAll()
        self.name.setFocus()

    def _typed(self) -> None:
        self._path_typed = True

    def _suggest(self) -> None:
        if not self._path_typed:
            stem = "".join("_" if c in '\\/:*?"<>|' else c for c in self.name.text().strip()) or "project"
            self.path.setText(str(Path(self._folder) / f"{stem}.sqlite"))

    def _browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("New project"), self.path.text(), tr("Projects (*.sqlite)"))
        if name:
            self.path.setText(name if Path(name).suffix else f"{name}.sqlite")
            self._path_typed = True

    def submit(self) -> None:
        """Check and hand over."""
        path, name, crs = Path(self.path.text().strip()), self.name.text().strip(), self.crs.crs()
        if not name:
            self.complain(tr("The project needs a name."))
        elif not path.name or not path.parent.is_dir():
            self.complain(
                tr("The folder “{folder}” does not exist.", folder=str(path.parent)), tr("Choose another place.")
            )
        elif path.exists():
            self.complain(tr("“{name}” exists already.", name=path.name), tr("Choose another name, or open it."))
        elif not crs:
            self.complain(tr("Choose a coordinate system."), tr("Most cities use CGCS2000 with a 3° zone."))
        else:
            self.chosen.emit(path, crs, name)
            self.accept()
