"""Conflict check: choose two plans, find where they disagree, decide each patch, print the report."""

from __future__ import annotations

from collections import Counter
from typing import Any

from planner_app.domain.changeset import ChangeSet
from planner_app.domain.errors import Cancelled
from planner_app.domain.layer import LayerInfo
from planner_app.domain.progress import Progress, SubProgress
from planner_app.i18n import language, tr
from planner_app.plugin_api.model import Project
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import (
    CardList,
    DistributionBar,
    KeyFigures,
    Notice,
    Share,
    TaskPage,
    button,
    label,
    write_report,
)
from plugins.planning.ui import words
from plugins.planning.ui.conflict_form import ConflictForm
from plugins.planning.ui.conflict_more import MoreButton
from plugins.planning.ui.conflict_rows import PatchRow, PatchTable, groups_by_pair, pair_card, pair_key, read_rows
from plugins.planning.ui.decide_bar import DecideBar

_ROLE = "planning.conflicts"
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
        self.form = ConflictForm()
        self.form.inputs_changed.connect(self._inputs_changed)
        self.form.result_chosen.connect(self._result_chosen)
        self._check = button(tr("Check"), self.check, "primary")
        self._report = button(tr("Report…"), self.report)
        self.more = MoreButton(self._context, self.form)
        self.more.mapping_changed.connect(self._mapping_changed)
        self.more.failed.connect(self._failed)
        self.form.add_buttons(self._check, self._report, self.more)

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
        self.add(self.form, self._notice, self._before, self._figures, self._bar, self._cards)
        self.set_foot(self._decide)

    # what is there

    def reload(self) -> None:
        """Fill the inputs from the project and show its newest result."""
        project = self._context.project
        self._notice.clear()
        ready = self.form.fill(project)
        self._check.setEnabled(ready)
        self.more.setEnabled(ready)
        if project is not None and not ready:
            self._notice.say(
                tr("A conflict check needs two polygon layers with a class field."),
                tr("Import plans, or name a layer's class field in its properties."),
            )
        results = [layer for layer in project.layers() if layer.role == _ROLE] if project else []
        kept = next((layer for layer in results if self._result and layer.id == self._result.id), None)
        self._result = kept or (results[0] if results else None)
        self.form.show_results(results, self._result)
        self._load()

    def _inputs_changed(self) -> None:
        same = self.form.same_plan()
        self._check.setEnabled(not same)
        if same:
            self._notice.say(tr("Plan A and plan B are the same layer."), tr("Choose another one."), "warning")
        else:
            self._notice.clear()

    def _result_chosen(self, layer_id: str) -> None:
        project = self._context.project
        if project is not None:
            self._result = project.layer(layer_id)
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
        self._cards.set([pair_card(group, groups[0].area_m2, colours) for group in groups])
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

    def check(self) -> None:
        """Run the check and keep its result as a layer."""
        project = self._context.project
        if project is None or not self._check.isEnabled():
            return
        (a, b), options = self.form.sides(), self.form.options(str(self._context.setting("planning.basis")))
        name, shown = self.form.name(), language()

        def work(progress: Progress) -> LayerInfo:
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
        if not isinstance(error, Cancelled):
            self._notice.say(*self._context.word(error), level="error")

    def _mapping_changed(self) -> None:
        if self._result is not None:
            self._notice.say(tr("The class mapping changed."), tr("Check again to bring the result up to date."))

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
            def write() -> None:
                from plugins.planning.model.conflict_report import ConflictReport, write_conflict_report

                write_conflict_report(ConflictReport.of_layer(project, layer.id), path, png or None)

            write_report(self._context, self._notice, path, write)

        extent = project.extent(layer.id) or project.extent(None)
        if extent is None:
            with_map(b"")
        else:
            self._context.render_map(extent, (1800, 1100), with_map, dpi=150)


def _decided(rows: list[PatchRow]) -> int:
    return sum(1 for row in rows if row.decision and row.decision != "pending")
