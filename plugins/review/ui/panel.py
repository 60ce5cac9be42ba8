"""The reviewer's task panel: case and drawing at the top, the check, then issues, rules and the timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from planner_app.domain.errors import Cancelled
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import KeyFigures, Notice, TaskPage, button, label, tab_bar
from planner_app.report.findings import verdict_word
from plugins.review.ui import words
from plugins.review.ui.asbuilt_table import AsBuiltTable
from plugins.review.ui.case_form import CaseForm
from plugins.review.ui.check_table import CheckTable
from plugins.review.ui.dialogs import Dialogs
from plugins.review.ui.diff_table import DiffTable
from plugins.review.ui.issue_bar import IssueBar
from plugins.review.ui.issues import IssueList, Said, read_issues
from plugins.review.ui.repair_table import RepairTable
from plugins.review.ui.rules_tab import RuleList
from plugins.review.ui.sheet import install
from plugins.review.ui.state import state_of
from plugins.review.ui.timeline import Event, Timeline, read_events, record_check

if TYPE_CHECKING:
    from planner_app.domain.finding import Finding
    from plugins.review.model.cases.records import Issue

ISSUES, RULES, TIMELINE = range(3)
_ISSUE_ROLE = "review.issue"


class ReviewPanel(TaskPage):
    """The panel; what it shows comes from the window's :class:`ReviewState`."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self.state = state_of(context)
        self.sheets = install(context, self.state)
        self.dialogs = Dialogs(self.state, self)
        self._said: list[Said] = []
        self._dragging = False
        self._first_check = ""
        self._reading = QTimer(self)
        self._reading.setSingleShot(True)
        self._reading.setInterval(0)
        self._reading.timeout.connect(self._read_records)
        self._build()
        self.table = CheckTable(self.state, self.check, self.dialogs.opinion)
        self.repairs = RepairTable(self.state)
        self.diff = DiffTable(self.state, self.dialogs.compare, lambda issue_id: self._open_target("issue", issue_id))
        self.built = AsBuiltTable(self.state, self.dialogs.asbuilt, self.dialogs.accept_built)
        state = self.state
        state.case_changed.connect(self._fill_inputs)
        state.drawing_changed.connect(self._fill_inputs)
        state.records_changed.connect(self._fill_inputs)
        state.records_changed.connect(self._reading.start)
        state.case_changed.connect(self._reading.start)
        state.drawing_changed.connect(self._show)
        state.drawing_changed.connect(self._say_notes)
        state.check_changed.connect(self._checked)
        state.built_changed.connect(self._compared)
        state.comparison_changed.connect(self._compare_on_sheet)
        state.busy_changed.connect(self._show)
        state.failed.connect(self.failed)
        state.issue_selected.connect(self._issue_meant)
        context.theme_changed.connect(self._retint)
        context.selection.changed.connect(self._selected_on_map)
        self.setAcceptDrops(True)
        state.commands.update(self._commands())
        state.reload()

    # parts

    def _build(self) -> None:
        self.form = CaseForm(self._context, self.state, self.dialogs, self.import_file, self.check)
        self.notice = Notice()
        self.before = label("", "secondary", wrap=True)
        self.start = button(tr("Import a drawing…"), self.import_file, "primary")
        self.figures = KeyFigures(4)
        self.tabs = tab_bar(tr("Issues"), tr("Rules"), tr("Timeline"))
        self.tabs.currentChanged.connect(lambda _: self._show_tab())
        self.issues = IssueList(self.state, self.failed)
        self.issues.raise_wanted.connect(self.dialogs.raise_issue)
        self.issues.picture_wanted.connect(self.dialogs.picture)
        self.rules = RuleList(self.state, self.raise_issue, self._open_issue)
        self.timeline = Timeline(self.state, self._open_target)
        self.bar = IssueBar(self.state, self.failed)
        self.bar.status_wanted.connect(self.issues.set_status)
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.start)
        layout.addStretch(1)
        self._start_line = line
        self.add(
            self.form, self.notice, self.before, line, self.figures, self.tabs, self.issues, self.rules, self.timeline
        )
        self.set_foot(self.bar)

    def _retint(self) -> None:
        self.form.retint()
        self.timeline.show_events(self.timeline.events)

    # what is there

    def _fill_inputs(self) -> None:
        self.form.fill()
        self._show()

    def _read_records(self) -> None:
        """Issues and events off the UI thread: a long case has thousands of entries."""
        project, case = self._context.project, self.state.case
        if project is None or case is None:
            self._records_read(([], []))
            return

        def work() -> tuple[list[Said], list[Event]]:
            return read_issues(project, case.id), read_events(project, case)

        self._context.in_background("review-case", work, self._records_read, self.failed)

    def _records_read(self, found: tuple[list[Said], list[Event]]) -> None:
        self._said, events = found
        if self.state.issue_id and all(one.issue.id != self.state.issue_id for one in self._said):
            self.state.select_issue("")
        self.issues.show_issues(self._said)
        self.rules.show_findings([one.issue for one in self._said])
        self.timeline.show_events(events)
        self._title_tabs()
        self._issue_selected()

    def _checked(self) -> None:
        check = self.state.check
        if check is not None and self.state.record is not None:
            self._remember_check(self.state.record.id, check.verdict.value, check.findings)
            if self._first_check != self.state.record.id:
                self._first_check = self.state.record.id
                self.table.table.show()
        self._judged()

    def _compared(self) -> None:
        built = self.state.built
        if built is not None:
            self._remember_check(built.facts.survey.record.id, built.verdict.value, built.findings)
        self._judged()

    def _remember_check(self, drawing_id: str, verdict: str, findings: Sequence[Finding]) -> None:
        """For the timeline."""
        from plugins.review.model.cases.store import now

        if self.state.project is not None:
            counts = dict(Counter(one.verdict.value for one in findings))
            record_check(self.state.project, drawing_id, self._context.user, now(), verdict, counts)
            self._reading.start()

    def _judged(self) -> None:
        self.rules.show_findings([one.issue for one in self._said])
        self._title_tabs()
        self._show()

    # showing

    def _show(self) -> None:
        state = self.state
        project, record = self._context.project, state.record
        self.form.enable()
        self.before.setText(self._words_before())
        self.before.setVisible(bool(self.before.text()))
        self._start_line.setVisible(project is not None and record is None)
        self.figures.setVisible(state.judged)
        if state.judged:
            counts = Counter(one.verdict.value for one in state.findings)
            captions = {key: verdict_word(key) for key in words.VERDICTS}
            captions["needs_certificate"] = tr("Certificate")
            order = ("fail", "pass", "needs_certificate", "cannot_judge")
            self.figures.set(
                [(str(counts[key]), captions[key]) for key in order], [key if counts[key] else "" for key in order]
            )
        self.tabs.setVisible(state.case is not None)
        self._show_tab()

    def _words_before(self) -> str:
        state = self.state
        if state.case is None:
            return tr(
                "Drop a drawing here (DXF, DWG, PDF, IFC or an image), or import one: it is read, placed on the map, "
                "measured and checked against the planning conditions of its parcel."
            )
        if state.record is None:
            return tr("This case has no drawing yet. Drop its file here or import it.")
        if state.busy and state.opened is None:
            return tr("Opening {name} …", name=state.record.file_name)
        if state.record.kind == "as_built" and not state.judged:
            return tr("A survey is compared with the approved drawing of its case.")
        return ""

    def _title_tabs(self) -> None:
        opened = sum(one.issue.status.value != "closed" for one in self._said)
        found = len(self.state.findings)
        self.tabs.setTabText(ISSUES, tr("Issues {count}", count=opened) if opened else tr("Issues"))
        self.tabs.setTabText(RULES, tr("Rules {count}", count=found) if found else tr("Rules"))

    def _show_tab(self) -> None:
        current = self.tabs.currentIndex() if self.state.case is not None else -1
        for place, part in enumerate((self.issues, self.rules, self.timeline)):
            part.setVisible(place == current)
        self._issue_selected()

    def _issue_meant(self, issue_id: str) -> None:
        """An issue was selected here, by its mark or by its point on the map."""
        if issue_id:
            self.tabs.setCurrentIndex(ISSUES)
        self._issue_selected()

    def _issue_selected(self) -> None:
        on_tab = self.state.case is not None and self.tabs.currentIndex() == ISSUES
        self.bar.show_for(self.issues.selected() if on_tab else None)

    def _compare_on_sheet(self) -> None:
        """The older revision under the current one, what changed in colour."""
        comparison = self.state.comparison
        if comparison is None:
            self.sheets.stop_comparing()
        else:
            self.sheets.compare(comparison.before, comparison.diff)

    def _say_notes(self) -> None:
        """What reading and placing want the reviewer to know."""
        opened = self.state.opened
        if opened is None:
            self.notice.clear()
            return
        placement = opened.placement
        if not placement.placed and opened.record.kind != "other":
            hint = words.note(placement.notes[0]) if placement.notes else ""
            self.notice.say(tr("This drawing has no place on the map yet."), hint, "warning")
        elif self.state.remark[0] == opened.record.id and self.state.remark[1]:
            self.notice.say(self.state.remark[1])
        else:
            self.notice.clear()

    def failed(self, error: Exception) -> None:
        """Say what went wrong where it happened."""
        if not isinstance(error, Cancelled):
            self.notice.say(*self._context.word(error), level="error")
        self._show()

    # doing

    def check(self) -> None:
        """Check the current drawing."""
        if self.form.check_button.isEnabled():
            self.notice.clear()
            self._first_check = ""
            if self.state.record is not None and self.state.record.kind == "as_built":
                self._compare_survey(self.state.record.id)
            else:
                self.state.run_check()

    def _compare_survey(self, survey: str) -> None:
        """Compare a survey with the newest site plan of its case."""
        approved = next((one for one in self.state.drawings() if one.kind == "site_plan"), None)
        if approved is None:
            self.notice.say(tr("This case has no site plan to compare with."), level="warning")
        else:
            self.state.compare_built(approved.id, survey)

    def raise_issue(self, finding: Finding) -> None:
        """Make an issue of a finding, with a cloud on the map around its evidence."""
        from plugins.review.model.cases.commands import RaiseIssue
        from plugins.review.model.cases.raising import issue_of

        state = self.state
        if state.case is None or state.record is None:
            return
        rules = {rule.id: rule for rule in state.rules()}
        made = issue_of(finding, state.case, state.record, state.opened, rules, self._context.user)
        state.execute(RaiseIssue(made.issue, [made.comment], made.markups), self)

    def _open_issue(self, issue: Issue) -> None:
        self.tabs.setCurrentIndex(ISSUES)
        if self.state.issue_id != issue.id:
            self.issues.cards.chosen.emit(issue.id)

    def _selected_on_map(self) -> None:
        """The point of an issue was selected on the map or in the attribute table: open the issue."""
        project, selection = self._context.project, self._context.selection
        layer = (
            next((one for one in project.layers() if one.role == _ISSUE_ROLE), None) if project is not None else None
        )
        fids = selection.fids(layer.id) if layer is not None else ()
        if project is None or layer is None or len(fids) != 1:
            return
        found = project.read(layer.id, columns=["uuid"], fids=fids, geometry=False).columns["uuid"]
        if any(one.issue.id in found for one in self._said):
            self.state.select_issue(str(found[0]))

    def _open_target(self, kind: str, identity: str) -> None:
        if kind == "drawing":
            self.state.choose_drawing(identity)
            return
        found = next((one.issue for one in self._said if one.issue.id == identity), None)
        if found is not None:
            self._open_issue(found)

    def import_file(self) -> None:
        """Ask for a drawing and take it in."""
        if self._context.project is None:
            return
        patterns = tr("Drawings") + " (*.dxf *.dwg *.pdf *.ifc *.png *.jpg *.jpeg *.tif *.tiff);;"
        path = self._context.ask_open(tr("Import a drawing"), patterns + tr("All files") + " (*)")
        if path is not None:
            self.dialogs.intake(path)

    def _commands(self) -> dict[str, Callable[[], None]]:
        """What the palette's entries do; one that makes no sense now says why."""
        entries = {one.id: one for group in self.dialogs.groups() for one in group}

        def run(name: str) -> None:
            if entries[name].enabled():
                entries[name].run()
            else:
                self.notice.say(tr("That needs a case with a checked drawing."), level="warning")

        return {
            **{name: partial(run, name) for name in entries},
            "import": self.import_file,
            "new_case": lambda: self.dialogs.case(None),
            "check": self.check,
            "raise": self.dialogs.raise_issue,
        }

    # dropping a file on the panel

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self._context.project is not None and _dropped(event):
            self._dragging = True
            self.update()
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._dragging = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        self._dragging = False
        self.update()
        if (path := _dropped(event)) is not None:
            event.acceptProposedAction()
            QTimer.singleShot(0, lambda: self.dialogs.intake(path))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._dragging:
            painter = QPainter(self)
            painter.setPen(QPen(self.palette().highlight().color(), 2, Qt.PenStyle.DashLine))
            painter.drawRect(self.rect().adjusted(2, 2, -3, -3))


def _dropped(event: QDropEvent) -> Path | None:
    """The first local file of what is dragged."""
    paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
    return next((path for path in paths if path.is_file()), None)
