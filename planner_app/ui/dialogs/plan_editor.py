"""Which plan a layer belongs to, and which attribute holds its land classes."""

from __future__ import annotations

import uuid
from dataclasses import replace

from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from planner_app.domain.layer import LayerInfo, PlanInfo, PlanKind
from planner_app.i18n import tr
from planner_app.ui.controls import label, line, row
from planner_app.ui.dialogs.form_dialog import FormDialog, fact
from planner_app.ui.session import Session
from planner_app.ui.words import class_standards, plan_kinds


def date_wrong(text: str) -> bool:
    """True if it is neither empty nor an ISO date."""
    from datetime import date

    try:
        date.fromisoformat(text.strip() or "2000-01-01")
    except ValueError:
        return True
    return False


class PlanEditor(FormDialog):
    """Edits the plan (shared by all its layers) and the layer's class field; one undoable step."""

    def __init__(self, session: Session, layer: LayerInfo, parent: QWidget) -> None:
        super().__init__(session, tr("Plan of “{layer}”", layer=layer.name), tr("Save"), parent, 540)
        self.layer = layer
        self.plans = {plan.id: plan for plan in session.project.plans()} if session.project is not None else {}
        self.plan = QComboBox()
        self.plan.addItem(tr("No plan"), "")
        for plan in self.plans.values():
            self.plan.addItem(plan.name, plan.id)
        self.plan.addItem(tr("A new plan…"), "new")
        self.kind = QComboBox()
        for kind, name in plan_kinds():
            self.kind.addItem(name, kind)
        self.name, self.authority, self.version = QLineEdit(), QLineEdit(), QLineEdit()
        self.valid_from, self.valid_to = QLineEdit(), QLineEdit()
        for field in (self.valid_from, self.valid_to):
            field.setPlaceholderText("YYYY-MM-DD")
            field.setFont(session.theme.font(tabular=True))
        self.class_field, self.standard = QComboBox(), QComboBox()
        self.class_field.addItem(tr("None"), "")
        for info in layer.fields:
            if info.type != "blob":
                self.class_field.addItem(info.alias or info.name, info.name)
        self.class_field.setCurrentIndex(max(0, self.class_field.findData(layer.class_field)))
        self.standard.addItem(tr("Not stated"), "")
        for standard, name in class_standards():
            self.standard.addItem(name, str(standard))
        self.standard.setCurrentIndex(max(0, self.standard.findData(layer.class_standard)))
        form = self.form()
        form.addRow(fact(tr("Plan")), self.plan)
        self.body.addWidget(line())
        form = self.form()
        self._plan_parts: list[QWidget] = [
            self.kind,
            self.name,
            self.authority,
            self.version,
            self.valid_from,
            self.valid_to,
        ]
        form.addRow(fact(tr("Kind")), self.kind)
        form.addRow(fact(tr("Name")), self.name)
        form.addRow(fact(tr("Authority")), self.authority)
        form.addRow(fact(tr("Version")), self.version)
        form.addRow(fact(tr("In force from – to")), row(self.valid_from, label("–", "secondary"), self.valid_to))
        self.body.addWidget(line())
        form = self.form()
        form.addRow(fact(tr("Class field")), self.class_field)
        form.addRow(fact(tr("Class standard")), self.standard)
        self.body.addWidget(
            label(
                tr("Plan comparison reads the class field; the standard says which code list it speaks."),
                "small",
                wrap=True,
            )
        )
        self.plan.currentIndexChanged.connect(self._plan_chosen)
        self.plan.setCurrentIndex(max(0, self.plan.findData(layer.plan_id)))
        self._plan_chosen()

    def _plan_chosen(self) -> None:
        key = self.plan.currentData()
        plan = self.plans.get(key, PlanInfo("", PlanKind.OTHER, ""))
        self.kind.setCurrentIndex(max(0, self.kind.findData(plan.kind)))
        for field, text in (
            (self.name, plan.name), (self.authority, plan.authority), (self.version, plan.version),
            (self.valid_from, plan.valid_from), (self.valid_to, plan.valid_to),
        ):  # fmt: skip
            field.setText(text)
        for part in self._plan_parts:
            part.setEnabled(bool(key))
        if key == "new":
            self.name.setFocus()

    def submit(self) -> None:
        """Save as one step."""
        from planner_app.ui.commands import AssignPlan

        key = self.plan.currentData()
        plan: PlanInfo | None = None
        if key:
            if not self.name.text().strip():
                self.complain(tr("The plan needs a name."))
                return
            if date_wrong(self.valid_from.text()) or date_wrong(self.valid_to.text()):
                self.complain(tr("A date is not complete."), tr("Write it as 2035-12-31, or leave it empty."))
                return
            old = self.plans.get(key, PlanInfo(uuid.uuid4().hex, PlanKind.OTHER, ""))
            fresh = replace(
                old, kind=PlanKind(self.kind.currentData()), name=self.name.text().strip(),
                authority=self.authority.text().strip(), version=self.version.text().strip(),
                valid_from=self.valid_from.text().strip(), valid_to=self.valid_to.text().strip(),
            )  # fmt: skip
            plan = fresh
        values = {
            "plan_id": plan.id if plan is not None else "",
            "class_field": self.class_field.currentData(),
            "class_standard": self.standard.currentData(),
        }
        changed = plan if plan is not None and self.plans.get(plan.id) != plan else None
        if self.session.execute(AssignPlan(self.layer.id, self.layer.name, changed, values), self) is not None:
            self.accept()
