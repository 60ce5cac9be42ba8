"""A case: opened, or its particulars changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QHBoxLayout, QLineEdit, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Form, button, combo, label, px
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog
from plugins.review.ui.issues import date_edit, iso_date
from plugins.review.ui.map_pick import pick_point
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from plugins.review.model.cases.records import Case
    from plugins.review.model.conditions.types import Conditions


class CaseDialog(ReviewDialog):
    """Number, title, parcel, applicant, designer, city, permit date. The parcel brings its planning conditions.

    Args:
        case: the case to change; None opens a new one.
    """

    def __init__(self, state: ReviewState, case: Case | None, parent: QWidget | None = None) -> None:
        super().__init__(
            state, tr("Case particulars") if case else tr("New case"), tr("Save") if case else tr("Open case"), parent
        )
        self._case = case
        self._conditions: Conditions | None = case.conditions if case else None
        self.number = QLineEdit(case.number if case else "")
        self.number.setPlaceholderText(tr("the next number"))
        self.title = QLineEdit(case.title if case else "")
        self.parcel = QLineEdit(case.parcel if case else "")
        self.parcel.setPlaceholderText(tr("number of the parcel"))
        self.parcel.editingFinished.connect(self._parcel_typed)
        self._pick = button(tr("From the map"), self._pick_parcel)
        self._pick.setToolTip(tr("Click the parcel on the map; Esc leaves it."))
        self._pick.setAutoDefault(False)
        self._found = label("", "small", wrap=True)
        self.applicant = QLineEdit(case.applicant if case else "")
        self.designer = QLineEdit(case.designer if case else "")
        self.city = _city_combo(state, case.city if case else "")
        self.permit = date_edit(case.permit_date if case else "")
        self.permit.setSpecialValueText(tr("today"))
        self.permit.setToolTip(tr("The rules in force on this day are applied."))
        self.status = combo()
        for one in ("open", "returned", "approved", "rejected", "built"):
            self.status.addItem(words.case_status(one), one)
        where = QWidget()
        line = QHBoxLayout(where)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.parcel, 1)
        line.addWidget(self._pick)
        form = Form()
        for caption, field in (
            (tr("Number"), self.number), (tr("Title"), self.title), (tr("Parcel"), where), ("", self._found),
            (tr("Applicant"), self.applicant), (tr("Designer"), self.designer), (tr("City"), self.city),
            (tr("Permit date"), self.permit),
        ):  # fmt: skip
            form.add(caption, field)
        if case is not None:
            self.status.setCurrentIndex(self.status.findData(case.status.value))
            form.add(tr("Status"), self.status)
        self.body.addWidget(form)
        self.body.addStretch(1)
        self.setMinimumWidth(px(460))
        self._say_parcel()
        self._list_parcels()

    # the parcel

    def _list_parcels(self) -> None:
        """Offer the parcel numbers of the detailed zoning while one is typed."""
        project = self.state.project
        if project is None:
            return

        def work(progress: Progress) -> list[str]:
            from plugins.review.model.conditions.from_layer import parcel_numbers

            return parcel_numbers(project)

        def done(numbers: list[str]) -> None:
            completer = QCompleter(numbers, self)
            completer.setFilterMode(Qt.MatchFlag.MatchContains)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            self.parcel.setCompleter(completer)
            completer.activated.connect(lambda _: self._parcel_typed())

        self.run(tr("Reading parcels"), work, done)

    def _pick_parcel(self) -> None:
        pick_point(self.state.context, tr("Click the parcel"), self._picked)

    def _picked(self, place: tuple[float, float] | None) -> None:
        project = self.state.project
        if place is None or project is None:
            return

        def work(progress: Progress) -> Conditions | None:
            from shapely import Point

            from plugins.review.model.conditions.from_layer import parcel_at

            return parcel_at(project, Point(*place).buffer(0.5))

        self.run(tr("Looking for the parcel"), work, self._use)

    def _parcel_typed(self) -> None:
        number, project = self.parcel.text().strip(), self.state.project
        known = self._conditions.parcel if self._conditions is not None else ""
        if number == known or project is None:
            return
        if not number:
            self._use_nothing("")
            return

        def work(progress: Progress) -> Conditions | None:
            from plugins.review.model.conditions.from_layer import find_parcel

            return find_parcel(project, number)

        def done(found: Conditions | None) -> None:
            if found is not None:
                self._use(found)
            else:
                self._use_nothing(tr("No parcel of that number in the detailed zoning: enter its conditions later."))

        self.run(tr("Looking for the parcel"), work, done)

    def _use(self, found: Conditions | None) -> None:
        if found is None:
            self._use_nothing(tr("There is no parcel of a detailed plan at that place."))
            return
        self._conditions = found
        self.parcel.setText(found.parcel)
        if found.city and not self.city.currentText():
            self.city.setCurrentText(found.city)
        self._say_parcel()

    def _use_nothing(self, text: str) -> None:
        self._conditions = None
        self._found.setText(text)
        self._found.setVisible(bool(text))

    def _say_parcel(self) -> None:
        found = self._conditions
        if found is None:
            self._use_nothing("")
            return
        parts = [found.use]
        if found.site_area_m2:
            parts.append(f"{words.number(found.site_area_m2)} m²")
        if found.far_max is not None:
            parts.append(f"{tr('FAR')} ≤ {found.far_max:.2f}")
        self._found.setText(" · ".join(part for part in parts if part))
        self._found.show()

    # keeping it

    def apply(self) -> None:
        """Open the case, or change it."""
        title = self.title.text().strip() or self.parcel.text().strip()
        if not title:
            self.notice.say(tr("A case needs a title or a parcel."), level="warning")
            self.title.setFocus()
            return
        values: dict[str, object] = {
            "number": self.number.text().strip(),
            "title": title,
            "parcel": self.parcel.text().strip(),
            "applicant": self.applicant.text().strip(),
            "designer": self.designer.text().strip(),
            "city": self.city.currentText().strip(),
            "permit_date": iso_date(self.permit),
            "conditions": self._conditions,
        }
        if self._case is None:
            self._open(values)
        else:
            self._change(self._case, values)

    def _open(self, values: dict[str, object]) -> None:
        from plugins.review.model.cases import store
        from plugins.review.model.cases.records import Case
        from plugins.review.model.cases.workflow import open_case

        project = self.state.project
        if project is None:
            return
        number = str(values["number"])
        if number and any(one.number.casefold() == number.casefold() for one in self.state.cases()):
            self.notice.say(tr("There is a case {number} already.", number=number), level="warning")
            return
        case = replace(Case(store.new_id(), "", ""), **values)  # type: ignore[arg-type]
        self.run(tr("Opening the case"), lambda _progress: open_case(project, case), self._opened)

    def _opened(self, case: Case) -> None:
        self.accept()
        self.state.refresh()
        self.state.choose_case(case.id)

    def _change(self, case: Case, values: dict[str, object]) -> None:
        from plugins.review.model.cases.commands import SetCase
        from plugins.review.model.cases.records import CaseStatus

        values = {**values, "status": CaseStatus(self.status.currentData())}
        values["number"] = values["number"] or case.number
        changed = {name: value for name, value in values.items() if getattr(case, name) != value}
        if not changed or self.state.execute(SetCase(case.id, changed, case.title), self) is not None:
            self.accept()


def _city_combo(state: ReviewState, city: str) -> QComboBox:
    """Cities named by rules and cases of the project; another one may be typed."""
    box = combo()
    box.setEditable(True)
    box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
    names = {rule.city for rule in state.context.rules("review.") if rule.city}
    names |= {one.city for one in state.cases() if one.city}
    box.addItems(["", *sorted(names)])
    box.setCurrentText(city)
    if (editor := box.lineEdit()) is not None:
        editor.setPlaceholderText(tr("national rules only"))
    return box
