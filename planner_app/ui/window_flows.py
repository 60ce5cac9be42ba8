"""What a person does with the program as a whole: theme, map engine, printing, what it is made of."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from planner_app.i18n import tr, word
from planner_app.ui.session import Session

if TYPE_CHECKING:
    from planner_app.ui.main_window import MainWindow

PROJECT_SUFFIXES = (".sqlite", ".db", ".spatialite")


class WindowFlows(QObject):
    """Dialogs and switches that belong to no project."""

    def __init__(self, session: Session, window: MainWindow) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def switch_theme(self) -> None:
        """Light to dark and back."""
        self.choose_theme("light" if self._session.theme.is_dark() else "dark")

    def choose_theme(self, mode: str) -> None:
        """``system`` | ``light`` | ``dark``, kept."""
        self._session.settings.theme = mode
        self._session.settings.save()
        self._session.theme.set_mode(mode)

    def restart_engine(self) -> None:
        """Stop and start the map engine."""
        engine = self._session.engine
        if engine is None:
            return
        if engine.process_id and engine.state in ("ready", "busy", "starting", "restarting"):
            # The client starts another one when its process ends, and keeps views and waiting renders.
            with contextlib.suppress(OSError):
                os.kill(engine.process_id, signal.SIGTERM)
        else:
            engine.start()

    def engine_changed(self, state: str) -> None:
        """Say it if there is no map any more."""
        if state == "failed":
            self._window.say(
                "error",
                tr("The map engine keeps stopping; the map cannot be drawn."),
                tr("Your data are safe. Start it again from “Engine stopped” at the bottom right; the log says more."),
            )
        elif state == "missing":
            self._window.say("error", word("engine.missing"), word("engine.missing", key="hint"))

    def print_map(self) -> None:
        """Ask for paper and file, then print what the map shows."""
        from planner_app.ui.dialogs.print_dialog import PrintDialog
        from planner_app.ui.map_picture import print_sheet

        session, window = self._session, self._window
        dialog = PrintDialog(session, window.flows.folder(), window)
        dialog.wanted.connect(
            lambda path, title, note, paper: print_sheet(session, window.canvas.extent(), path, title, note, paper)
        )
        dialog.open()

    def select_by_expression(self) -> None:
        """Select features of a layer by a condition on their attributes."""
        from planner_app.ui.tools.select_expression import SelectExpressionDialog

        dialog = SelectExpressionDialog(self._session, self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def show_plugins(self) -> None:
        """Which plugins are loaded and which were left out."""
        from planner_app.ui.dialogs.about import PluginsDialog

        PluginsDialog(self._session, self._window.host, self._window).open()

    def show_about(self) -> None:
        """Version, licence, shortcuts."""
        from planner_app.ui.dialogs.about import AboutDialog

        AboutDialog(self._session, self._window.commands, self._window).open()

    def take(self, files: Sequence[Path]) -> None:
        """Files were dropped on the window: a project is opened, anything else imported into the open one."""
        projects = [file for file in files if file.suffix.lower() in PROJECT_SUFFIXES]
        if projects:
            self._window.flows.open_path(projects[0])
        elif files and self._session.project is not None:
            self._window.layer_flows.import_layer(files[0])
        elif files:
            self._session.say(
                tr("“{name}” is not a project file.", name=files[0].name), "warning",
                tr("Open or make a project first; then files dropped on the window are imported into it."),
            )  # fmt: skip
