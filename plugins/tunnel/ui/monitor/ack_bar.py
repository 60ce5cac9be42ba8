"""The foot of the monitoring page: what can be done with the alarm that is chosen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import EnterFilter, button, label
from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm


class AckBar(QWidget):
    """Acknowledge with a name and a remark; chart, section, work order. Hidden while no alarm is chosen.

    Signals:
        acknowledged(str name, str remark); asked(str): ``chart`` | ``section`` | ``work_order`` | ``note``.
    """

    acknowledged = Signal(str, str)
    asked = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._title = label("", "heading", wrap=True)
        self._noted = label("", "small", wrap=True)
        self.name, self.remark = QLineEdit(name), QLineEdit()
        self.name.setPlaceholderText(tr("Name"))
        self.remark.setPlaceholderText(tr("What was seen or done"))
        self.name.setMaximumWidth(88)
        for field in (self.name, self.remark):
            field.installEventFilter(EnterFilter(self._press, self))
        self.ok = button(tr("Acknowledge"), self._press, "primary")
        self._inputs = QWidget()
        line = QHBoxLayout(self._inputs)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(self.name)
        line.addWidget(self.remark, 1)
        line.addWidget(self.ok)
        self.links = {
            key: button(text, lambda key=key: self.asked.emit(key), "link")  # type: ignore[misc]
            for key, text in (
                ("chart", tr("Chart")), ("section", tr("Cross section")), ("work_order", tr("Work order…")),
                ("note", tr("Note in the log…")),
            )
        }  # fmt: skip
        foot = QHBoxLayout()
        foot.setSpacing(4)
        for knob in self.links.values():
            foot.addWidget(knob)
        foot.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(self._noted)
        column.addWidget(self._inputs)
        column.addLayout(foot)
        self.hide()

    def show_for(self, alarm: KeptAlarm | None, title: str, noted: str, *, past: bool, orders: bool) -> None:
        """Offer what can be done with this alarm; in a replay nothing is acknowledged."""
        self.setVisible(alarm is not None)
        if alarm is None:
            return
        self._title.setText(title)
        self._noted.setText(noted)
        self._noted.setVisible(bool(noted))
        self._inputs.setVisible(not alarm.ack_by and not past)
        self.links["work_order"].setVisible(orders and not past)
        self.links["note"].setVisible(not past)

    def _press(self) -> None:
        if self._inputs.isVisibleTo(self):
            self.acknowledged.emit(self.name.text().strip(), self.remark.text().strip())
