"""Starts the desktop: window first, engine, plugins and project after it is on screen."""

from __future__ import annotations

import logging
import signal
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from planner_app.i18n import set_language, tr
from planner_app.ui.garbage import Garbage
from planner_app.ui.notify import DefectHook
from planner_app.ui.session import Session
from planner_app.ui.settings import Settings, config_folder
from planner_app.ui.theme import Theme

if TYPE_CHECKING:
    from planner_app.engine_client import EngineClient
    from planner_app.plugin_host import PluginHost
    from planner_app.ui.main_window import MainWindow

_log = logging.getLogger(__name__)


class Desktop(QObject):
    """Owns session and window; the window is made anew when the language changes."""

    def __init__(self, settings: Settings, engine: EngineClient | None, path: Path | None = None) -> None:
        super().__init__()
        set_language(settings.language)
        self.theme = Theme(settings.theme, self)
        self.theme.apply()
        self.session = Session(settings, self.theme, engine, self)
        self.hook = DefectHook(self)
        self.garbage = Garbage(self)
        self.host: PluginHost | None = None
        self._path = path
        self.window = self._make_window()

    def _make_window(self) -> MainWindow:
        from planner_app.ui.main_window import MainWindow

        window = MainWindow(self.session, self.host)
        window.language_chosen.connect(self.choose_language)
        self.hook.happened.connect(window.say_defect)
        return window

    def start(self) -> None:
        """Show the window, then load what it can live without for a moment."""
        self.hook.install()
        self.window.first_shown.connect(self._after_first_paint)
        self.window.show()
        if self.session.settings.maximised:
            self.window.showMaximized()

    def _after_first_paint(self) -> None:
        self.window.first_shown.disconnect(self._after_first_paint)
        if self._path is not None:
            self.session.open_project(self._path)
        if self.session.engine is not None:
            self.session.engine.start()
        heartbeat = QTimer(self)
        heartbeat.timeout.connect(lambda: None)  # a step of Python, in which a signal's handler can run
        heartbeat.start(1000)
        QTimer.singleShot(0, self, self.load_plugins)
        QTimer.singleShot(5000, self, self.garbage.start)

    def load_plugins(self) -> None:
        """Find and load plugins; the window gets their panels."""
        from planner_app.plugin_host import PluginHost

        host = PluginHost()
        host.load_uis()
        self.host = host
        self.window.add_plugins(host)

    def choose_language(self, language: str) -> None:
        """Change the language at once; while jobs run it waits for the next start, and says so."""
        settings = self.session.settings
        settings.language = language
        settings.save()
        if self.session.jobs.active():
            self.session.say(tr("The language changes at the next start: jobs are still running."))
            return
        old = self.window
        old.remember()
        set_language(language)
        self.theme.apply()
        view = old.canvas.extent() if self.session.project is not None else None
        self.hook.happened.disconnect(old.say_defect)
        self.window = self._make_window()
        self.window.show()
        if view is not None:
            QTimer.singleShot(0, self.window, lambda: self.window.canvas.zoom_to_extent(view, 0.0))
        old.canvas.close_canvas()
        old.hide()
        old.deleteLater()

    def shutdown(self) -> None:
        """Stop everything in the order that loses nothing."""
        self.garbage.stop()
        self.window.canvas.close_canvas()
        self.session.shutdown()
        self.hook.remove()


def _log_to_file() -> None:
    folder = config_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(folder / "planner.log", maxBytes=1_000_000, backupCount=2, encoding="utf-8")
    except OSError:
        return
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)


def run(path: str | Path | None = None) -> int:
    """Open the window (with a project file, if given) and return the exit code when it is closed."""
    _log_to_file()
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("planner")
    app.setDesktopFileName("planner")
    app.setStyle("Fusion")
    from planner_app.engine_client import EngineClient

    settings = Settings.load()
    desktop = Desktop(settings, EngineClient(), Path(path).resolve() if path is not None else None)
    app.aboutToQuit.connect(desktop.shutdown)
    for number in (signal.SIGINT, signal.SIGTERM):
        # Python runs handlers between two steps of its own; the heartbeat gives it one every second.
        signal.signal(number, lambda *_: app.quit())
    desktop.start()
    return app.exec()
