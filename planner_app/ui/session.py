"""What the window works on: the open project, the engine, the one selection, jobs, settings, theme.

No widgets here. Every view refreshes from ``data_changed(changeset, initiator)``, whoever made the change.
"""

from __future__ import annotations

import getpass
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.i18n import tr, word, word_error
from planner_app.ui.jobs import Job, JobRunner
from planner_app.ui.sync.attachments import Attachments
from planner_app.ui.sync.service import SyncService

if TYPE_CHECKING:
    from collections.abc import Callable

    from planner_app.domain.layer import LayerInfo
    from planner_app.engine_client import EngineClient
    from planner_app.plugin_api.ui import FeatureFacts
    from planner_app.project import Command, Project
    from planner_app.ui.settings import Settings
    from planner_app.ui.theme import Theme

_log = logging.getLogger(__name__)
_POLL_MS = 1000


class SelectionModel(QObject):
    """The one selection of the window: feature ids per layer. Selecting anywhere selects everywhere."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ids: dict[str, tuple[int, ...]] = {}

    def set(self, layer_id: str, fids: Sequence[int]) -> None:
        """Select exactly these features of this layer; whatever else was selected is let go."""
        self.replace({layer_id: fids})

    def replace(self, selection: Mapping[str, Iterable[int]]) -> None:
        """Select exactly this, over several layers."""
        ids = {layer: tuple(dict.fromkeys(int(f) for f in fids)) for layer, fids in selection.items()}
        ids = {layer: fids for layer, fids in ids.items() if fids}
        if ids != self._ids:
            self._ids = ids
            self.changed.emit()

    def add(self, layer_id: str, fids: Iterable[int]) -> None:
        """Add features to the selection."""
        self.replace({**self._ids, layer_id: (*self.fids(layer_id), *fids)})

    def toggle(self, layer_id: str, fids: Iterable[int]) -> None:
        """Take out what is selected, add what is not."""
        old = dict.fromkeys(self.fids(layer_id))
        for fid in fids:
            if fid in old:
                del old[fid]
            else:
                old[fid] = None
        self.replace({**self._ids, layer_id: tuple(old)})

    def clear(self) -> None:
        """Select nothing."""
        self.replace({})

    def fids(self, layer_id: str) -> tuple[int, ...]:
        """Selected features of a layer in the order they were selected."""
        return self._ids.get(layer_id, ())

    def layer_ids(self) -> tuple[str, ...]:
        """Layers with selected features."""
        return tuple(self._ids)

    def count(self) -> int:
        """Number of selected features over all layers."""
        return sum(map(len, self._ids.values()))


class Session(QObject):
    """The state behind the window.

    Signals:
        project_changed(): another project was opened, or the project was closed.
        data_changed(ChangeSet, initiator): rows or the registry changed, by us, another program or an undo.
        layers_changed(): layers, plans or styles changed (a subset of data_changed, after it).
        current_layer_changed(str): the layer whose table, style and tools are meant; "" for none.
        message(level, text, hint): something to say that has no panel; level info|success|warning|error.
        internal_error(Exception): a defect, to be shown with its details for copying.
        log_asked(): what the city server knows of the selected feature's past is wanted.
    """

    project_changed = Signal()
    data_changed = Signal(object, object)
    layers_changed = Signal()
    current_layer_changed = Signal(str)
    message = Signal(str, str, str)
    internal_error = Signal(object)
    log_asked = Signal()
    _changed_elsewhere = Signal(object, object)

    def __init__(
        self, settings: Settings, theme: Theme, engine: EngineClient | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        #: What plugins know of features, and how to show what their lines speak of.
        self.feature_facts: list[tuple[FeatureFacts, Callable[[str, Sequence[int]], None]]] = []
        self.settings = settings
        self.theme = theme
        self.engine = engine
        if engine is not None:
            engine.problem.connect(self.show_error)
        self.project: Project | None = None
        self.selection = SelectionModel(self)
        self.jobs = JobRunner(self)
        self.jobs.failed_unhandled.connect(self.show_error)
        self.current_layer = ""
        self._hidden_roles: frozenset[str] = frozenset()
        self._unsubscribe: Callable[[], None] | None = None
        self._poll = QTimer(self)
        self._poll.setInterval(_POLL_MS)
        self._poll.timeout.connect(self.poll)
        self.data_changed.connect(self._after_change)
        self.sync = SyncService(self)
        self.attachments = Attachments(self)
        self._changed_elsewhere.connect(self._relay, Qt.ConnectionType.QueuedConnection)

    # opening and closing

    def open_project(self, path: Path, done: Callable[[], None] | None = None) -> Job:
        """Open a project in a job; the window stays alive meanwhile."""

        def work(progress: Job) -> Project:
            from planner_app.project import Project

            progress.update(None, "opening")
            return Project.open(path, user=user_name(), origin="desktop")

        def opened(project: Project) -> None:
            self.adopt(project)
            if done is not None:
                done()

        return self.jobs.run(tr("Open {name}", name=path.name), work, opened)

    def adopt(self, project: Project) -> None:
        """Make an open project the window's; the one before is closed."""
        self._release()
        self.project = project
        self._unsubscribe = project.subscribe(self._on_change)
        self.settings.remember_project(Path(project.path), project.name, project.crs)
        if self.engine is not None:
            self.engine.open_project(Path(project.path))
        self._poll.start()
        self.project_changed.emit()

    def close_project(self) -> None:
        """Close the project; views go to their empty state."""
        if self.project is not None:
            self._release()
            self.project_changed.emit()

    def _release(self) -> None:
        self._poll.stop()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        project, self.project = self.project, None
        self.selection.clear()
        self.set_current_layer("")
        if project is not None:
            if self.engine is not None:
                self.engine.close_project()  # first, or the file would stay in the journal mode of open files
            project.close()

    def shutdown(self) -> None:
        """Stop jobs and the engine and close the file (journal folded back into it)."""
        self.sync.shutdown()
        self.jobs.shutdown()
        self._release()
        if self.engine is not None:
            self.engine.stop()

    # changes

    def execute(self, command: Command, initiator: QObject | None = None) -> ChangeSet | None:
        """Run a quick command now. An error is worded and shown, and None returned."""
        if self.project is None:
            return None
        try:
            return self.project.execute(command, initiator)
        except Exception as error:
            self.show_error(error)
            return None

    def undo(self) -> None:
        """Take back this session's last command."""
        self._step("undo")

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._step("redo")

    def _step(self, direction: str) -> None:
        if self.project is None:
            return
        try:
            self.project.undo(self) if direction == "undo" else self.project.redo(self)
        except Exception as error:
            self.show_error(error)

    def can_undo(self) -> str:
        """Wording of the command Ctrl+Z would take back, or ""."""
        name = self.project.can_undo() if self.project is not None else None
        return word(f"command.{name}") if name else ""

    def can_redo(self) -> str:
        """Wording of the command that would be done again, or ""."""
        name = self.project.can_redo() if self.project is not None else None
        return word(f"command.{name}") if name else ""

    def poll(self) -> None:
        """Look for what other programs (QGIS Desktop, the command line) wrote."""
        if self.project is None:
            return
        try:
            changes = self.project.poll()
        except Exception as error:
            self._poll.stop()
            self.show_error(error)
            return
        for change in changes:
            self.data_changed.emit(change, None)

    def _on_change(self, change: ChangeSet, initiator: object) -> None:
        if QThread.currentThread() is self.thread():
            self.data_changed.emit(change, initiator)
        else:  # a job executed it
            self._changed_elsewhere.emit(change, initiator)

    @Slot(object, object)
    def _relay(self, change: ChangeSet, initiator: object) -> None:
        self.data_changed.emit(change, initiator)

    def _after_change(self, change: ChangeSet, _initiator: object) -> None:
        if self.project is None:
            return
        if change.registry:
            if self.engine is not None and not _only_view(change):
                self.engine.refresh_layers(None)
            if self.current_layer and self.layer(self.current_layer) is None:
                self.set_current_layer("")
            self.layers_changed.emit()
        if self.engine is not None and change.touches:  # the registry being read anew draws no layer's rows anew
            self.engine.refresh_layers(sorted(change.tables()))
        if any(t.deleted for t in change.touches):
            self._drop_deleted(change)

    def _drop_deleted(self, change: ChangeSet) -> None:
        gone = {t.table: t for t in change.touches if t.deleted and t.table in self.selection.layer_ids()}
        if not gone or self.project is None:
            return
        kept: dict[str, Iterable[int]] = {}
        there = {layer.id for layer in self.project.layers()}
        for layer_id in self.selection.layer_ids():
            if layer_id not in there:  # the layer itself went, as when the command that made it is undone
                continue
            fids = self.selection.fids(layer_id)
            if layer_id in gone:
                fids = tuple(int(f) for f in self.project.read(layer_id, columns=[], fids=fids, geometry=False).fids)
            kept[layer_id] = fids
        self.selection.replace(kept)

    # layers

    def layers(self) -> list[LayerInfo]:
        """The layers that people see, top first; empty without a project."""
        layers = self.project.layers() if self.project is not None else []
        return [layer for layer in layers if layer.role not in self._hidden_roles] if self._hidden_roles else layers

    def hide_roles(self, roles: Iterable[str]) -> None:
        """Leave layers of these roles out of what people see."""
        hidden = frozenset(roles)
        changed = hidden ^ self._hidden_roles
        self._hidden_roles = hidden
        if self.project is not None and any(layer.role in changed for layer in self.project.layers()):
            self.data_changed.emit(ChangeSet(0, "show_layers", registry=True), self)

    def layer(self, layer_id: str) -> LayerInfo | None:
        """The layer of that id, or None."""
        return next((layer for layer in self.layers() if layer.id == layer_id), None)

    def set_current_layer(self, layer_id: str) -> None:
        """Choose the layer whose table, style and tools are meant."""
        if layer_id != self.current_layer:
            self.current_layer = layer_id
            self.current_layer_changed.emit(layer_id)

    # saying things

    def say(self, text: str, level: str = "info", hint: str = "") -> None:
        """Show a sentence in the message bar."""
        self.message.emit(level, text, hint)

    def show_error(self, error: Exception) -> None:
        """Word an error and show it; a defect is logged and shown as an internal error."""
        if isinstance(error, Cancelled):
            return
        if isinstance(error, PlannerError):
            text, hint = word_error(error)
            self.message.emit("error", text, hint)
            self.attachments.miss(error)
        else:
            _log.error("internal error", exc_info=error)
            self.internal_error.emit(error)

    def word(self, error: Exception) -> tuple[str, str]:
        """(sentence, hint) for a panel that shows its own errors."""
        if isinstance(error, PlannerError):
            self.attachments.miss(error)
            return word_error(error)
        _log.error("internal error", exc_info=error)
        return tr("Internal error: {detail}", detail=str(error) or type(error).__name__), tr(
            "The details are in the log; please send them to the makers."
        )


def _only_view(change: ChangeSet) -> bool:
    """True if only what each render request says anyway changed (which layers, their order and opacity)."""
    if change.command in ("show_layers", "arrange_layers", "move_layer"):
        return True
    return change.command == "set_layer" and {"visible", "opacity"}.issuperset(change.params.get("values", {"all": 1}))


def user_name() -> str:
    """The person's login name for the log, or "" where the system does not tell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
