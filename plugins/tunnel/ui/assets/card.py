"""The chosen asset: what it is, its state, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import FlowLayout, button, label, pill
from plugins.tunnel.model.assets.overview import Details
from plugins.tunnel.model.assets.status import next_states
from plugins.tunnel.ui.assets import words

#: Columns shown on the card, as far as an asset has them.
_FACTS = (
    "kind_code", "kind", "type", "dn_mm", "material", "rating", "laying", "z1", "z2", "depth1", "year", "built_year",
    "owner", "section", "compartment", "tunnel", "customer_count", "unit", "rated_m3h", "fed_by",
    "clear_size", "due", "profile", "method", "deviation_m", "source",
)  # fmt: skip
_MOST = 6
_ORDER = (
    "zoom", "form", "status", "section", "profile", "trace", "isolate", "chart", "label", "history", "delete",
)  # fmt: skip


class AssetCard(QFrame):
    """The card; ``ask(action)`` is called with ``zoom``, ``form``, ``status:…``, ``section`` … ``delete``."""

    def __init__(self, ask: Callable[[str], None]) -> None:
        super().__init__()
        self._ask = ask
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        self._body: QWidget | None = None
        self.buttons: dict[str, QPushButton] = {}
        self.hide()

    def show_details(self, details: Details | None) -> None:
        """Show an asset; None hides the card."""
        if self._body is not None:
            self._body.hide()
            self._body.deleteLater()
            self._body = None
        self.buttons = {}
        self.setVisible(details is not None)
        if details is None:
            return
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.setSpacing(8)
        row = details.row
        name = str(details.values.get("name") or "")
        title = " · ".join(part for part in (row.code, name) if part)
        head.addWidget(label(title, "heading", wrap=True), 1)
        if row.status:
            head.addWidget(pill(words.STATUS_TOKEN[row.status], words.status(row.status)))
        close = QToolButton()
        close.setAutoRaise(True)
        close.setText("✕")
        close.setToolTip(tr("Let go"))
        close.clicked.connect(lambda *_: self._ask("close"))
        head.addWidget(close)
        column.addLayout(head)
        column.addLayout(self._facts(details))
        if details.events:
            last = details.events[0]
            text = tr("{state} since {day}, {by}", state=words.status(last.now), day=last.time[:10], by=last.by or "—")
            column.addWidget(label(text if not last.note else f"{text}: {last.note}", "small", wrap=True))
        column.addWidget(self._actions(details))
        self._body = body
        self._column.addWidget(body)

    def _facts(self, details: Details) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(3)
        facts = [(words.table(details.row.table), "")] if not details.values else []
        for name in _FACTS:
            value = details.values.get(name)
            if value not in (None, "", "—"):
                facts.append((words.column(name), words.cell(name, value)))
        if details.row.length is not None:
            facts.insert(min(3, len(facts)), (words.column("length_m"), f"{details.row.length:,.1f}"))
        for at, (caption, text) in enumerate(facts[:_MOST]):
            line, side = divmod(at, 2)
            grid.addWidget(label(caption, "small"), line, side * 2)
            shown = label(text)
            shown.setToolTip(text)
            shown.setMinimumWidth(40)
            grid.addWidget(shown, line, side * 2 + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return grid

    def _actions(self, details: Details) -> QWidget:
        line = QWidget()
        flow = FlowLayout(line, spacing=6)
        table = details.row.table
        wanted: list[tuple[str, str]] = [("zoom", tr("Zoom")), ("form", tr("Edit…"))]
        if details.section or details.tunnel:
            wanted.append(("section", tr("Cross section")))
        if table in ("tunnel", "tunnel_section"):
            wanted.append(("profile", tr("Profile")))
        if table in ("net_line", "net_node", "valve"):
            wanted += [("trace", tr("Trace")), ("isolate", tr("Isolate"))]
        if table == "sensor":
            wanted.append(("chart", tr("Chart")))
        wanted += [("label", tr("Label…")), ("history", tr("History")), ("delete", tr("Delete"))]
        for key, text in wanted:
            self.buttons[key] = button(text, partial(self._ask, key))
        if details.row.status and next_states(details.row.status):
            menu = QMenu(line)
            for state in next_states(details.row.status):
                menu.addAction(words.status(state), partial(self._ask, f"status:{state}"))
            knob = QPushButton(tr("State"))
            knob.setMenu(menu)
            self.buttons["status"] = knob
        for key in _ORDER:
            if key in self.buttons:
                flow.addWidget(self.buttons[key])
        return line
