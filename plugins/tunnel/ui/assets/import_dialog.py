"""Importing a survey, CityGML or a layer: which column means what, what would come in, and the rows that are wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHeaderView, QLineEdit, QScrollArea, QTableWidget, QTableWidgetItem, QWidget

from planner_app.i18n import tr, word
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import Form, KeyFigures, TaskDialog, combo, label
from plugins.tunnel.model.assets.mapping import HEADS, TableMapping
from plugins.tunnel.ui.assets import words

if TYPE_CHECKING:
    from planner_app.domain.progress import Progress
    from plugins.tunnel.model.assets.draft import Draft
    from plugins.tunnel.model.assets.importing import ImportResult, Source

PATTERNS = "*.csv *.txt *.xlsx *.xlsm *.inp *.gml *.xml *.gpkg *.shp *.geojson *.dxf *.fgb"
#: Meanings offered for each role, the needed ones first.
_OFFERED = {
    "points": ("code", "x", "y", "ground_z", "feature", "appurtenance", "kind"),
    "lines": ("start", "end", "line_code", "kind", "dn", "material", "depth1", "depth2", "z1", "z2", "laying",
              "pressure", "voltage", "rating", "cables", "owner", "year", "status"),
    "joined": ("code", "end", "x", "y", "ground_z", "depth", "z", "kind", "dn", "material", "feature", "appurtenance",
               "laying", "pressure", "voltage", "rating", "cables", "owner", "year", "status"),
}  # fmt: skip
_MOST_ROWS = 300


class ImportDialog(TaskDialog):
    """Preview and import of one source."""

    def __init__(self, context: PanelContext, source: Source, parent: QWidget | None = None) -> None:
        super().__init__(context, tr("Import of {file}", file=source.path.name), tr("Import"), parent)
        self.source = source
        self.result: ImportResult | None = None  # type: ignore[assignment]
        self._draft: Draft | None = None
        self.name = QLineEdit(source.path.stem)
        self.sheet = combo(self._sheet_chosen)
        for sheet, _ in source.sheets:
            self.sheet.addItem(sheet, sheet)
        self.role = combo(self._mapping_changed)
        for key, text in (("", tr("not used")), ("points", tr("points")), ("lines", tr("lines")),
                          ("joined", tr("points and lines in one"))):  # fmt: skip
            self.role.addItem(text, key)
        form = Form()
        form.add(tr("Network"), self.name)
        self._table_rows = [form.add(tr("Table"), self.sheet), form.add(tr("It holds"), self.role)]
        self._columns = QWidget()
        self._grid = QGridLayout(self._columns)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self.choosers: dict[str, object] = {}
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(self._columns)
        self._area = area
        self.figures = KeyFigures(4)
        self.faults = QTableWidget(0, 3)
        self.faults.setHorizontalHeaderLabels([tr("Row"), tr("What is done"), tr("Why")])
        self.faults.verticalHeader().hide()
        self.faults.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.faults.setShowGrid(False)
        head = self.faults.horizontalHeader()
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        head.setStretchLastSection(True)
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.said = label("", "small", wrap=True)
        self.body.addWidget(form)
        self.body.addWidget(area, 2)
        self.body.addWidget(self.figures)
        self.body.addWidget(self.said)
        self.body.addWidget(self.faults, 1)
        self.resize(660, 720 if source.sheets else 460)
        for part in (self.sheet, self.role, area, *self._table_rows):
            part.setVisible(bool(source.sheets))
        self._sheet_chosen()
        self.preview()

    # the mapping

    def _sheet_chosen(self) -> None:
        table = self._table()
        self.role.setCurrentIndex(max(self.role.findData(table.role if table is not None else ""), 0))
        self._fill()

    def _table(self) -> TableMapping | None:
        return self.source.mapping.table(str(self.sheet.currentData() or ""))

    def _fill(self) -> None:
        """A chooser of columns for each meaning, two beside each other."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self.choosers = {}
        table, heads = self._table(), dict(self.source.sheets).get(str(self.sheet.currentData() or ""), [])
        role = str(self.role.currentData() or "")
        for at, meaning in enumerate(_OFFERED.get(role, ())):
            chooser = combo(self._mapping_changed)
            chooser.addItem("—", "")
            for head in heads:
                chooser.addItem(head, head)
            chosen = table.columns.get(meaning, "") if table is not None else ""
            chooser.setCurrentIndex(max(chooser.findData(chosen), 0))
            line, side = divmod(at, 2)
            self._grid.addWidget(label(words.meaning(meaning), "secondary"), line, side * 2)
            self._grid.addWidget(chooser, line, side * 2 + 1)
            self.choosers[meaning] = chooser
        self._grid.setColumnStretch(1, 1)
        self._grid.setColumnStretch(3, 1)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        self._area.setFixedHeight(min(self._columns.sizeHint().height() + 4, 300))

    def _mapping_changed(self) -> None:
        """Take over what the choosers say; look again."""
        sheet, role = str(self.sheet.currentData() or ""), str(self.role.currentData() or "")
        old = self._table()
        if old is None or old.role != role:
            columns = {key: head for key, head in (old.columns if old else {}).items() if key in HEADS}
        else:
            chosen = {key: str(one.currentData() or "") for key, one in self.choosers.items()}  # type: ignore[attr-defined]
            columns = {key: head for key, head in chosen.items() if head}
        rest = [one for one in self.source.mapping.tables if one.sheet != sheet]
        if role:
            rest.append(TableMapping(columns, role, sheet, old.kind if old is not None else ""))
        self.source.mapping = replace(self.source.mapping, tables=tuple(rest))
        if old is None or old.role != role:
            self._fill()
        self.preview()

    # what would come in

    def preview(self) -> None:
        """Read the source with the mapping as it is, store nothing."""
        project = self.context.project
        if project is None:
            return
        source, name = self.source, self.name.text().strip()

        def work(progress: Progress) -> Draft:
            from plugins.tunnel.model.assets.importing import draft_of

            return draft_of(project, source, name, progress)

        self._draft = None
        self.run(tr("Reading {file}", file=source.path.name), work, self._show)

    def _show(self, draft: Draft) -> None:
        self._draft = draft
        rejected = sum(not one.kept for one in draft.faults)
        self.figures.set(
            [(f"{len(draft.nodes):,}", tr("nodes")), (f"{len(draft.lines):,}", tr("lines")),
             (f"{rejected:,}", tr("rows left out")), (f"{len(draft.faults) - rejected:,}", tr("rows mended"))],
            ["", "", "fail" if rejected else "", "needs_certificate" if len(draft.faults) > rejected else ""],
        )  # fmt: skip
        self.said.setText("\n".join(word(code, params) for code, params in draft.notes))
        self.said.setVisible(bool(draft.notes))
        shown = sorted(draft.faults, key=lambda one: one.kept)[:_MOST_ROWS]
        self.faults.setRowCount(len(shown))
        for at, one in enumerate(shown):
            done = tr("mended") if one.kept else tr("left out")
            params = one.params | {"field": words.meaning(str(one.params.get("field", "")))}
            for column, text in enumerate((one.where, done, word(one.code, params))):
                cell = QTableWidgetItem(text)
                cell.setToolTip(text)
                self.faults.setItem(at, column, cell)
        self.faults.setVisible(bool(shown))

    def apply(self) -> None:
        """Store it."""
        project, source = self.context.project, self.source
        if project is None:
            return
        name = self.name.text().strip() or source.path.stem

        def work(progress: Progress) -> ImportResult:
            from plugins.tunnel.model.assets.importing import import_source

            return import_source(project, source, network=name, progress=progress)

        self.run(tr("Importing {file}", file=source.path.name), work, self._done)

    def _done(self, result: ImportResult) -> None:
        self.context.notify(
            tr("{lines} lines and {nodes} nodes came in as “{network}”.", lines=f"{result.lines:,}",
               nodes=f"{result.nodes:,}", network=result.network),
            level="success",
        )  # fmt: skip
        self.accept()


def open_import(context: PanelContext, path: Path, parent: QWidget) -> None:
    """Look into a file and open the dialog; EPANET files come in at once."""
    project = context.project
    if project is None:
        return

    def work(progress: Progress) -> object:
        if path.suffix.casefold() == ".inp":
            from plugins.tunnel.model.network.project_network import import_epanet

            return import_epanet(project, path, progress=progress)
        from plugins.tunnel.model.assets.importing import look_into

        return look_into(project, path)

    def opened(found: object) -> None:
        from plugins.tunnel.model.assets.importing import Source

        if isinstance(found, Source):
            ImportDialog(context, found, parent).show()
        else:
            network, lines = found.network, found.lines  # type: ignore[attr-defined]
            context.notify(tr("{lines} lines came in as “{network}”.", lines=f"{lines:,}", network=network),
                           level="success")  # fmt: skip

    context.run_job(tr("Reading {file}", file=path.name), work, opened)
