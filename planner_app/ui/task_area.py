"""The right side: one task panel at a time, made when it is first opened."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.ui.controls import EmptyState, IconButton, Notice, column, label, pad_spin_boxes, row
from planner_app.ui.session import Session


class TaskArea(QFrame):
    """Head with title and close button over a stack of panels."""

    hide_clicked = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("taskpanel")
        self.session = session
        self._factories: dict[str, tuple[str, Callable[[], QWidget]]] = {}
        self._on_rail: list[str] = []
        self._made: dict[str, QScrollArea] = {}
        self.current = ""
        self.title = label("", "title")
        hide = IconButton(session.theme, "x", tr("Hide this panel"), self.hide_clicked.emit, size=14)
        self._stack = QStackedWidget()
        self.setLayout(column(row(self.title, None, hide, margins=(14, 6, 8, 2)), self._stack, spacing=0))
        self.setMinimumWidth(session.theme.px(300))

    def add(self, panel_id: str, title: str, factory: Callable[[], QWidget], *, on_rail: bool = True) -> None:
        """Declare a panel; ``factory`` is called when it is first opened."""
        self._factories[panel_id] = (title, factory)
        if on_rail:
            self._on_rail.append(panel_id)

    def put_on_rail(self, panel_id: str) -> None:
        """Count a panel that was declared before among those on the rail, as the last."""
        self._on_rail.append(panel_id)

    def ids(self) -> list[str]:
        """Panels with an entry on the rail, in its order."""
        return list(self._on_rail)

    def panel(self, panel_id: str) -> QWidget | None:
        """The panel's own widget if it has been opened."""
        area = self._made.get(panel_id)
        return area.widget() if area is not None else None

    def open(self, panel_id: str) -> None:
        """Show a panel. One that cannot be made is replaced by its error; the rest keeps working."""
        title, factory = self._factories[panel_id]
        if panel_id not in self._made:
            self._made[panel_id] = self._make(factory)
            self._stack.addWidget(self._made[panel_id])
        self.title.setText(title)
        self._stack.setCurrentWidget(self._made[panel_id])
        self.current = panel_id

    def _make(self, factory: Callable[[], QWidget]) -> QScrollArea:
        try:
            inner = factory()
        except Exception as error:  # a plugin may fail in any way
            text, hint = self.session.word(error)
            if not isinstance(error, PlannerError):
                text = tr("This panel could not be opened.")
            notice = Notice(self.session.theme)
            notice.show_text(text, "error", hint)
            inner = QWidget()
            inner.setLayout(column(notice, EmptyState(self.session.theme, ""), margins=(12, 8, 12, 8)))
        pad_spin_boxes(inner)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        return area
