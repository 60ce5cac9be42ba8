"""The third party's panel: names the project's layers."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from planner_app.plugin_api.ui import Panel, PanelContext, UiApi


class HeritagePanel(QWidget):
    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.names = QLabel()
        QVBoxLayout(self).addWidget(self.names)
        context.project_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        project = self._context.project
        self.names.setText("\n".join(layer.name for layer in project.layers()) if project else "")


def register(api: UiApi) -> None:
    api.add_panel(Panel("heritage", "Heritage", "map", HeritagePanel, order=900))
