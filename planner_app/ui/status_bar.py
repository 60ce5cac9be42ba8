"""The status bar: scale, coordinates, CRS, selection; running jobs with cancel; the engine's state."""

from __future__ import annotations

import re
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QMenu, QProgressBar, QToolButton, QWidget

from planner_app.i18n import tr, word
from planner_app.ui.canvas.quantities import format_position
from planner_app.ui.controls import ElidedLabel, IconButton, label, row
from planner_app.ui.crs_names import crs_name
from planner_app.ui.session import Session

SCALES = (500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 250000)


def parse_scale(text: str) -> float | None:
    """The denominator of ``1:2000``, ``2,000``, ``1 : 2 000`` or ``1:2万``; None if it is no scale."""
    cleaned = re.sub(r"[\s,，]", "", text).replace("：", ":")
    tail = cleaned.split(":")[-1]
    factor = 10_000 if tail.endswith("万") else 1
    try:
        value = float(tail.rstrip("万")) * factor
    except ValueError:
        return None
    return value if 1 <= value <= 1e9 else None


def stage_text(stage: str) -> str:
    """A progress stage in words; pure code emits ``stage.id`` or just ``id``."""
    if not stage:
        return ""
    worded = word(stage)
    if worded != stage:
        return worded
    longer = word(f"stage.{stage}")
    return "" if longer == f"stage.{stage}" else longer


class JobStrip(QWidget):
    """The newest running job: title, stage, bar, percent, cancel."""

    clicked = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.title = ElidedLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(session.theme.px(110))
        self.percent = label("")
        self.percent.setFont(session.theme.font(12, tabular=True))
        self.percent.setMinimumWidth(session.theme.px(34))
        self.cancel = IconButton(session.theme, "x", tr("Cancel"), self._cancel, size=14)
        self.setLayout(row(self.title, self.bar, self.percent, self.cancel, spacing=6))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        session.jobs.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the newest of the running jobs and how many more there are."""
        active = self.session.jobs.active()
        self.setVisible(bool(active))
        if not active:
            return
        job = active[-1]
        stage = tr("cancelling…") if job.is_cancelled() else stage_text(job.stage)
        more = tr(" (+{count})", count=len(active) - 1) if len(active) > 1 else ""
        self.title.setText(" · ".join(part for part in (job.title + more, stage) if part))
        fraction = job.fraction  # its thread may change it meanwhile
        if fraction is None:
            self.bar.setRange(0, 0)
            self.percent.setText("")
        else:
            self.bar.setRange(0, 1000)
            self.bar.setValue(round(fraction * 1000))
            self.percent.setText(f"{fraction:.0%}")
        self.cancel.setEnabled(not job.is_cancelled())

    def mousePressEvent(self, event: object) -> None:
        self.clicked.emit()

    def _cancel(self) -> None:
        active = self.session.jobs.active()
        if active:
            active[-1].cancel()


class StatusBar(QFrame):
    """26 px at the foot of the window."""

    scale_typed = Signal(float)
    selection_clicked = Signal()
    jobs_clicked = Signal()
    engine_restart = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.session = session
        theme = session.theme
        self.setFixedHeight(theme.px(26))
        self.scale = QLineEdit()
        self.scale.setProperty("look", "inline")
        self.scale.setToolTip(tr("Map scale: type one, or choose from the arrow"))
        self.scale.setAccessibleName(tr("Map scale"))
        self.scale.setFixedWidth(theme.px(80))
        self.scale.editingFinished.connect(self._scale_edited)
        self.scales = IconButton(theme, "chevron-up", tr("Common scales"), self._choose_scale, size=12)
        self.position = label("", selectable=True)
        self.position.setFont(theme.font(12, tabular=True))
        self.position.setMinimumWidth(theme.px(222))
        self.crs = ElidedLabel()
        self.selected = QToolButton()
        self.selected.setToolTip(tr("Show the selected rows in the attribute table"))
        self.selected.clicked.connect(self.selection_clicked)
        self.jobs = JobStrip(session)
        self.jobs.clicked.connect(self.jobs_clicked)
        self.engine = QToolButton()
        self.engine.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.engine)
        menu.addAction(tr("Restart the map engine"), self.engine_restart.emit)
        self.engine.setMenu(menu)
        self.map_parts = [self.scale, self.scales, self.position, self.crs, self.selected]
        layout = row(spacing=4, margins=(8, 0, 8, 0))
        for part in (self.scale, self.scales, self.position, self.crs, self.selected):
            layout.addWidget(part)
        layout.addStretch(1)
        layout.addWidget(self.jobs)
        layout.addSpacing(8)
        layout.addWidget(self.engine)
        self.setLayout(layout)
        session.project_changed.connect(self.refresh)
        session.selection.changed.connect(self._show_selection)
        if session.engine is not None:
            session.engine.state_changed.connect(self.show_engine)
            self.show_engine(session.engine.state)
        else:
            self.engine.setVisible(False)
        self.refresh()

    def refresh(self) -> None:
        """Show what belongs to the open project."""
        project = self.session.project
        for part in self.map_parts:
            part.setVisible(project is not None)
        self.crs.setText(project.crs if project else "")
        self.crs.setToolTip(crs_name(project.crs) if project else "")
        self.position.setText("")
        self._show_selection()

    def show_scale(self, denominator: float) -> None:
        """Show the map's scale unless the person is typing one."""
        if not self.scale.hasFocus():
            self.scale.setText(f"1 : {denominator:,.0f}")

    def show_position(self, x: float, y: float) -> None:
        """Show a position (easting, northing in the project's CRS)."""
        project = self.session.project
        if project is not None:
            self.position.setText(format_position(x, y, project.crs))

    def show_engine(self, state: str) -> None:
        """Say how the map engine is."""
        texts = {
            "starting": (tr("Engine starting…"), "secondary"),
            "ready": (tr("Engine ready"), "pass"),
            "busy": (tr("Drawing…"), "accent"),
            "restarting": (tr("Engine restarting…"), "needs_certificate"),
            "failed": (tr("Engine stopped"), "fail"),
            "missing": (tr("QGIS not found"), "fail"),
        }
        text, tint = texts.get(state, (state, "secondary"))
        self.engine.setText(f"● {text}" if state in ("failed", "missing", "restarting") else text)
        self.engine.setStyleSheet(f"color: {self.session.theme.colour(tint)};" if tint == "fail" else "")
        error = self.session.engine.last_error if self.session.engine is not None else ""
        tip = tr("The map engine is QGIS, running beside this window.")
        self.engine.setToolTip("\n".join(part for part in (tip, word(error), word(error, key="hint")) if part))

    def _show_selection(self) -> None:
        count = self.session.selection.count()
        self.selected.setText(tr("{count} selected", count=f"{count:,}") if count else tr("Nothing selected"))
        self.selected.setEnabled(bool(count))

    def _scale_edited(self) -> None:
        value = parse_scale(self.scale.text())
        self.scale.clearFocus()
        self.scale_typed.emit(value or 0.0)

    def _choose_scale(self) -> None:
        menu = QMenu(self)
        for denominator in SCALES:
            menu.addAction(f"1 : {denominator:,}", partial(self.scale_typed.emit, float(denominator)))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.scales.mapToGlobal(QPoint(0, -menu.sizeHint().height())))
