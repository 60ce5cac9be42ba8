"""What a person does with layers: import, export, style, plan, properties, remove."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QWidget

from planner_app.i18n import language, tr, word
from planner_app.ui.session import Session

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.project.exchange import ExportReport, ImportReport, SourceInfo

PATTERNS = "*.shp *.gpkg *.geojson *.json *.gml *.dxf *.csv *.txt *.zip"


class LayerFlows(QObject):
    """Dialogs and jobs around layers."""

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self.session, self.window = session, window

    def current(self) -> LayerInfo | None:
        """The current layer."""
        return self.session.layer(self.session.current_layer)

    # in and out

    def import_layer(self, source: Path | None = None) -> None:
        """Ask for a file (unless given), look into it in a job, then show the import dialog."""
        if self.session.project is None:
            return
        if source is None:
            name, _ = QFileDialog.getOpenFileName(
                self.window, tr("Import a layer"), self.session.settings.last_folder,
                tr("Map data ({patterns})", patterns=PATTERNS) + ";;" + tr("All files (*)"),
            )  # fmt: skip
            if not name:
                return
            source = Path(name)
        self.session.settings.last_folder = str(source.parent)
        path = source

        def work(progress: Any) -> SourceInfo:
            from planner_app.project.exchange import inspect

            return inspect(path, progress=progress)

        def show(info: SourceInfo) -> None:
            from planner_app.ui.dialogs.import_dialog import ImportDialog

            dialog = ImportDialog(self.session, path, info, self.window)
            dialog.wanted.connect(self.run_import)
            dialog.open()

        self.session.jobs.run(tr("Look into {name}", name=path.name), work, show)

    def run_import(self, path: Path, options: dict[str, Any]) -> None:
        """Import with the choices of the dialog; the result says what was repaired and rejected."""
        project = self.session.project
        if project is None:
            return

        spoken = language()

        def work(progress: Any) -> ImportReport:
            from planner_app.project.exchange import import_layer

            return import_layer(project, path, progress=progress, language=spoken, **options)

        def done(report: ImportReport) -> None:
            self.session.set_current_layer(report.layer.id)
            text = tr("“{layer}”: {count} features imported.", layer=report.layer.name, count=f"{report.features:,}")
            if report.repaired or report.rejected or report.warnings:
                from planner_app.ui.dialogs.import_result import ImportResultDialog

                ImportResultDialog(self.session, report, self.window).open()
            self.session.say(text, "success")

        self.session.jobs.run(tr("Import {name}", name=path.name), work, done)

    def export_layer(self) -> None:
        """Ask what and where to, then write it."""
        layer = self.current()
        if layer is None:
            return
        from planner_app.ui.dialogs.export_dialog import ExportDialog

        dialog = ExportDialog(self.session, layer, self.window)
        dialog.wanted.connect(self.run_export)
        dialog.open()

    def run_export(self, layer_id: str, path: Path, fids: object) -> None:
        """Write a layer (or these features of it) to a file."""
        project = self.session.project
        if project is None:
            return
        chosen = list(fids) if isinstance(fids, tuple | list) and fids else None

        def work(progress: Any) -> ExportReport:
            from planner_app.project.exchange import export_layer

            return export_layer(project, layer_id, path, fids=chosen, progress=progress)

        def done(report: ExportReport) -> None:
            hint = " ".join(word(note.code, note.params) for note in report.warnings)
            self.session.say(tr("Exported to “{path}”.", path=str(path)), "warning" if hint else "success", hint)

        self.session.jobs.run(tr("Export {name}", name=path.name), work, done)

    # how it looks and what it is

    def style(self) -> None:
        """The style editor of the current layer."""
        layer = self.current()
        if layer is not None:
            from planner_app.ui.dialogs.style_editor import StyleEditor

            StyleEditor(self.session, layer, self.window).open()

    def plan(self) -> None:
        """Plan, class field and class standard of the current layer."""
        layer = self.current()
        if layer is not None:
            from planner_app.ui.dialogs.plan_editor import PlanEditor

            PlanEditor(self.session, layer, self.window).open()

    def properties(self) -> None:
        """What is known about the current layer."""
        layer = self.current()
        if layer is not None:
            from planner_app.ui.dialogs.properties import LayerDialog

            LayerDialog(self.session, layer, self.window).open()

    def remove(self) -> None:
        """Take the current layer out of the project; undo brings it back."""
        from planner_app.project.commands import DropLayer

        layer = self.current()
        if layer is not None and self.session.execute(DropLayer(layer.id), self) is not None:
            self.session.say(tr("“{layer}” was removed. Undo (Ctrl+Z) brings it back.", layer=layer.name))
