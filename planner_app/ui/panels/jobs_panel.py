"""The job list: what runs, how far it is, what it took; each can be cancelled."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QProgressBar, QScrollArea, QStackedWidget, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr, word_error
from planner_app.plugin_api.widgets import restyle
from planner_app.ui.controls import ElidedLabel, EmptyState, IconButton, column, label, line, row
from planner_app.ui.jobs import Job
from planner_app.ui.session import Session
from planner_app.ui.status_bar import stage_text


class _JobRow(QFrame):
    def __init__(self, session: Session, job: Job) -> None:
        super().__init__()
        self.session, self.job = session, job
        theme = session.theme
        self.title = ElidedLabel(job.title)
        self.stage = ElidedLabel("", "small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(theme.px(180))
        self.state = label("", "small")
        self.state.setMinimumWidth(theme.px(120))
        self.cancel = IconButton(theme, "x", tr("Cancel"), job.cancel, size=14)
        parts = row(spacing=12, margins=(12, 4, 12, 4))
        parts.addWidget(self.title, 2)
        parts.addWidget(self.stage, 3)
        parts.addWidget(self.bar)
        parts.addWidget(self.state)
        parts.addWidget(self.cancel)
        self.setLayout(column(parts, line(), spacing=0))
        job.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show where the job is."""
        job = self.job
        self.cancel.setEnabled(job.is_active() and not job.is_cancelled())
        self.bar.setVisible(job.is_active())
        fraction = job.fraction  # its thread may change it meanwhile
        if fraction is None and job.is_active():
            self.bar.setRange(0, 0)
        else:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round((fraction or 0) * 1000))
        took = f"{job.seconds():,.1f} s"
        share = "" if fraction is None else f"{fraction:.0%} · "
        texts = {
            "waiting": (tr("waiting"), "small"),
            "running": (tr("cancelling…") if job.is_cancelled() else share + took, "small"),
            "done": (tr("done · {time}", time=took), "success"),
            "failed": (tr("failed · {time}", time=took), "error"),
            "cancelled": (tr("cancelled"), "small"),
        }
        text, look = texts[job.state]
        self.state.setText(text)
        restyle(self.state, look)
        if job.state == "failed" and job.error is not None:
            known = isinstance(job.error, PlannerError)
            self.stage.setText(word_error(job.error)[0] if known else tr("internal error, see the log"))  # type: ignore[arg-type]
        else:
            self.stage.setText(stage_text(job.stage) if job.is_active() else "")


class JobsPanel(QWidget):
    """Newest on top."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._rows: dict[int, _JobRow] = {}
        self._list = column(None, spacing=0)
        inner = QWidget()
        inner.setLayout(self._list)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        self._stack = QStackedWidget()
        self._stack.addWidget(
            EmptyState(
                session.theme,
                tr("No jobs. Imports, checks and reports appear here while they run."),
                icon="list-checks",
            )
        )
        self._stack.addWidget(area)
        self.setLayout(column(self._stack, spacing=0))
        self._tick = QTimer(self)
        self._tick.setInterval(500)
        self._tick.timeout.connect(self._refresh_running)
        session.jobs.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Add new jobs, take off dropped ones."""
        jobs = self.session.jobs.jobs
        numbers = {job.number for job in jobs}
        for number in [n for n in self._rows if n not in numbers]:
            self._rows.pop(number).deleteLater()
        for job in jobs:
            if job.number not in self._rows:
                made = _JobRow(self.session, job)
                self._rows[job.number] = made
                self._list.insertWidget(0, made)
        self._stack.setCurrentIndex(1 if jobs else 0)
        if self.session.jobs.active() and not self._tick.isActive():
            self._tick.start()
        elif not self.session.jobs.active():
            self._tick.stop()

    def _refresh_running(self) -> None:
        for made in self._rows.values():
            if made.job.is_active():
                made.refresh()
