"""Tells the desk of a new alarm while a window is open, whether or not the tunnel's panel was ever opened.

What stood when the project was opened is no news, nor is what somebody acknowledged in the same step.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QMainWindow, QSystemTrayIcon

from planner_app.domain.changeset import ChangeSet
from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext

if TYPE_CHECKING:
    from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm

_TABLE, _ROLE = "tunnel_alarm", "tunnel.alarm"
_SECONDS = 20
#: Alarms named one by one; more are counted.
_NAMED = 3


class AlarmWatcher(QObject):
    """One per window."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self._known: set[tuple[int, str, int]] | None = None
        self._tray: QSystemTrayIcon | None = None
        context.project_changed.connect(self._opened)
        context.data_changed.connect(self._changed)
        self._opened()

    def _opened(self) -> None:
        self._known = None
        self._read()

    def _changed(self, changes: ChangeSet, _initiator: object) -> None:
        if _TABLE in changes.tables():
            self._read()

    def _read(self) -> None:
        project = self._context.project
        if project is None:
            return

        def work() -> list[KeptAlarm]:
            if not any(layer.role == _ROLE for layer in project.layers()):
                return []
            from plugins.tunnel.model.monitoring.alarm_table import kept_alarms
            from plugins.tunnel.model.monitoring.heartbeat import now_ms

            return [one for one in kept_alarms(project, now_ms()) if one.alarm.cleared is None]

        def done(rows: list[KeptAlarm]) -> None:
            if self._context.project is not project:
                return
            keys = {one.alarm.key for one in rows}
            known, self._known = self._known, (self._known or set()) | keys
            if known is not None:
                self._tell([one for one in rows if one.alarm.key not in known and not one.ack_by])

        self._context.in_background("new-alarms", work, done)

    def _tell(self, rows: Sequence[KeptAlarm]) -> None:
        from plugins.tunnel.model.monitoring import words

        rules: dict[str, Any] = {rule.id: rule for rule in self._context.rules("tunnel.")}
        rows = [
            one for one in rows if one.alarm.rule not in rules or rules[one.alarm.rule].kind != "tunnel.calibration"
        ]
        if not rows:
            return
        rows = sorted(
            rows, key=lambda one: list(words.TOKENS).index(one.alarm.level) if one.alarm.level in words.TOKENS else 9
        )
        lines = []
        for one in rows[:_NAMED]:
            value = words.number(one.alarm.value, one.alarm.unit) if one.alarm.value is not None else ""
            limit = words.limit_text(rules.get(one.alarm.rule), one.alarm)
            title = words.rule_title(rules, one.alarm.rule)
            parts = (
                words.level_word(one.alarm.level),
                one.alarm.code,
                title,
                f"{value} {limit}".strip(),
                words.clause(one.alarm),
            )
            lines.append(" · ".join(part for part in parts if part))
        if len(rows) > _NAMED:
            lines.append(tr("… and {count} more", count=len(rows) - _NAMED))
        serious = any(one.alarm.level != "fault" for one in rows)
        if serious and self._context.setting("tunnel.alarm_sound"):
            QApplication.beep()
        window = self._window()
        if window is not None:
            QApplication.alert(window)
        self._notice("\n".join(lines), serious)
        hint = tr("The tunnel panel's monitoring page shows them; acknowledge them there.")
        self._context.notify(lines[0] if len(rows) == 1 else "\n".join(lines), level="warning", hint=hint)

    def _notice(self, text: str, serious: bool) -> None:
        """The desktop's own notice, where it has one."""
        if not QSystemTrayIcon.isSystemTrayAvailable():
            return
        if self._tray is None:
            icon = QApplication.windowIcon()
            self._tray = QSystemTrayIcon(icon if not icon.isNull() else self._context.icon("bell"), self)
            self._tray.messageClicked.connect(self._open)
            self._tray.activated.connect(lambda _: self._open())
        self._tray.show()
        level = QSystemTrayIcon.MessageIcon.Critical if serious else QSystemTrayIcon.MessageIcon.Warning
        self._tray.showMessage(tr("New tunnel alarm"), text, level, _SECONDS * 1000)

    def _window(self) -> QMainWindow | None:
        return next((one for one in QApplication.topLevelWidgets() if isinstance(one, QMainWindow)), None)

    def _open(self) -> None:
        window = self._window()
        if window is not None:
            window.raise_()
            window.activateWindow()
        from plugins.tunnel.ui.state import state_of

        self._context.open_panel("tunnel")
        with suppress(KeyError):
            state_of(self._context).commands["monitor"]()
