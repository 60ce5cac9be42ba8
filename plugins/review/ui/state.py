"""What the review's window parts share: the case, the drawing, its reading and its check, and what is pointed at.

The panel, the dock's tables, the map overlay and the sheet view all listen to one :class:`ReviewState` per window
(:func:`state_of`). It loads through ``model/cases/workflow.py`` in jobs; nobody else opens or checks a drawing. The
panel decides what is highlighted and zooms the map; the overlay and the sheet view (``ui/sheet``) paint it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from plugins.review.ui.highlight import Highlight, extent_of

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from planner_app.domain.finding import Finding
    from planner_app.domain.rule import Rule
    from planner_app.plugin_api.model import Command, Project
    from plugins.review.model.asbuilt.types import AsBuilt
    from plugins.review.model.cases.records import Case, DrawingRecord, Issue
    from plugins.review.model.cases.workflow import CheckedDrawing, OpenDrawing
    from plugins.review.model.checking.types import Check
    from plugins.review.model.reading.types import ReadingOptions
    from plugins.review.model.revisions.compare import Comparison

_LAST_CASE = "review.ui.case"
_LAST_DRAWING = "review.ui.drawing"


class ReviewState(QObject):
    """The current case, drawing, reading and check. ``commands``: what the palette's entries do, by name.

    Signals:
        case_changed(): another case, none, or fields of it changed.
        drawing_changed(): another drawing, none, or it was opened, read or placed anew (``record``, ``opened``).
        check_changed(): there is another check, or none (``checked``).
        comparison_changed(): the current drawing is compared with an older one, or no longer (``comparison``).
        built_changed(): a survey was compared with the approved drawing, or is no longer (``built``).
        records_changed(): cases, drawings, issues, comments, marks, signatures or reports changed in the project.
        busy_changed(): loading began or ended (``busy``).
        failed(Exception): loading or checking failed; shown by the panel.
        issue_selected(str): an issue's id, "" for none.
        highlight(list): of :class:`Highlight`; an empty list takes it away.
    """

    case_changed = Signal()
    drawing_changed = Signal()
    check_changed = Signal()
    comparison_changed = Signal()
    built_changed = Signal()
    records_changed = Signal()
    busy_changed = Signal()
    failed = Signal(object)
    issue_selected = Signal(str)
    highlight = Signal(list)

    def __init__(self, context: PanelContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.case: Case | None = None
        self.record: DrawingRecord | None = None
        self.opened: OpenDrawing | None = None
        self.checked: CheckedDrawing | None = None
        self.comparison: Comparison | None = None
        self.built: AsBuilt | None = None
        self.issue_id = ""
        self.busy = False
        self.remark = "", ""
        self.commands: dict[str, Callable[[], None]] = {}
        self._turn = 0
        self._zoom_there = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.refresh)
        context.project_changed.connect(self.reload)
        context.data_changed.connect(self._data_changed)

    # what there is

    @property
    def project(self) -> Project | None:
        """The open project."""
        return self.context.project

    @property
    def check(self) -> Check | None:
        """The current drawing's check, if it was checked."""
        return self.checked.check if self.checked is not None else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the rules say of the current drawing; of a survey how it differs from what was approved."""
        if self.record is not None and self.built is not None and self.built.facts.survey.record.id == self.record.id:
            return self.built.findings
        return self.check.findings if self.check is not None else ()

    @property
    def judged(self) -> bool:
        """True once the current drawing was checked, or compared if it is a survey."""
        return self.check is not None or bool(self.findings)

    def rules(self) -> list[Rule]:
        """Every rule a drawing or a survey is judged by."""
        return [*self.context.rules("review."), *self.context.rules("asbuilt.")]

    def cases(self) -> list[Case]:
        """Cases of the project, the newest first."""
        from plugins.review.model.cases import store

        return list(reversed(store.cases(self.project))) if self.project is not None else []

    def drawings(self) -> list[DrawingRecord]:
        """Drawings of the current case, the newest first."""
        from plugins.review.model.cases import store

        if self.project is None or self.case is None:
            return []
        return list(reversed(store.drawings(self.project, self.case.id)))

    def issues(self) -> list[Issue]:
        """Issues of the current case by number."""
        from plugins.review.model.cases import store

        return store.issues(self.project, self.case.id) if self.project is not None and self.case is not None else []

    # choosing

    def reload(self) -> None:
        """Another project: take up the case and the drawing that were open last."""
        self._drop()
        self.case = self.record = None
        project = self.project
        every = self.cases()
        if project is not None and every:
            last = project.setting(_LAST_CASE, "")
            self.case = next((one for one in every if one.id == last), every[0])
            known = self.drawings()
            wanted = project.setting(_LAST_DRAWING, "")
            self.record = next((one for one in known if one.id == wanted), known[0] if known else None)
        self.records_changed.emit()
        self.case_changed.emit()
        self.drawing_changed.emit()
        self.check_changed.emit()
        self.load()

    def choose_case(self, case_id: str) -> None:
        """Work on another case; its newest drawing is opened."""
        if self.case is not None and self.case.id == case_id:
            return
        self.case = next((one for one in self.cases() if one.id == case_id), None)
        self._remember(_LAST_CASE, case_id)
        self._zoom_there = True
        self.select_issue("")
        self.case_changed.emit()
        known = self.drawings()
        self.choose_drawing(known[0].id if known else "")

    def choose_drawing(self, drawing_id: str) -> None:
        """Open another drawing of the case."""
        self._drop()
        self.record = next((one for one in self.drawings() if one.id == drawing_id), None)
        self._remember(_LAST_DRAWING, drawing_id)
        self.drawing_changed.emit()
        self.check_changed.emit()
        self.load()

    def take_up(self, record: DrawingRecord, remark: str = "") -> None:
        """A drawing was just imported: work on it, and check it at once if it is a design.

        ``remark``: what the import wants the reviewer to know, shown while the drawing is the current one.
        """
        self.remark = record.id, remark
        if self.case is None or self.case.id != record.case_id:
            self.case = next((one for one in self.cases() if one.id == record.case_id), None)
            self._remember(_LAST_CASE, record.case_id)
            self.case_changed.emit()
        self._zoom_there = True
        self.choose_drawing(record.id)
        if record.kind == "site_plan":
            self.run_check()

    def select_issue(self, issue_id: str) -> None:
        """Say which issue is meant; everyone shows it."""
        if issue_id != self.issue_id:
            self.issue_id = issue_id
            self.issue_selected.emit(issue_id)

    def show(self, found: Iterable[Highlight], *, zoom: bool = True) -> None:
        """Highlight these; with ``zoom`` the map goes there."""
        marks = list(found)
        self.highlight.emit(marks)
        if zoom and (extent := extent_of(marks)) is not None:
            self.context.map.zoom_to_extent(extent, 0.6)

    def zoom(self) -> None:
        """Show the current drawing on the map, with some of its surroundings."""
        site = self.opened.site() if self.opened is not None else None
        placed = self.to_project(site) if site is not None else None
        if placed is not None and not placed.is_empty:
            self.context.map.zoom_to_extent(placed.bounds, 0.4)

    def to_project(self, geometry: BaseGeometry) -> BaseGeometry | None:
        """Metres in the drawing → the project's CRS; None where the drawing is not placed."""
        opened = self.opened
        return opened.to_project(geometry) if opened is not None and opened.to_project is not None else None

    # loading

    def load(self) -> None:
        """Open the current drawing in a job (read, placed; cached by the workflow)."""
        project, record = self.project, self.record
        if project is None or record is None:
            self._set_busy(False)
            return

        def work(progress: Progress) -> OpenDrawing:
            from plugins.review.model.cases.workflow import open_drawing

            return open_drawing(project, record.id, progress)

        self._run(tr("Opening {name}", name=record.file_name), work, self._opened)

    def run_check(self, on: date | None = None) -> None:
        """Check the current drawing against its case's conditions and the rules of its permit's date."""
        project, record = self.project, self.record
        if project is None or record is None:
            return
        rules = self.context.rules("review.")

        def work(progress: Progress) -> CheckedDrawing:
            from plugins.review.model.cases.workflow import check_drawing

            return check_drawing(project, record.id, rules=rules, on=on, progress=progress)

        self._run(tr("Reviewing {name}", name=record.file_name), work, self._checked)

    def compare(self, older: str) -> None:
        """Compare the current drawing with an older one of the case; "" stops comparing."""
        project, record = self.project, self.record
        if project is None or record is None or not older:
            self._compared(None)
            return

        def work(progress: Progress) -> Comparison:
            from plugins.review.model.revisions.compare import compare_drawings

            return compare_drawings(project, older, record.id, progress)

        self._run(tr("Comparing {name}", name=record.file_name), work, self._compared)

    def _compared(self, comparison: Comparison | None) -> None:
        if comparison is not self.comparison:
            self.comparison = comparison
            self.comparison_changed.emit()

    def compare_built(self, approved: str, survey: str) -> None:
        """Compare an as-built survey with the approved drawing of the case; the survey becomes the current drawing."""
        project = self.project
        if project is None:
            return
        if self.record is None or self.record.id != survey:
            self.choose_drawing(survey)
        rules = self.context.rules("asbuilt.")

        def work(progress: Progress) -> AsBuilt:
            from plugins.review.model.asbuilt.compare import compare_as_built

            return compare_as_built(project, approved, survey, rules=rules, progress=progress)

        self._run(tr("Comparing the survey"), work, self._built)

    def _built(self, found: AsBuilt | None) -> None:
        if found is not self.built:
            self.built = found
            if found is not None and self.record is not None and found.facts.survey.record.id == self.record.id:
                self._opened(found.facts.survey)
            self.built_changed.emit()

    def reread(self, options: ReadingOptions) -> None:
        """Read the current drawing with other options, as one undoable command; a check is done anew."""
        project, record = self.project, self.record
        if project is None or record is None:
            return

        def work(progress: Progress) -> OpenDrawing:
            from plugins.review.model.cases.workflow import reread

            return reread(project, record.id, options, progress)

        self._run(tr("Reading {name}", name=record.file_name), work, self._reread)

    def _reread(self, opened: OpenDrawing) -> None:
        self._opened(opened)
        if self.checked is not None:
            self.run_check()  # what is shown stays until there is something newer

    def _run(self, title: str, work: Callable[[Progress], Any], done: Callable[[Any], None]) -> None:
        """A job whose answer counts only while its drawing is still the current one."""
        self._turn += 1
        turn = self._turn

        def finish(answer: Any) -> None:
            if turn == self._turn:
                self._set_busy(False)
                done(answer)

        def fail(error: Exception) -> None:
            if turn == self._turn:
                self._set_busy(False)
                if self.checked is not None and self.record is not None and self.checked.opened.record != self.record:
                    self.checked = None  # of an earlier reading or place
                    self.check_changed.emit()
                if not isinstance(error, Cancelled):
                    self.failed.emit(error)

        self._set_busy(True)
        self.context.run_job(title, work, finish, fail)

    def _opened(self, opened: OpenDrawing) -> None:
        self.opened, self.record = opened, opened.record
        self.drawing_changed.emit()
        if self._zoom_there:
            self._zoom_there = False
            self.zoom()

    def _checked(self, checked: CheckedDrawing) -> None:
        self.checked = checked
        if self.opened is not checked.opened:
            self._opened(checked.opened)
        self.check_changed.emit()

    def _set_busy(self, busy: bool) -> None:
        if busy != self.busy:
            self.busy = busy
            self.busy_changed.emit()

    def _drop(self) -> None:
        self._turn += 1
        if self.built is not None and (self.case is None or self.built.facts.survey.record.case_id != self.case.id):
            self._built(None)
        self.opened = self.checked = None
        self._compared(None)
        self.select_issue("")
        self.highlight.emit([])
        self._set_busy(False)

    def _remember(self, key: str, value: str) -> None:
        try:
            if self.project is not None and self.project.setting(key, "") != value:
                self.project.set_setting(key, value)
        except PlannerError:
            return  # a project that cannot be written to can still be looked at

    # changes

    def execute(self, command: Command, initiator: QObject | None = None) -> ChangeSet | None:
        """Run a command of the review; the tables are made first where the project has none."""
        from plugins.review.model.cases.commands import prepare

        if self.project is None:
            return None
        prepare(self.project)
        return self.context.execute(command, initiator)

    def _data_changed(self, changeset: ChangeSet, initiator: object) -> None:
        if changeset.registry or any(name.startswith("review_") for name in changeset.tables()):
            self._later.start()  # once for a burst of commands

    def refresh(self) -> None:
        """Read the records anew after a command, an undo or another program changed them."""
        known = {one.id: one for one in self.cases()}
        before = self.case
        self.case = known.get(before.id) if before is not None else next(iter(known.values()), None)
        self.records_changed.emit()
        if self.case != before:
            self.case_changed.emit()
        self._refresh_drawing()

    def _refresh_drawing(self) -> None:
        before, known = self.record, {one.id: one for one in self.drawings()}
        if before is None or before.id not in known:
            newest = next(iter(known), "")
            if before is not None or newest:
                self.choose_drawing(newest)
            return
        self.record = known[before.id]
        if (self.record.options, self.record.placement) != (before.options, before.placement):
            if self.checked is not None:
                self.run_check()
            else:
                self.load()
        elif replace(self.record, wkb=None, summary={}) != replace(before, wkb=None, summary={}):
            self.drawing_changed.emit()


def state_of(context: PanelContext) -> ReviewState:
    """The window's state; made when first asked for. A context is one per window and plugin."""
    owner = context if isinstance(context, QObject) else None
    if owner is not None and (found := owner.findChild(ReviewState)) is not None:
        return found
    return ReviewState(context, owner)
