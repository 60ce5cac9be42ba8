"""Which layer of the drawing holds what: changed here, the drawing is read again at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from planner_app.domain.progress import Progress
from planner_app.i18n import language, tr
from planner_app.plugin_api.widgets import Form, combo, label, px
from plugins.review.model.reading.types import ReadingOptions, Role
from plugins.review.ui import words
from plugins.review.ui.dialog import ReviewDialog, in_cell, right_aligned
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from planner_app.plugin_api.model import Project
    from plugins.review.model.cases.workflow import OpenDrawing
    from plugins.review.model.reading.convention import Convention

_HERE, _PROJECT, _CITY = "drawing", "project", "city"


class LayersDialog(ReviewDialog):
    """Layers with the role found for each. A change holds for this drawing, or for every one of the project or city."""

    def __init__(self, state: ReviewState, parent: QWidget | None = None) -> None:
        super().__init__(state, tr("Layer convention"), "", parent)
        self._conventions: dict[str, Convention] = {}
        self._names: list[str] = []
        self.scope = combo()
        self.scope.addItem(tr("this drawing"), _HERE)
        self.scope.addItem(tr("every drawing of this project"), _PROJECT)
        if state.case is not None and state.case.city:
            self.scope.addItem(tr("drawings of {city} in this project", city=state.case.city), _CITY)
        self.convention = combo(self._convention_chosen)
        form = Form()
        form.add(tr("Convention"), self.convention)
        form.add(tr("A change holds for"), self.scope)
        self._summary = label("", "secondary", wrap=True)
        self.table = QTableWidget(0, 4)
        self.table.setHorizontalHeaderLabels([tr("Layer"), tr("Entities"), tr("Found"), tr("Holds")])
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(px(36))
        self.table.setShowGrid(False)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.itemSelectionChanged.connect(self._point_at)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        right_aligned(self.table, 1)
        for column, width in ((1, 80), (2, 170), (3, 225)):
            self.table.setColumnWidth(column, px(width))
        for widget in (form, self._summary, self.table):
            self.body.addWidget(widget)
        self.fit(800, 620)
        state.drawing_changed.connect(self._fill)
        self._load()

    def _load(self) -> None:
        project = self.state.project
        if project is None:
            return

        def work(progress: Progress) -> dict[str, Convention]:
            from plugins.review.model.reading.convention import load_conventions

            return dict(load_conventions(project))

        def done(found: dict[str, Convention]) -> None:
            self._conventions = found
            self.convention.clear()
            self.convention.addItem(tr("best match"), "")
            for name, one in found.items():
                if name != "base":
                    title = (one.title_zh if language() == "zh_CN" else one.title) or one.title or name
                    self.convention.addItem(title, name)
            self._fill()

        self.run(tr("Reading conventions"), work, done)

    def _fill(self) -> None:
        opened = self.state.opened
        if opened is None:
            self.table.setRowCount(0)
            return
        options, plan = opened.record.options, opened.plan
        self.convention.setCurrentIndex(max(self.convention.findData(options.convention), 0))
        at = self.convention.findData(plan.convention)
        title = self.convention.itemText(at) if at > 0 else plan.convention
        self.convention.setItemText(0, tr("best match: {name}", name=title) if title else tr("best match"))
        roles = {name: role for role, names in plan.roles.items() for name in names}
        counts: dict[str, int] = {}
        for entity in opened.drawing.entities:
            counts[entity.layer] = counts.get(entity.layer, 0) + 1
        names = [one.name for one in opened.drawing.layers if counts.get(one.name)]
        names += sorted(counts.keys() - set(names))
        names.sort(key=lambda name: (name not in plan.unread, name))
        unread = sum(plan.unread.values())
        self._summary.setText(
            tr("{layers} layers with {count} entities are not read; they stand first.", layers=len(plan.unread),
               count=f"{unread:,}")
            if plan.unread else tr("Every layer of this drawing is read.")
        )  # fmt: skip
        scrolled = self.table.verticalScrollBar().value()
        self._names = names
        self.table.setRowCount(0)
        self.table.setRowCount(len(names))
        for row, name in enumerate(names):
            self._fill_row(row, name, counts[name], roles.get(name, ""), options)
        self.table.verticalScrollBar().setValue(scrolled)

    def _fill_row(self, row: int, name: str, count: int, role: str, options: ReadingOptions) -> None:
        self.table.setItem(row, 0, QTableWidgetItem(name))
        number = QTableWidgetItem(f"{count:,}")
        number.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.table.setItem(row, 1, number)
        self.table.setItem(row, 2, QTableWidgetItem(words.role(role) if role else words.NONE))
        box = combo()
        box.addItem(tr("as the convention says"), "")
        for one in Role:
            box.addItem(words.role(one.value), one.value)
        box.setCurrentIndex(max(box.findData(options.aliases.get(name, "")), 0))
        box.activated.connect(lambda _, name=name, box=box: self._set(name, box.currentData()))
        self.table.setCellWidget(row, 3, in_cell(box))

    def _point_at(self) -> None:
        """Show the layer's entities on map and sheet."""
        from plugins.review.ui.marks import of_handles

        opened, rows = self.state.opened, self.table.selectionModel().selectedRows()
        if opened is not None and rows:
            name = self._names[rows[0].row()]
            handles = [one.handle for one in opened.drawing.entities if one.layer == name and one.visible]
            self.state.show(of_handles(opened, handles, "accent"), zoom=False)

    def _convention_chosen(self) -> None:
        opened = self.state.opened
        if opened is not None:
            self._read(opened, replace(opened.record.options, convention=self.convention.currentData()))

    def _set(self, layer: str, role: str) -> None:
        """Give a layer a role (or leave it to the convention) and read the drawing again."""
        opened = self.state.opened
        if opened is None:
            return
        if self.scope.currentData() == _HERE:
            aliases = {name: one for name, one in opened.record.options.aliases.items() if name != layer}
            if role:
                aliases[layer] = role
            self._read(opened, replace(opened.record.options, aliases=aliases))
        else:
            self._keep(opened, layer, role)

    def _read(self, opened: OpenDrawing, options: ReadingOptions) -> None:
        if options != opened.record.options:
            self.state.reread(options)

    def _keep(self, opened: OpenDrawing, layer: str, role: str) -> None:
        """Put the alias into a convention of the project's own, which extends the one in use, and read by it."""
        project, case = self.state.project, self.state.case
        if project is None:
            return
        used = self._conventions.get(opened.plan.convention)
        city = case.city if case is not None and self.scope.currentData() == _CITY else ""

        def work(progress: Progress) -> str:
            return keep_alias(project, used, city, layer, role)

        def done(name: str) -> None:
            self._load()
            aliases = {key: one for key, one in opened.record.options.aliases.items() if key != layer}
            chosen = opened.record.options.convention
            convention = name if chosen or name != opened.plan.convention else chosen
            self.state.reread(replace(opened.record.options, aliases=aliases, convention=convention))

        self.run(tr("Keeping the convention"), work, done)


def keep_alias(project: Project, used: Convention | None, city: str, layer: str, role: str) -> str:
    """Add an alias (or take it out) to the project's own convention, or the city's; returns its name."""
    from plugins.review.model.reading.convention import Convention, load_conventions, save_convention, with_alias

    name = _slug(city) if city else "project"
    if city or used is None:
        known = load_conventions(project).get(name)
        title = city or tr("This project")
        used = known or Convention(name, used.name if used is not None else "", title, title, own=True)
    made = with_alias(used, layer, Role(role) if role else None)
    save_convention(project, made)
    return made.name


def _slug(city: str) -> str:
    return "".join(mark if mark.isalnum() else "_" for mark in city.strip())
