"""Clearances: pipes against each other, tunnels, buildings and planned works; works inside the tunnels' zones."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QDoubleSpinBox

from planner_app.domain.progress import Progress
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Project
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
    write_report,
)
from planner_app.report.findings import verdict_word
from plugins.tunnel.ui.analysis.clearance_rows import GRAVITY, pair_rows
from plugins.tunnel.ui.analysis.desk import AnalysisDesk
from plugins.tunnel.ui.analysis.marks import Picture, Spot, Strokes
from plugins.tunnel.ui.analysis.watcher import watcher_of
from plugins.tunnel.ui.analysis.words import needs, rule_title

if TYPE_CHECKING:
    from plugins.tunnel.model.clearance.report import Pair, Report
    from plugins.tunnel.model.clearance.zones import Intrusion

_MOST_DOTS, _MOST_ROWS = 1_500, 50
#: A line's record and its parts' coordinates, by name (``line:12``).
Lines = dict[str, tuple[int, list[Any]]]


class ClearancePage(TaskPage):
    """The page. The table in the dock holds the pairs, the cards the works inside zones."""

    def __init__(self, desk: AnalysisDesk) -> None:
        super().__init__()
        self._desk, self._context = desk, desk.context
        self.report: Report | None = None
        self.lines: Lines = {}
        self.shown: list[Pair] = []
        self._verdict = ""
        self._zone = ""
        self._asked = 0
        self.watcher = watcher_of(desk.context)
        self.watcher.changed.connect(self._show)
        self.layer = combo()
        self.reach = QDoubleSpinBox()
        self.reach.setRange(0.5, 100.0)
        self.reach.setDecimals(1)
        self.reach.setSuffix(" m")
        self.reach.setValue(5.0)
        self.run = button(tr("Check clearances"), self.check, "primary")
        self.exporter = button(tr("Export…"), self.export)
        form = Form()
        form.add(tr("What to check"), self.layer)
        form.add(tr("Within"), self.reach)
        self.drawer = button(tr("Draw a work…"), self.draw_work)
        form.add_buttons(self.run, self.exporter)
        form.add_buttons(self.drawer)
        self.notice, self.figures, self.bar = Notice(), KeyFigures(3), DistributionBar()
        self.bar.clicked.connect(self._filter)
        self.before = label(
            tr(
                "Judges distances in plan, upright and in space between outer surfaces, clause by clause; "
                "what is not known is never passed. Planned works are checked by themselves as they are drawn."
            ),
            "secondary",
            wrap=True,
        )
        self.zones_head, self.zones = label("", "heading"), CardList()
        self.zones.chosen.connect(self._zone_chosen)
        self.notes = label("", "small", wrap=True)
        self.add(form, self.notice, self.before, self.figures, self.bar, self.zones_head, self.zones, self.notes)
        self.table = self._context.add_table("clearances", tr("Clearances"))
        self._rows = pair_rows(self)
        self.table.set_model(self._rows)
        self.table.set_empty(tr("No clearances checked yet."), tr("Check clearances"), self.check)
        self.table.set_actions([("export", tr("Export…"), self.export)])
        self.table.current_changed.connect(self._rows_chosen)
        self.table.row_activated.connect(lambda row: self._rows_chosen([row]))
        self._context.selection.changed.connect(self._selection_changed)
        desk.state.records_changed.connect(lambda _: self._fill_layers())
        self._fill_layers()
        self._show()

    def reset(self) -> None:
        """Another project, or other pipes: what was judged may no longer hold."""
        if self.report is not None and self._context.project is not None:
            self.notice.say(tr("Pipes or tunnels changed since this check."), tr("Check again."), "warning")
            return
        self.report = None
        self._fill_layers()
        self._show()

    def forget(self) -> None:
        """Another project."""
        self.report = None
        self.notice.clear()
        self._fill_layers()
        self._show()

    def _fill_layers(self) -> None:
        from plugins.tunnel.model.clearance.works import watched

        project, chosen = self._context.project, self.layer.currentData()
        self.layer.clear()
        self.layer.addItem(tr("Pipes, tunnels and buildings"), "")
        layers = [one for one in project.layers() if one.geometry != "none"] if project is not None else []
        first = [one for one in layers if project is not None and watched(project, one)]
        for one in first:
            self.layer.addItem(tr("Against {layer}", layer=one.name), one.id)
        self.layer.setCurrentIndex(max(self.layer.findData(chosen), 0))
        self.run.setEnabled(project is not None)

    # judging

    def check(self) -> None:
        """Judge in a job; of two the later answer counts."""
        project = self._context.project
        if project is None:
            return
        layer, reach = str(self.layer.currentData() or ""), float(self.reach.value())
        rules = self._context.rules("tunnel.")
        city = str(self._context.setting("tunnel.city"))
        self._asked += 1
        asked = self._asked

        def work(progress: Progress) -> tuple[Report, Lines]:
            from planner_app.domain.rule import in_force
            from plugins.tunnel.model.clearance.report import assess

            valid = in_force(rules, date.today(), city)
            report = assess(project, valid, layer=layer, reach=reach, progress=progress)
            return report, _lines(project)

        def done(found: tuple[Report, Lines]) -> None:
            if self._context.project is project and self._asked == asked:
                self.report, self.lines = found
                self._verdict = self._zone = ""
                self.notice.clear()
                if not self.report.pairs and not self.report.zones:
                    self.notice.say(tr("Nothing lies so near to each other."), level="success")
                self._show()
                self.table.show()

        def failed(error: Exception) -> None:
            self.notice.say(*self._context.word(error), level="error")

        self._context.run_job(tr("Judging clearances"), work, done, failed)

    def works(self) -> list[Intrusion]:
        """Works in zones: of the report and what was drawn since, each once."""
        found: dict[tuple[str, str], Intrusion] = {}
        for one in self.report.zones if self.report is not None else ():
            found[one.feature, one.tunnel.code] = one
        for ones in self.watcher.found.values():
            found |= {(one.feature, one.tunnel.code): one for one in ones}
        return sorted(found.values(), key=lambda one: (float(one.rule.params["reach_m"]), one.distance))

    # showing

    def _show(self) -> None:
        report, works = self.report, self.works()
        self.before.setVisible(report is None)
        self.exporter.setEnabled(report is not None)
        for part in (self.figures, self.bar):
            part.setVisible(report is not None)
        pairs = report.pairs if report is not None else []
        counts = Counter(str(one.deciding.verdict) for one in pairs)
        three = ("fail", "needs_certificate", "cannot_judge")
        self.figures.set(
            [(f"{counts[key]:,}", verdict_word(key)) for key in three], [key if counts[key] else "" for key in three]
        )
        self.bar.set(
            [
                Share(key, verdict_word(key), counts[key], self._context.colour(key), f"{counts[key]:,}")
                for key in GRAVITY if counts[key]
            ],
            self._verdict,
        )  # fmt: skip
        self.shown = [one for one in pairs if not self._verdict or str(one.deciding.verdict) == self._verdict]
        self._rows.show(self.shown)
        title = tr("Clearances {count}", count=f"{len(self.shown):,}") if report is not None else tr("Clearances")
        self.table.set_title(title)
        self.zones_head.setText(tr("Planned works in zones {count}", count=len(works)))
        self.zones_head.setVisible(bool(works))
        self.zones.set([self._zone_card(one) for one in works])
        self.zones.select(self._zone)
        self.notes.setText("\n".join(word(code, params) for code, params in report.notes) if report is not None else "")
        self.draw()

    def _zone_card(self, one: Intrusion) -> CardText:
        far = tr("over it") if one.distance <= 0 else f"{one.distance:,.1f} m"
        what = tr(", ").join(word(f"tunnel.watch_{quantity}", {}) for quantity in one.quantities)
        points = tr("{count} points every {m} m: {what}", count=len(one.points), m=f"{one.spacing:g}", what=what)
        span = "" if one.from_m != one.from_m else f" · {one.from_m:,.0f}–{one.to_m:,.0f} m"
        lines = [
            f"{one.layer} · {one.tunnel.name}{span} · {far}", tr("Needed: {what}", what=needs([one])),
            tr("Watch: {points}", points=points),
        ]  # fmt: skip
        name = one.name or one.feature.rpartition("/")[2]
        return CardText(_zone_key(one), name, "", "\n".join(lines), ("needs_certificate", rule_title(one.rule)))

    def draw(self) -> None:
        """Pairs as dots, the chosen pair's lines, a chosen work's monitoring points."""
        if not self.isVisible():
            return
        picture = Picture()
        judged = [one for one in self.shown if str(one.deciding.verdict) != "pass"][:_MOST_DOTS]
        for one in reversed(judged):
            picture.spots.append(Spot(*one.where, str(one.deciding.verdict)))
        rows = [self.shown[row] for row in self.table.selected_rows() if row < len(self.shown)]
        for one in rows[:20]:
            token = str(one.deciding.verdict)
            lines = [xy for name in (one.a, one.b) if name in self.lines for xy in self.lines[name][1]]
            picture.strokes.append(Strokes(lines, token, 4.0))
            picture.spots.append(Spot(*one.where, token, "start"))
        work = next((one for one in self.works() if _zone_key(one) == self._zone), None)
        if work is not None:
            picture.spots += [Spot(p.x, p.y, "accent", text=f"{p.m:,.0f}") for p in work.points]
        self._desk.marks.show(picture)

    def _filter(self, key: str) -> None:
        self._verdict = "" if self._verdict == key else key
        self._show()

    def _rows_chosen(self, rows: list[int]) -> None:
        pairs = [self.shown[row] for row in rows if row < len(self.shown)]
        if not pairs:
            self.draw()
            return
        self._zone = ""
        fids = [self.lines[name][0] for one in pairs for name in (one.a, one.b) if name in self.lines]
        if fids:
            self._context.selection.set(self._line_layer(), fids)
        self.draw()
        xs, ys = zip(*(one.where for one in pairs), strict=True)
        self._context.map.zoom_to_extent((min(xs) - 25, min(ys) - 25, max(xs) + 25, max(ys) + 25))

    def _line_layer(self) -> str:
        from plugins.tunnel.model import tables

        project = self._context.project
        found = tables.find(project, tables.LINE) if project is not None else None
        return found.id if found is not None else ""

    def _selection_changed(self) -> None:
        """A line selected anywhere: its pairs in the table."""
        layer = self._line_layer() if self.shown and self.isVisible() else ""
        fids = set(self._context.selection.fids(layer)) if layer else set()
        names = {name for name, (fid, _) in self.lines.items() if fid in fids} if fids else set()
        chosen = {row for row in self.table.selected_rows() if row < len(self.shown)}
        if names and not any({self.shown[row].a, self.shown[row].b} & names for row in chosen):
            rows = [at for at, one in enumerate(self.shown) if one.a in names or one.b in names]
            self.table.select_rows(rows[:_MOST_ROWS])
            self.draw()

    def _zone_chosen(self, key: str) -> None:
        self._zone = "" if self._zone == key else key
        self.zones.select(self._zone)
        work = next((one for one in self.works() if _zone_key(one) == self._zone), None)
        if work is not None:
            layer, _, fid = work.feature.rpartition("/")
            self._context.selection.set(layer, [int(fid)])
            self._context.map.zoom_to_features(layer, [int(fid)])
        self.draw()

    def draw_work(self) -> None:
        """Let the person draw a planned work; the check then runs by itself."""
        project = self._context.project
        if project is None:
            return

        def drawn(wkb: bytes | None) -> None:
            from plugins.tunnel.model.clearance.work_table import AddWork

            if wkb is None or self._context.project is not project:
                return
            if self._context.execute(AddWork(wkb, tr("Planned work"))) is not None:
                layer = next(one for one in project.layers() if one.role == "tunnel.external_work")
                self._context.show_layer(layer.id)
                self._context.selection.set(layer.id, [max(project.fid_list(layer.id))])

        self._context.map.draw_polygon(drawn)

    # export

    def export(self) -> None:
        """Write what is shown: XLSX, CSV or PDF with a map."""
        project, report = self._context.project, self.report
        if project is None or report is None:
            self.notice.say(tr("No clearances checked yet."), tr("Check them first."))
            return
        path = self._context.ask_save(
            tr("Export clearances"), f"{tr('Clearances')}.xlsx", "Excel (*.xlsx);;PDF (*.pdf);;CSV (*.csv)"
        )
        if path is None:
            return
        if path.suffix.casefold() == ".pdf":
            self._context.render_map(
                self._context.map.extent(), (1400, 900), lambda png: self._write(path, png), dpi=150
            )
        else:
            self._write(path, b"")

    def _write(self, path: Path, png: bytes) -> None:
        project, report, pairs = self._context.project, self.report, list(self.shown)
        if project is None or report is None:
            return

        def write() -> None:
            from plugins.tunnel.model.clearance.export import write_clearance

            write_clearance(project, report, pairs, path, png)

        write_report(self._context, self.notice, path, write)


def _zone_key(one: Intrusion) -> str:
    return f"{one.feature}|{one.tunnel.code}"


def _lines(project: Project) -> Lines:
    """Record and places of the project's lines, by the names that reports use."""
    import shapely

    from plugins.tunnel.model import tables

    layer = tables.find(project, tables.LINE)
    if layer is None:
        return {}
    table = project.read(layer.id, columns=["code"] if layer.field("code") is not None else [])
    codes = table.columns.get("code", [None] * len(table))
    return {
        f"line:{code or fid}": (int(fid), [shapely.get_coordinates(part) for part in shapely.get_parts(shape)])
        for fid, code, shape in zip(table.fids, codes, shapely.from_wkb(table.geometry), strict=True)
        if shape is not None
    }
