"""A moment at the desk of monitoring."""

from __future__ import annotations

from PySide6.QtCore import QDateTime, QTimeZone
from PySide6.QtWidgets import QDateTimeEdit


class MomentEdit(QDateTimeEdit):
    """A moment at the desk, in the zone of monitoring."""

    def __init__(self, zone_name: str) -> None:
        super().__init__()
        self._zone = QTimeZone(zone_name.encode())
        if not self._zone.isValid():
            self._zone = QTimeZone.systemTimeZone()
        self.setTimeZone(self._zone)
        self.setDisplayFormat("yyyy-MM-dd HH:mm")
        self.setCalendarPopup(True)

    def set_ms(self, ts: int) -> None:
        """Show a moment (Unix ms)."""
        self.setDateTime(QDateTime.fromMSecsSinceEpoch(ts, self._zone))

    def ms(self) -> int:
        """The moment, Unix ms."""
        return int(self.dateTime().toMSecsSinceEpoch())
