"""Import with a preview: what is in the file, its CRS and encoding, which plan it is, which field holds the classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QTableWidget, QTableWidgetItem, QWidget

from planner_app.domain.layer import PlanInfo, PlanKind
from planner_app.i18n import tr, word
from planner_app.plugin_api.widgets import restyle
from planner_app.ui.canvas.feature_text import shown
from planner_app.ui.controls import button, label, row
from planner_app.ui.crs_names import crs_name
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.dialogs.new_project import CrsList
from planner_app.ui.session import Session
from planner_app.ui.words import class_standards, geometry_name, plan_kinds

if TYPE_CHECKING:
    from planner_app.domain.crs import CityTransform
    from planner_app.project.exchange import SourceInfo, SourceLayer

ENCODINGS = ("UTF-8", "GB18030", "GBK", "BIG5", "ISO-8859-1")


class ImportDialog(FormDialog):
    """Emits ``wanted(path, options of import_layer)``."""

    wanted = Signal(Path, dict)

    def __init__(self, session: Session, path: Path, info: SourceInfo, parent: QWidget) -> None:
        super().__init__(session, tr("Import {name}", name=path.name), tr("Import"), parent, 720)
        self.path, self.info = path, info
        self._crs = ""
        self._transform: CityTransform | None = None
        self._project_crs = session.project.crs if session.project is not None else ""
        self._build_source()
        self._build_meaning()
        self.preview = QTableWidget()
        self.preview.setProperty("look", "boxed")
        self.preview.setShowGrid(False)
        self.preview.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.preview.verticalHeader().setVisible(False)
        self.preview.verticalHeader().setDefaultSectionSize(session.theme.px(24))
        self.preview.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.preview.setMinimumHeight(session.theme.px(150))
        self.heading(tr("First rows"))
        self.body.addWidget(self.preview, 1)
        self._sublayer_chosen()

    # building

    def _build_source(self) -> None:
        self.sublayer = QComboBox()
        for sub in self.info.layers:
            self.sublayer.addItem(
                f"{sub.name}  ({geometry_name(sub.geometry)} · {sub.features:,})" if sub.features >= 0 else sub.name
            )
        self.sublayer.currentIndexChanged.connect(self._sublayer_chosen)
        self.name = QLineEdit()
        self.encoding = QComboBox()
        self.encoding.setEditable(True)
        self.encoding.addItems(ENCODINGS)
        self.encoding.activated.connect(self._inspect_again)
        self.summary = label("", "small", wrap=True)
        self.crs = label("", wrap=True)
        self.change_crs = button(tr("Choose…"), self._toggle_crs)
        self.crs_list = CrsList(self.session, "")
        self.crs_list.changed.connect(self._crs_chosen)
        form = self.form()
        if len(self.info.layers) > 1:
            form.addRow(fact(tr("Layer in the file")), self.sublayer)
        form.addRow(fact(tr("Name")), self.name)
        form.addRow(fact(tr("Contents")), self.summary)
        crs = row(spacing=8)
        crs.addWidget(self.crs, 1)
        crs.addWidget(self.change_crs)
        form.addRow(fact(tr("Coordinate system")), crs)
        form.addRow(fact(""), self.crs_list)
        self.city = label("", "warning", wrap=True)
        self.enter_city = button(tr("City parameters…"), self._enter_city)
        city = row(spacing=8)
        city.addWidget(self.city, 1)
        city.addWidget(self.enter_city)
        self._city_row = QWidget()
        self._city_row.setLayout(city)
        form.addRow(fact(""), self._city_row)
        self._source = form
        form.setRowVisible(self.crs_list, False)
        self._show_city("")
        form.addRow(fact(tr("Encoding")), self.encoding)
        self.east, self.north = QComboBox(), QComboBox()
        for box, first in ((self.east, tr("East: found by itself")), (self.north, tr("North: found by itself"))):
            box.addItem(first, "")
            for info in self.info.layers[0].fields if self.info.format == "CSV" and self.info.layers else ():
                box.addItem(info.name, info.name)
            box.activated.connect(self._inspect_again)
        if self.info.format == "CSV":
            form.addRow(fact(tr("Coordinates from")), row(self.east, self.north))

    def _build_meaning(self) -> None:
        self.plan = QComboBox()
        self.plan.addItem(tr("No plan"))
        plans = self.session.project.plans() if self.session.project is not None else []
        self._plans: list[PlanInfo | PlanKind | None] = [None, *plans]
        for plan in plans:
            self.plan.addItem(plan.name)
        for kind, name in plan_kinds():
            self.plan.addItem(tr("New: {kind}", kind=name))
            self._plans.append(kind)
        self.class_field, self.standard = QComboBox(), QComboBox()
        self.standard.addItem(tr("Not stated"), "")
        for standard, name in class_standards():
            self.standard.addItem(name, str(standard))
        form = self.form()
        form.addRow(fact(tr("Plan")), self.plan)
        form.addRow(fact(tr("Class field")), row(self.class_field, self.standard))

    # the file

    def current(self) -> SourceLayer:
        """The layer of the file that is shown."""
        return self.info.layers[max(0, self.sublayer.currentIndex())]

    def _sublayer_chosen(self, *_: object) -> None:
        sub = self.current()
        self.name.setText(self.path.stem if len(self.info.layers) == 1 else sub.name)
        self.class_field.clear()
        self.class_field.addItem(tr("None"), "")
        for info in sub.fields:
            self.class_field.addItem(info.alias or info.name, info.name)
        self.class_field.setCurrentIndex(max(0, self.class_field.findData(sub.class_field)))
        self.standard.setCurrentIndex(max(0, self.standard.findData(sub.class_standard)))
        self._show_crs(sub.crs or "", stated=bool(sub.crs))
        self._source.setRowVisible(self.encoding, bool(self.info.encoding))
        self.encoding.setCurrentText(self.info.encoding.upper())
        self._show_summary(sub)
        self._show_preview(sub)
        for code, params in self.info.warnings:
            self.notice.show_text(word(code, params), "warning", word(code, params, "hint"))

    def _show_summary(self, sub: SourceLayer) -> None:
        parts = [geometry_name(sub.geometry)]
        if sub.features >= 0:
            parts.append(tr("{count} features", count=f"{sub.features:,}"))
        if sub.extent is not None:
            xmin, ymin, xmax, ymax = sub.extent
            parts.append(tr("{width} × {height}", width=f"{xmax - xmin:,.6g}", height=f"{ymax - ymin:,.6g}"))
        self.summary.setText(" · ".join([self.info.format, *parts]))

    def _show_preview(self, sub: SourceLayer) -> None:
        self.preview.setColumnCount(len(sub.fields))
        self.preview.setHorizontalHeaderLabels([info.alias or info.name for info in sub.fields])
        self.preview.setRowCount(len(sub.sample))
        for number, cells in enumerate(sub.sample):
            for place, value in enumerate(cells):
                item = QTableWidgetItem(shown(value))
                if isinstance(value, int | float):
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.preview.setItem(number, place, item)
        self.preview.resizeColumnsToContents()

    def _csv_xy(self) -> tuple[str, str] | None:
        east, north = self.east.currentData(), self.north.currentData()
        return (east, north) if east and north else None

    def _inspect_again(self, *_: object) -> None:
        """Look into the file again with the encoding and the columns the person names."""
        path, xy = self.path, self._csv_xy()
        encoding = self.encoding.currentText().strip() if self.info.encoding else ""

        def work(progress: Any) -> SourceInfo:
            from planner_app.project.exchange import inspect

            return inspect(path, encoding, xy, progress)

        def show(info: SourceInfo) -> None:
            place = self.sublayer.currentIndex()
            self.info = info
            self.sublayer.setCurrentIndex(place)
            self._sublayer_chosen()
            self.notice.hide()

        def failed(error: Exception) -> None:
            self.complain(*self.session.word(error))

        self.session.jobs.run(tr("Look into {name}", name=path.name), work, show, failed, listed=False)

    # CRS

    def _show_crs(self, crs: str, stated: bool) -> None:
        self._crs = crs
        self._transform = None
        if not crs:
            self.crs.setText(tr("Not stated in the file: please choose it."))
            restyle(self.crs, "warning")
        else:
            where = tr("stated in the file") if stated else tr("chosen by you")
            self.crs.setText(f"{crs_name(crs) if len(crs) < 40 else crs[:60] + '…'} ({where})")
            restyle(self.crs, "")
        table = self.current().geometry == "none"
        for part in (self.crs, self.change_crs):
            part.setEnabled(not table)
        self._check_crs()

    def _show_city(self, text: str, look: str = "warning") -> None:
        self.city.setText(text)
        restyle(self.city, look)
        self._source.setRowVisible(self._city_row, bool(text))

    def _check_crs(self) -> None:
        """Ask PROJ, off the UI thread, whether this CRS leads to the project's without the city's help."""
        source, target = self._crs, self._project_crs
        self._show_city("")
        if not source or not target or source == target:
            return
        from planner_app.ui.dialogs.city_dialog import stored_transform

        self._transform = stored_transform(self.session, source)
        if self._transform is not None:
            self._show_city(tr("The city's parameters of this project are used."), "success")
            return

        def work(_progress: Any) -> None:
            from planner_app.domain.crs import transformer

            transformer(source, target)

        def failed(error: Exception) -> None:
            if self._crs == source:
                self._show_city(" ".join(self.session.word(error)))

        self.session.jobs.run(tr("Check the coordinate system"), work, None, failed, listed=False)

    def _enter_city(self) -> None:
        from planner_app.ui.dialogs.city_dialog import CityDialog

        dialog = CityDialog(self.session, self._crs, self)
        dialog.stored.connect(self._check_crs)
        dialog.open()

    def _toggle_crs(self) -> None:
        self._source.setRowVisible(self.crs_list, not self.crs_list.isVisible())
        if self.crs_list.isVisible() and not self.crs_list.crs():
            self.crs_list.choose(self._project_crs)

    def _crs_chosen(self) -> None:
        chosen = self.crs_list.crs()
        if chosen and self.crs_list.isVisible():
            self._show_crs(chosen, stated=False)

    # done

    def options(self) -> dict[str, Any]:
        """Arguments for ``import_layer`` as the dialog stands."""
        sub = self.current()
        chosen = self._crs if self._crs and self._crs != (sub.crs or "") else ""
        made: dict[str, Any] = {
            "sublayer": sub.name,
            "name": self.name.text().strip(),
            "crs": chosen,
            "encoding": self.encoding.currentText().strip() if self.info.encoding else "",
            "plan": self._plans[self.plan.currentIndex()],
            "class_field": self.class_field.currentData() or "",
            "class_standard": self.standard.currentData() or "",
            "transform": self._transform,
        }
        if self._csv_xy() is not None:
            made["csv_xy"] = self._csv_xy()
        return made

    def submit(self) -> None:
        """Check and hand over."""
        sub = self.current()
        if not self.name.text().strip():
            self.complain(tr("The layer needs a name."))
        elif not self._crs and sub.geometry != "none":
            self.complain(
                tr("“{name}” does not state its coordinate system.", name=self.path.name),
                tr("Choose it: a wrong guess would move everything by up to hundreds of metres."),
            )
            self._source.setRowVisible(self.crs_list, True)
        else:
            self.wanted.emit(self.path, self.options())
            self.accept()
