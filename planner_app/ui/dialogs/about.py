"""About, shortcuts, plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from planner_app import __version__
from planner_app.i18n import language, tr
from planner_app.ui.actions import ActionRegistry
from planner_app.ui.controls import Notice, ThemedIcon, label, row
from planner_app.ui.dialogs.form_dialog import FormDialog
from planner_app.ui.session import Session

if TYPE_CHECKING:
    from planner_app.plugin_host import PluginHost


class AboutDialog(FormDialog):
    """Version, licences, and every shortcut."""

    def __init__(self, session: Session, actions: ActionRegistry, parent: QWidget) -> None:
        super().__init__(session, tr("About and shortcuts"), "", parent, 560)
        self.body.addWidget(label(tr("Planner {version}", version=__version__), "figure"))
        licence = tr("Free software under the GPL, version 3 or later. The map is drawn by QGIS; icons: Lucide (ISC).")
        self.body.addWidget(label(licence, "secondary", wrap=True))
        self.heading(tr("Shortcuts"))
        specs = [spec for spec in actions.specs() if spec.shortcut]
        table = QTableWidget(len(specs), 2)
        table.setProperty("look", "boxed")
        table.setHorizontalHeaderLabels([tr("What"), tr("Keys")])
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.verticalHeader().setVisible(False)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number, spec in enumerate(specs):
            table.setItem(number, 0, QTableWidgetItem(spec.title.rstrip("…")))
            table.setItem(number, 1, QTableWidgetItem(spec.shortcut.replace(";", ", ")))
        table.setMinimumHeight(session.theme.px(320))
        self.body.addWidget(table, 1)


class PluginsDialog(FormDialog):
    """Loaded plugins, and those left out with the reason."""

    def __init__(self, session: Session, host: PluginHost | None, parent: QWidget) -> None:
        super().__init__(session, tr("Plugins"), "", parent)
        if host is None:
            self.body.addWidget(label(tr("Plugins are still being loaded."), "secondary"))
            return
        left_out = {failure.plugin for failure in host.failures}
        for manifest in host.manifests:
            if manifest.id in left_out:
                continue
            name = manifest.name_zh if language() == "zh_CN" else manifest.name
            line = row(ThemedIcon(session.theme, "circle-check", 16, "pass"), spacing=8)
            line.addWidget(label(name), 1)
            line.addWidget(label(manifest.version, "tertiary"))
            self.body.addLayout(line)
        for failure in host.failures:
            notice = Notice(session.theme)
            notice.show_text(failure.plugin, "error", failure.sentence)
            self.body.addWidget(notice)
        from planner_app.plugin_host import user_folder

        where = tr("Put a plugin's folder into {folder} and start again.", folder=str(user_folder()))
        self.body.addWidget(label(where, "small", wrap=True, selectable=True))
