"""What is known about a project, a layer, and the result of checking the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from planner_app.domain.layer import LayerInfo
from planner_app.i18n import tr, word
from planner_app.ui.controls import ThemedIcon, label, row
from planner_app.ui.crs_names import crs_name
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session
from planner_app.ui.words import class_standards, field_type_name, geometry_name

if TYPE_CHECKING:
    from planner_app.project import CheckResult


def _value(text: str) -> QWidget:
    return label(text or "—", wrap=True, selectable=True)


def _extent_text(extent: tuple[float, float, float, float] | None) -> str:
    if extent is None:
        return ""
    xmin, ymin, xmax, ymax = extent
    return tr(
        "east {xmin} – {xmax}, north {ymin} – {ymax} m",
        xmin=f"{xmin:,.1f}", xmax=f"{xmax:,.1f}", ymin=f"{ymin:,.1f}", ymax=f"{ymax:,.1f}",
    )  # fmt: skip


class ProjectDialog(FormDialog):
    """File, size, CRS, layers."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(session, tr("Project properties"), "", parent)
        project = session.project
        if project is None:
            return
        path = Path(project.path)
        layers = session.layers()
        form = self.form()
        form.addRow(fact(tr("Name")), _value(project.name))
        form.addRow(fact(tr("File")), _value(str(path)))
        form.addRow(fact(tr("Size")), _value(f"{path.stat().st_size / 1e6:,.1f} MB" if path.exists() else ""))
        form.addRow(fact(tr("Coordinate system")), _value(f"{crs_name(project.crs)} ({project.crs})"))
        form.addRow(fact(tr("Extent")), _value(_extent_text(project.extent(None))))
        form.addRow(fact(tr("Layers")), _value(f"{len(layers)}"))
        form.addRow(fact(tr("Plans")), _value(", ".join(plan.name for plan in project.plans())))


class LayerDialog(FormDialog):
    """Source, CRS, extent, fields."""

    def __init__(self, session: Session, layer: LayerInfo, parent: QWidget) -> None:
        super().__init__(session, tr("Properties of “{layer}”", layer=layer.name), "", parent, 580)
        project = session.project
        if project is None:
            return
        standards = {str(standard): name for standard, name in class_standards()}
        plans = {plan.id: plan for plan in project.plans()}
        plan = plans.get(layer.plan_id)
        form = self.form()
        form.addRow(fact(tr("Kind")), _value(f"{geometry_name(layer.geometry)} · {project.count(layer.id):,}"))
        form.addRow(fact(tr("Plan")), _value(plan.name if plan else ""))
        classes = " · ".join(p for p in (layer.class_field, standards.get(layer.class_standard, "")) if p)
        form.addRow(fact(tr("Class field")), _value(classes))
        form.addRow(fact(tr("Source")), _value(layer.source))
        form.addRow(fact(tr("CRS of the source")), _value(crs_name(layer.source_crs) if layer.source_crs else ""))
        form.addRow(fact(tr("Extent")), _value(_extent_text(project.extent(layer.id))))
        form.addRow(fact(tr("Table in the file")), _value(layer.id))
        self.heading(tr("Fields"))
        table = QTableWidget(len(layer.fields), 3)
        table.setProperty("look", "boxed")
        table.setHorizontalHeaderLabels([tr("Field"), tr("Alias"), tr("Type")])
        table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        table.setShowGrid(False)
        table.verticalHeader().setVisible(False)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        for number, info in enumerate(layer.fields):
            for column, text in enumerate((info.name, info.alias, field_type_name(info.type))):
                table.setItem(number, column, QTableWidgetItem(text))
        table.setMinimumHeight(session.theme.px(200))
        self.body.addWidget(table, 1)


class VerifyDialog(FormDialog):
    """The checks of ``Project.verify`` with their outcome."""

    def __init__(self, session: Session, results: list[CheckResult], parent: QWidget) -> None:
        super().__init__(session, tr("Check of the project file"), "", parent)
        wrong = sum(not result.ok for result in results)
        self.notice.show_text(
            tr("{count} checks failed.", count=wrong) if wrong else tr("All checks passed."),
            "error" if wrong else "success",
            tr("Save a copy before working on, and send both files to the makers.") if wrong else "",
        )
        for result in results:
            icon = ThemedIcon(
                session.theme, "circle-check" if result.ok else "circle-x", 16, "pass" if result.ok else "fail"
            )
            key = f"check.{result.name}"
            worded = word(key)
            line = row(icon, spacing=8)
            line.addWidget(label(result.name if worded == key else worded), 1)
            line.addWidget(label(result.detail, "small", wrap=True), 1)
            self.body.addLayout(line)
