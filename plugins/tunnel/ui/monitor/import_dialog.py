"""Readings of a CSV file into the project: whose they are, which columns, what of it cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QWidget

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress
from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import Form, TaskDialog, combo, label
from plugins.tunnel.model.monitoring import words
from plugins.tunnel.model.monitoring.csv_readings import csv_columns, read_csv, zone
from plugins.tunnel.model.monitoring.sensors import UNITS
from plugins.tunnel.ui.monitor.live import Live

if TYPE_CHECKING:
    from plugins.tunnel.model.monitoring.csv_readings import CsvReadings
    from plugins.tunnel.model.monitoring.intake import TakenIn

PATTERNS = "CSV (*.csv *.txt *.tsv)"
_ZONES = ("Asia/Shanghai", "Asia/Urumqi", "UTC", "Europe/Berlin", "America/New_York")
_SHOWN = 300


class ImportDialog(TaskDialog):
    """Reads the file with each change of the inputs and shows what would come in before anything does."""

    def __init__(self, live: Live, path: Path, done: Callable[[TakenIn], None], parent: QWidget | None) -> None:
        super().__init__(live.context, tr("Import readings: {name}", name=path.name), tr("Import"), parent)
        self._live, self._path, self._done = live, path, done
        self.read: CsvReadings | None = None
        self.sensor, self.kind = QComboBox(), combo()
        self.sensor.setEditable(True)
        self.sensor.addItems([one.sensor.code for one in live.overview.sensors.values()])
        self.sensor.setCurrentText(_guess(path, live))
        for kind in UNITS:
            self.kind.addItem(words.kind_word(kind), kind)
        self.unit = QLineEdit()
        self.time, self.value, self.zone = combo(self._later), combo(self._later), QComboBox()
        self.zone.setEditable(True)
        self.zone.addItems(list(dict.fromkeys([str(live.context.setting("tunnel.zone")), *_ZONES])))
        self.zone.currentTextChanged.connect(lambda _: self._later())
        self.sensor.currentTextChanged.connect(lambda _: self._known())
        self.kind.activated.connect(lambda _: self.unit.setText(UNITS[self.kind.currentData()]))
        form = Form()
        form.add(tr("Sensor"), self.sensor)
        self._new = [form.add(tr("Quantity"), self.kind), self.kind, form.add(tr("Unit"), self.unit), self.unit]
        form.add(tr("Time column"), self.time)
        form.add(tr("Value column"), self.value)
        form.add(tr("Zone of times that state none"), self.zone)
        self.summary = label("", wrap=True)
        self.list = QPlainTextEdit()
        self.list.setReadOnly(True)
        self.list.setProperty("look", "boxed")
        self.list.setMinimumHeight(110)
        self._caption = label(tr("What cannot be used or looks odd"), "secondary")
        self.body.addWidget(form)
        self.body.addWidget(self.summary)
        self.body.addWidget(self._caption)
        self.body.addWidget(self.list, 1)
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(150)
        self._delay.timeout.connect(self._read)
        self.resize(520, 520)
        self._columns()
        self._known()

    def _columns(self) -> None:
        try:
            names, at, shown = csv_columns(self._path)
        except PlannerError as error:
            self.say(error)
            self._enable(False)
            return
        for box, chosen in ((self.time, at), (self.value, shown)):
            box.addItems(names)
            box.setCurrentIndex(names.index(chosen))
        self._read()

    def _known(self) -> None:
        """A new sensor needs its quantity and unit."""
        text = self.sensor.currentText().strip()
        known = any(text in (one.sensor.code, str(number)) for number, one in self._live.overview.sensors.items())
        for part in self._new:
            part.setVisible(not known)
        if not known and not self.unit.text():
            self.unit.setText(UNITS[self.kind.currentData()])
        self._enable(bool(text) and self.read is not None and bool(self.read.ts))

    def say(self, error: Exception) -> None:
        """Say what went wrong; what could not be read is not imported."""
        super().say(error)
        self._enable(self.read is not None)

    def _later(self) -> None:
        self._delay.start()

    def _read(self) -> None:
        path, here = self._path, self.zone.currentText().strip()
        time, value = self.time.currentText(), self.value.currentText()

        def done(found: CsvReadings) -> None:
            self.read = found
            self._show()
            self._known()

        self.read = None
        self.run(
            tr("Reading {name}", name=path.name), lambda _: read_csv(path, local=here, time=time, value=value), done
        )

    def _show(self) -> None:
        assert self.read is not None
        read, here = self.read, zone(self.zone.currentText().strip())
        if read.ts:
            self.summary.setText(
                tr(
                    "{count} readings from {begin} to {end}; {rejected} rows cannot be used.",
                    count=f"{len(read.ts):,}", begin=words.clock(min(read.ts), here),
                    end=words.clock(max(read.ts), here), rejected=f"{len(read.rejected):,}",
                )
            )  # fmt: skip
        else:
            self.summary.setText(tr("No row of this file can be used as a reading."))
        lines = [word(code, params) for code, params in read.notes[:_SHOWN]]
        lines += [
            tr("Row {row}: {reason}", row=row, reason=word(code, params))
            for row, (code, params) in read.rejected[:_SHOWN]
        ]
        more = max(len(read.notes) - _SHOWN, 0) + max(len(read.rejected) - _SHOWN, 0)
        if more:
            lines.append(tr("… and {count} more", count=f"{more:,}"))
        self.list.setPlainText("\n".join(lines))
        self._caption.setVisible(bool(lines))
        self.list.setVisible(bool(lines))

    def apply(self) -> None:
        project, read = self.context.project, self.read
        if project is None or read is None or not read.ts:
            return
        sensor, kind, unit = self.sensor.currentText().strip(), self.kind.currentData(), self.unit.text().strip()
        rules, city = self.context.rules("tunnel."), str(self.context.setting("tunnel.city"))

        def work(progress: Progress) -> TakenIn:
            from plugins.tunnel.model.monitoring.intake import take_in

            return take_in(project, read, sensor, rules, kind=kind, unit=unit, city=city, progress=progress)

        def done(found: TakenIn) -> None:
            self._done(found)
            self.accept()

        self.run(tr("Import readings"), work, done)


def _guess(path: Path, live: Live) -> str:
    """The sensor whose code the file's name holds, else the one spoken of, else a new one of the file's name."""
    codes = [one.sensor.code for one in live.overview.sensors.values()]
    found = [code for code in codes if code.casefold() in path.stem.casefold()]
    chosen = live.overview.sensors.get(live.sensor)
    return max(found, key=len, default=chosen.sensor.code if chosen is not None else path.stem)
