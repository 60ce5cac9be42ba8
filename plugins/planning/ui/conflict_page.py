"""Conflict check: choose two plans, find where they disagree, decide each patch, print the report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QMenu, QToolButton

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.layer import LayerInfo
from planner_app.domain.progress import Progress
from planner_app.i18n import language, tr
from planner_app.plugin_api.model import Project
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import (
    CardList,
    CardText,
    DistributionBar,
    Form,
    KeyFigures,
    Notice,
    Share,
    TaskPage,
    button,
    combo,
    label,
)
from plugins.planning.ui import words
from plugins.planning.ui.conflict_rows import PairGroup, PatchRow, PatchTable, groups_by_pair, pair_key, read_rows
from plugins.planning.ui.decide_bar import DecideBar
from plugins.planning.ui.gates_dialog import GatesDialog

if TYPE_CHECKING:
    from plugins.planning.model.conflict_result import ConflictOptions

#: Smallest area in m² and mean width in m that counts.
_GATES = ((0.0, 0.0), (1.0, 0.1), (10.0, 0.5), (100.0, 1.0))
_ROLE = "planning.conflicts"
_EVERY_DIFFERENCE, _EVERY_PAIR = "", "*"
_MOST_CARDS = 60


class ConflictPage(TaskPage):
    """The page; everything it shows comes from the result layer, so a reopened project shows its last check."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self._result: LayerInfo | None = None
        self._run: dict[str, Any] = {}
        self._rows: list[PatchRow] = []
        self._cause = ""
        self._pair = ""
        self._custom_gates: tuple[float, float] | None = None
        self._judged: set[str] = set()
        self._table = context.add_table("conflicts", tr("Conflicts"))
        self._model = PatchTable()
        self._table.set_model(self._model)
        self._table.set_empty(tr("No conflict check yet. Choose two plans and check them."), tr("Check"), self.check)
        self._table.set_actions(
            [("report", tr("Report…"), self.report), ("zoom", tr("Zoom to"), self._zoom_to_selected)]
        )
        self._build()
        self._table.current_changed.connect(self._rows_chosen)
        self._table.row_activated.connect(self._row_activated)
        context.selection.changed.connect(self._selection_changed)
        context.project_changed.connect(self.reload)
        context.data_changed.connect(self._data_changed)
        context.theme_changed.connect(self._show)
        self.reload()

    def _build(self) -> None:
        self._a, self._b = combo(self._inputs_changed), combo(self._inputs_changed)
        self._gates, self._scope = combo(self._gates_chosen), combo()
        self._results = combo(self._result_chosen)
        self._check = button(tr("Check"), self.check, "primary")
        self._report = button(tr("Report…"), self.report)
        self._more = QToolButton()
        self._more.setIcon(self._context.icon("ellipsis"))
        self._more.setToolTip(tr("Matrix, class mapping, area basis"))
        self._more.clicked.connect(self._more_menu)
        form = Form()
        self._caption_a = form.add(tr("Plan A"), self._a)
        form.add(tr("Plan B"), self._b)
        form.add(tr("Compare"), self._scope)
        form.add(tr("Ignore"), self._gates)
        self._caption_results = form.add(tr("Result"), self._results)
        form.add_buttons(self._check, self._report, self._more)

        self._figures = KeyFigures(3)
        self._bar = DistributionBar()
        self._bar.clicked.connect(self._cause_clicked)
        self._notice = Notice()
        self._cards = CardList()
        self._cards.chosen.connect(self._card_chosen)
        self._before = label(
            tr(
                "The check lists every place where the two plans disagree: "
                "here by pair of classes, below as a table, and on the map."
            ),
            "secondary",
            wrap=True,
        )

        self._decide = DecideBar()
        self._decide.decided.connect(self.decide)
        self.add(form, self._notice, self._before, self._figures, self._bar, self._cards)
        self.set_foot(self._decide)

    # what is there

    def reload(self) -> None:
        """Fill the inputs from the project and show its newest result."""
        project = self._context.project
        self._notice.clear()
        self._fill_inputs(project)
        results = [layer for layer in project.layers() if layer.role == _ROLE] if project else []
        kept = next((layer for layer in results if self._result and layer.id == self._result.id), None)
        self._result = kept or (results[0] if results else None)
        self._results.clear()
        for layer in results:
            self._results.addItem(layer.name, layer.id)
        if self._result is not None:
            self._results.setCurrentIndex(self._results.findData(self._result.id))
        self._results.setVisible(len(results) > 1)
        self._caption_results.setVisible(len(results) > 1)
        self._load()

    def _fill_inputs(self, project: Project | None) -> None:
        chosen = self._a.currentData(), self._b.currentData()
        entries: list[tuple[str, str]] = []
        if project is not None:
            polygons = [layer for layer in project.layers() if layer.geometry == "polygon" and not layer.role]
            for layer in polygons:
                if layer.class_field:
                    entries.append((f"{layer.name} · {layer.class_field}", f"{layer.id}\n{layer.class_field}"))
            for layer in polygons:
                if not layer.class_field:
                    fields = [field.name for field in layer.fields if field.type in ("text", "integer")]
                    entries += [(f"{layer.name} · {name}", f"{layer.id}\n{name}") for name in fields[:8]]
        for place, box in enumerate((self._a, self._b)):
            box.clear()
            for title, data in entries:
                box.addItem(title, data)
            found = box.findData(chosen[place]) if chosen[place] else -1
            box.setCurrentIndex(found if found >= 0 else min(place, len(entries) - 1))
        if project is not None and not any(chosen):
            self._suggest(project)
        self._fill_scope(project)
        self._fill_gates()
        ready = len(entries) > 1
        for widget in (self._a, self._b, self._gates, self._scope, self._check, self._more):
            widget.setEnabled(ready)
        if project is not None and not ready:
            self._notice.say(
                tr("A conflict check needs two polygon layers with a class field."),
                tr("Import plans, or name a layer's class field in its properties."),
            )

    def _suggest(self, project: Project) -> None:
        """First time: the master plan against the land-use plan, as planners do."""
        kinds = {plan.id: plan.kind for plan in project.plans()}
        for box, wanted in ((self._a, "master"), (self._b, "land_use")):
            for layer in project.layers():
                if kinds.get(layer.plan_id) == wanted and layer.class_field and layer.geometry == "polygon":
                    box.setCurrentIndex(max(box.findData(f"{layer.id}\n{layer.class_field}"), 0))
                    break

    def _fill_scope(self, project: Project | None) -> None:
        from plugins.planning.model.matrix import load_matrix, matrix_names

        chosen = self._scope.currentData()
        self._scope.clear()
        for name in matrix_names(project):
            matrix = load_matrix(project, name)
            title = (matrix.title_zh if language() == "zh_CN" else matrix.title) or name
            self._scope.addItem(tr("Conflicts: {matrix}", matrix=title), name)
        self._scope.addItem(tr("Every difference of class"), _EVERY_DIFFERENCE)
        self._scope.addItem(tr("Everything that overlaps"), _EVERY_PAIR)
        self._scope.setCurrentIndex(max(self._scope.findData(chosen), 0) if chosen is not None else 0)

    def _fill_gates(self) -> None:
        chosen = self._gates.currentData() or (1.0, 0.1)
        self._gates.clear()
        choices = list(_GATES)
        if self._custom_gates is not None and self._custom_gates not in choices:
            choices.append(self._custom_gates)
        for area, width in choices:
            title = tr("< {area} m² or narrower than {width} m", area=f"{area:g}", width=f"{width:g}")
            self._gates.addItem(title if area or width else tr("nothing"), (area, width))
        self._gates.addItem(tr("Other…"), None)
        places = [at for at in range(self._gates.count()) if self._gates.itemData(at) == tuple(chosen)]
        self._gates.setCurrentIndex(places[0] if places else 1)

    def _gates_chosen(self) -> None:
        if self._gates.currentData() is None:
            dialog = GatesDialog(self._custom_gates or (1.0, 0.1), self.window())
            if dialog.exec():
                self._custom_gates = dialog.gates()
            area_width = self._custom_gates or (1.0, 0.1)
            self._gates.setCurrentIndex(0)
            self._fill_gates()
            for at in range(self._gates.count()):
                if self._gates.itemData(at) == area_width:
                    self._gates.setCurrentIndex(at)

    def _inputs_changed(self) -> None:
        same = bool(self._a.currentData()) and self._a.currentData() == self._b.currentData()
        self._check.setEnabled(not same)
        if same:
            self._notice.say(tr("Plan A and plan B are the same layer."), tr("Choose another one."), "warning")
        else:
            self._notice.clear()

    def _result_chosen(self) -> None:
        project = self._context.project
        if project is not None:
            self._result = project.layer(self._results.currentData())
            self._load()

    def _load(self) -> None:
        """Read the chosen result off the UI thread; a big one has tens of thousands of patches."""
        project, layer = self._context.project, self._result
        self._cause = self._pair = ""
        if project is None or layer is None:
            self._rows, self._run = [], {}
            self._show()
            return

        def work(progress: Progress) -> tuple[list[PatchRow], dict[str, Any]]:
            from plugins.planning.model.result_layer import read_metadata

            return read_rows(project, layer.id), read_metadata(project, layer.id)

        def done(found: tuple[list[PatchRow], dict[str, Any]]) -> None:
            if self._result is not None and self._result.id == layer.id:
                self._rows, self._run = found
                self._show()
                if layer.id not in self._judged:
                    self._judge_age(project, layer)

        self._context.run_job(tr("Reading {layer}", layer=layer.name), work, done, self._failed)

    def _judge_age(self, project: Project, layer: LayerInfo) -> None:
        """Once per result and session: say if a plan is no longer what was compared."""
        self._judged.add(layer.id)

        def work(progress: Progress) -> list[str]:
            from plugins.planning.model.result_layer import is_stale

            return is_stale(project, layer.id)

        def done(changed: list[str]) -> None:
            if changed and self._result is not None and self._result.id == layer.id:
                self._say_stale()

        self._context.run_job(tr("Reading {layer}", layer=layer.name), work, done, self._failed)

    def _say_stale(self) -> None:
        self._notice.say(
            tr("A compared plan was edited after this check."), tr("Check again to bring it up to date."), "warning"
        )

    # showing

    def _ellipsoidal(self) -> bool:
        return bool(self._run.get("options", {}).get("basis") == "ellipsoidal")

    def _names(self) -> tuple[str, str]:
        return self._run.get("a", {}).get("name", "A"), self._run.get("b", {}).get("name", "B")

    def _shown_rows(self) -> list[PatchRow]:
        return [
            row
            for row in self._rows
            if (not self._cause or row.cause == self._cause) and (not self._pair or pair_key(row) == self._pair)
        ]

    def _show(self) -> None:
        rows = self._rows
        ellipsoidal = self._ellipsoidal()
        area = sum(row.area_ellipsoidal_m2 if ellipsoidal else row.area_m2 for row in rows)
        decided = _decided(rows)
        has_result = self._result is not None
        self._before.setVisible(not has_result)
        for part in (self._figures, self._bar, self._cards):
            part.setVisible(bool(rows))
        self._figures.set(
            [
                (f"{len(rows):,}", tr("patches")),
                (words.hectares(area), tr("hectares")),
                (words.percent(decided, len(rows)), tr("decided: {count}", count=f"{decided:,}")),
            ]
        )
        counts = Counter(row.cause for row in rows)
        colours = words.cause_colours() if rows else {}
        self._bar.set(
            [
                Share(key, words.cause(key), counts[key], colour, f"{counts[key]:,}")
                for key, colour in colours.items()
                if counts[key]
            ],
            self._cause,
        )
        of_cause = [row for row in rows if not self._cause or row.cause == self._cause]
        groups = groups_by_pair(of_cause, ellipsoidal)[:_MOST_CARDS]
        self._cards.set([_card(group, groups[0].area_m2, colours) for group in groups])
        self._cards.select(self._pair)
        shown = self._shown_rows()
        self._model.show(shown, self._names(), ellipsoidal)
        self._table.set_title(tr("Conflicts {count}", count=f"{len(shown):,}") if has_result else tr("Conflicts"))
        self._report.setEnabled(has_result)
        self._check.setText(tr("Check again") if has_result else tr("Check"))
        if has_result and not rows:
            self._notice.say(tr("The two plans agree: no conflict was found."), level="success")
        self._selection_changed()

    def _cause_clicked(self, key: str) -> None:
        self._filter("" if self._cause == key else key, "")
        self._show()

    def _filter(self, cause: str, pair: str) -> None:
        """Show only these; what of the selection would be hidden by it is let go."""
        self._cause, self._pair = cause, pair
        chosen = set(self._selected())
        kept = [row.fid for row in self._shown_rows() if row.fid in chosen]
        if self._result is not None and len(kept) < len(chosen):
            self._context.selection.set(self._result.id, kept)

    def _card_chosen(self, key: str) -> None:
        self._filter(self._cause, "" if self._pair == key else key)
        self._cards.select(self._pair)
        shown = self._shown_rows()
        self._model.show(shown, self._names(), self._ellipsoidal())
        self._table.set_title(tr("Conflicts {count}", count=f"{len(shown):,}"))
        self._table.show()
        if self._result is not None and self._pair:
            fids = [row.fid for row in shown]
            self._context.selection.set(self._result.id, fids)
            self._context.map.zoom_to_features(self._result.id, fids)

    # selection, both ways

    def _rows_chosen(self, places: list[int]) -> None:
        if self._result is not None:
            self._context.selection.set(self._result.id, [self._model.rows[at].fid for at in places])

    def _row_activated(self, place: int) -> None:
        if self._result is not None:
            self._context.map.zoom_to_features(self._result.id, [self._model.rows[place].fid])

    def _zoom_to_selected(self) -> None:
        if self._result is not None:
            fids = self._context.selection.fids(self._result.id) or [row.fid for row in self._shown_rows()]
            self._context.map.zoom_to_features(self._result.id, fids)

    def _selected(self) -> tuple[int, ...]:
        return self._context.selection.fids(self._result.id) if self._result is not None else ()

    def _selection_changed(self) -> None:
        chosen = set(self._selected())
        rows = [row for row in self._rows if row.fid in chosen]
        if (self._cause or self._pair) and len(self._model.places(chosen)) < len(rows):
            self._cause = self._pair = ""  # selected elsewhere: what is selected is shown
            self._show()
            return
        self._table.select_rows(self._model.places(sorted(chosen)))
        self._decide.show_for(rows, self._names())

    # deciding

    def decide(self, decision: str, ground: str = "") -> None:
        """Say which plan yields on the selected patches, and why; undoable."""
        from plugins.planning.model.decide import DecideConflicts

        if self._result is not None and (fids := self._selected()):
            command = DecideConflicts(self._result.id, fids, decision, ground, self._context.user)
            self._context.execute(command, self)

    def _data_changed(self, changeset: ChangeSet, initiator: object) -> None:
        project = self._context.project
        if project is None:
            return
        if self._result is not None and all(layer.id != self._result.id for layer in project.layers()):
            self._result = None
        if changeset.registry:
            self.reload()
            return
        if self._result is None:
            return
        for touch in changeset.touches:
            if touch.table == self._result.id:
                if touch.fids is not None and not touch.inserted and not touch.deleted:
                    self._refresh(project, touch.fids)
                else:
                    self._load()
            elif touch.table in {self._run.get(side, {}).get("layer") for side in ("a", "b")}:
                self._say_stale()

    def _refresh(self, project: Project, fids: tuple[int, ...]) -> None:
        changed = {row.fid: row for row in read_rows(project, self._result.id, fids)} if self._result else {}
        self._rows = [changed.get(row.fid, row) for row in self._rows]
        self._model.replace(changed.values())
        decided = _decided(self._rows)
        caption = tr("decided: {count}", count=f"{decided:,}")
        self._figures.set_one(2, words.percent(decided, len(self._rows)), caption)
        chosen = set(self._selected())
        self._decide.show_for([row for row in self._rows if row.fid in chosen], self._names())

    # checking

    def _options(self) -> ConflictOptions:
        from plugins.planning.model.conflict_result import ConflictOptions

        scope = self._scope.currentData()
        area, width = self._gates.currentData() or (1.0, 0.1)
        ellipsoidal = self._context.setting("planning.basis") == "ellipsoidal"
        matrix = "" if scope in (_EVERY_DIFFERENCE, _EVERY_PAIR) else scope
        return ConflictOptions(
            every_pair=scope == _EVERY_PAIR,
            matrix=matrix,
            min_area=area,
            min_width=width,
            basis="ellipsoidal" if ellipsoidal else "planar",
        )

    def _side(self, box: QComboBox) -> Any:
        from plugins.planning.model.plan_side import LayerField

        layer, _, field = str(box.currentData()).partition("\n")
        return LayerField(layer, field)

    def check(self) -> None:
        """Run the check and keep its result as a layer."""
        project = self._context.project
        if project is None or not self._check.isEnabled():
            return
        a, b, options = self._side(self._a), self._side(self._b), self._options()
        shown = language()
        names = [self._a.currentText().split(" · ")[0], self._b.currentText().split(" · ")[0]]
        name = f"{names[0]} × {names[1]}"

        def work(progress: Progress) -> LayerInfo:
            from planner_app.domain.progress import SubProgress
            from plugins.planning.model.conflicts import run_conflicts
            from plugins.planning.model.result_layer import save_result

            result = run_conflicts(project, a, b, options, SubProgress(progress, 0.0, 0.85))
            return save_result(project, result, name, language=shown, progress=SubProgress(progress, 0.85, 1.0))

        def done(layer: LayerInfo) -> None:
            self._check.setEnabled(True)
            self._judged.add(layer.id)
            self._result = layer
            self.reload()
            self._table.show()

        self._notice.clear()
        self._check.setEnabled(False)
        self._context.run_job(tr("Checking {name}", name=name), work, done, self._failed)

    def _failed(self, error: Exception) -> None:
        self._check.setEnabled(True)
        if not _is_cancel(error):
            self._notice.say(*self._context.word(error), level="error")

    # matrix, mapping, basis

    def _more_menu(self) -> None:
        menu = QMenu(self)
        for title, handler in ((tr("Conflict matrix…"), self.edit_matrix), (tr("Class mapping…"), self.edit_mapping)):
            action = QAction(title, menu)
            action.triggered.connect(lambda _=False, run=handler: run())
            menu.addAction(action)
        menu.addSeparator()
        for key, title in (("planar", tr("Areas in the plane")), ("ellipsoidal", tr("Areas on the ellipsoid"))):
            action = QAction(title, menu)
            action.setCheckable(True)
            action.setChecked(self._context.setting("planning.basis") == key)
            action.triggered.connect(lambda _=False, chosen=key: self._context.set_setting("planning.basis", chosen))
            menu.addAction(action)
        menu.exec(self._more.mapToGlobal(QPoint(0, self._more.height())))

    def _with_sides(self, title: str, then: Any) -> None:
        """Read both plans off the UI thread, then open an editor on them."""
        project = self._context.project
        if project is None:
            return
        wanted = self._side(self._a), self._side(self._b)

        def work(progress: Progress) -> Any:
            from datetime import date

            from plugins.planning.model.plan_side import read_side

            return [read_side(project, side, date.today().isoformat()) for side in wanted]

        self._context.run_job(title, work, then, self._failed)

    def edit_matrix(self) -> None:
        """Open the matrix as a grid of the two plans' classes."""

        def opened(sides: Any) -> None:
            from plugins.planning.model.matrix import DEFAULT
            from plugins.planning.ui.matrix_editor import MatrixEditor

            name = self._scope.currentData() or DEFAULT
            a, b = sides
            shown = name if name != _EVERY_PAIR else DEFAULT
            editor = MatrixEditor(self._context, a, b, shown, self.window())
            if editor.exec():
                self._fill_scope(self._context.project)
                self._scope.setCurrentIndex(max(self._scope.findData(editor.name), 0))

        self._with_sides(tr("Reading classes"), opened)

    def edit_mapping(self) -> None:
        """Open the table of what class values mean."""

        def opened(sides: Any) -> None:
            from plugins.planning.ui.mapping_editor import MappingEditor

            if MappingEditor(self._context, sides, self.window()).exec() and self._result is not None:
                self._notice.say(tr("The class mapping changed."), tr("Check again to bring the result up to date."))

        self._with_sides(tr("Reading classes"), opened)

    # report

    def report(self) -> None:
        """Write the report (PDF, HTML or XLSX) with a map picture of the result."""
        project, layer = self._context.project, self._result
        if project is None or layer is None:
            return
        patterns = "PDF (*.pdf);;HTML (*.html);;Excel (*.xlsx)"
        path = self._context.ask_save(tr("Conflict report"), f"{layer.name.replace(' ', '')}.pdf", patterns)
        if path is None:
            return

        def with_map(png: bytes) -> None:
            def work(progress: Progress) -> Any:
                from plugins.planning.model.conflict_report import ConflictReport, write_conflict_report

                write_conflict_report(ConflictReport.of_layer(project, layer.id), path, png or None)

            done = tr("The report was written to {file}.", file=path.name)
            self._context.run_job(
                tr("Writing the report"),
                work,
                lambda _: self._notice.say(done, str(path.parent), "success"),
                self._failed,
            )

        extent = project.extent(layer.id) or project.extent(None)
        if extent is None:
            with_map(b"")
        else:
            self._context.render_map(extent, (1800, 1100), with_map, dpi=150)


def _decided(rows: list[PatchRow]) -> int:
    return sum(1 for row in rows if row.decision and row.decision != "pending")


def _card(group: PairGroup, largest: float, colours: dict[str, str]) -> CardText:
    """A pair of classes; its bar is as long as its area is of the largest pair's, coloured by cause."""
    count = tr("{count} places", count=f"{group.count:,}")
    grave = group.verdict in ("fail", "needs_certificate")
    return CardText(
        group.key,
        group.title,
        f"{words.hectares(group.area_m2)} ha",
        " · ".join(text for text in (count, group.reason) if text),
        (group.verdict, words.verdict(group.verdict)) if grave else None,
        tuple((area / largest, colours[cause]) for cause, area in group.by_cause if largest > 0),
    )


def _is_cancel(error: Exception) -> bool:
    from planner_app.domain.errors import Cancelled

    return isinstance(error, Cancelled)
