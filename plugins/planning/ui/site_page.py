"""Site check: a red line in; area inside every control line and land class out, with verdict and clause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer, QByteArray, QPointF
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter, QPainterPath, QPen

from planner_app.domain.errors import Cancelled
from planner_app.domain.progress import Progress
from planner_app.i18n import tr, word
from planner_app.plugin_api.model import Project
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import (
    CardList,
    CardText,
    Form,
    KeyFigures,
    Notice,
    TaskPage,
    button,
    combo,
    label,
    write_report,
)
from plugins.planning.ui import words
from plugins.planning.ui.site_rows import SiteTable, line_title, rows_of

if TYPE_CHECKING:
    from plugins.planning.model.control import SiteCheck
    from plugins.planning.model.site import Site

#: Pixels of the report's map.
_MAP_SIZE = (1800, 1100)
_ToWidget = Callable[[float, float], tuple[float, float]]


class SitePage(TaskPage):
    """The page. A check is not kept in the project: the report is its record."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__()
        self._context = context
        self._site: Site | None = None
        self._check: SiteCheck | None = None
        self._overlay: object | None = None
        self._marked = -1
        self._table = context.add_table("site", tr("Site check"))
        self._model = SiteTable()
        self._table.set_model(self._model)
        self._table.set_empty(
            tr("No site checked yet. Draw one on the map or open a red-line file."), tr("Draw"), self.draw
        )
        self._table.set_actions([("site-report", tr("Report…"), self.report)])
        self._table.current_changed.connect(self._rows_chosen)
        self._build()
        context.project_changed.connect(self._project_changed)
        context.selection.changed.connect(self._selection_changed)
        context.theme_changed.connect(context.map.update_overlays)
        self._selection_changed()
        self._show()

    def _build(self) -> None:
        self._purpose = combo(self.check)
        self._purpose.addItem(tr("Ordinary construction"), "")
        self._purpose.addItem(tr("Limited human activity (certified)"), "limited_activity")
        self._purpose.addItem(tr("National project that cannot avoid it"), "national_project")
        self._draw = button(tr("Draw"), self.draw, "primary")
        self._draw.setToolTip(tr("Click the corners on the map; double click closes the red line, Esc drops it."))
        self._open = button(tr("File…"), self.open_file)
        self._open.setToolTip(tr("Boundary points (TXT), DXF or GeoJSON"))
        self._selected = button(tr("Selection"), self.use_selected)
        self._report = button(tr("Report…"), self.report)
        form = Form()
        form.add(tr("Purpose"), self._purpose)
        form.add_row(tr("Red line"), self._draw, self._open, self._selected)
        form.add_buttons(self._report)
        self._notice = Notice()
        self._figures = KeyFigures(3)
        self._cards = CardList()
        self._cards.chosen.connect(self._card_chosen)
        self._before = label(
            tr(
                "Draw the red line of a site, read it from a file or take selected polygons: how it stands to every "
                "control line, with clause and verdict, and the area of each land class inside appear here."
            ),
            "secondary",
            wrap=True,
        )
        self.add(form, self._notice, self._before, self._figures, self._cards)

    # where the site comes from

    def draw(self) -> None:
        """Let the person draw the red line on the map; the check runs when it is closed."""

        def finished(wkb: bytes | None) -> None:
            self._notice.clear()
            if wkb is not None:
                self._read(lambda project: _drawn(wkb))

        self._notice.say(tr("Click the corners on the map; double click closes the red line, Esc drops it."))
        self._context.map.draw_polygon(finished)

    def open_file(self) -> None:
        """Read the red line from 界址点 TXT, DXF or GeoJSON."""
        path = self._context.ask_open(tr("Red line of a site"), tr("Red lines") + " (*.txt *.dxf *.geojson *.json)")
        if path is not None:
            self._read(lambda project: _from_file(project, str(path)))

    def use_selected(self) -> None:
        """Take the selected polygons as the site."""
        selection = self._context.selection
        chosen = [(layer, fid) for layer in selection.layer_ids() for fid in selection.fids(layer)]
        self._read(lambda project: _from_features(project, chosen))

    def _selection_changed(self) -> None:
        selection = self._context.selection
        count = sum(len(selection.fids(layer)) for layer in selection.layer_ids())
        self._selected.setEnabled(count > 0)
        self._selected.setToolTip(
            tr("Take the {count} selected polygons as the site", count=f"{count:,}")
            if count
            else tr("Select polygons on the map or in a table first")
        )

    def _read(self, read: Callable[[Project], Site]) -> None:
        project = self._context.project
        if project is None:
            return

        def done(site: Site) -> None:
            self._site = site
            self.check()

        self._notice.clear()
        self._context.run_job(tr("Reading the site"), lambda _progress: read(project), done, self._failed)

    # checking

    def check(self) -> None:
        """Check the site against all control lines and plans of the project."""
        project, site = self._context.project, self._site
        if project is None or site is None:
            return
        purpose = self._purpose.currentData()
        rules = self._context.rules("planning.")

        def work(progress: Progress) -> SiteCheck:
            from plugins.planning.model.control import check_site
            from plugins.planning.model.plan_side import LayerField

            plans = [
                LayerField(layer.id, layer.class_field)
                for layer in project.layers()
                if layer.geometry == "polygon" and layer.class_field and layer.class_standard and not layer.role
            ]
            return check_site(project, site, plans=plans, rules=rules, purpose=purpose, progress=progress)

        self._context.run_job(tr("Checking {name}", name=site.name), work, self._checked, self._failed)

    def _checked(self, check: SiteCheck) -> None:
        self._check = check
        self._marked = -1
        notes = [word(code, params) for code, params in check.site.notes]
        if notes:
            self._notice.say("\n".join(notes), level="warning")
        else:
            self._notice.clear()
        self._show()
        self._table.show()
        if self._overlay is None:
            self._overlay = self._context.map.add_overlay(self._paint)
        self._context.map.update_overlays()
        self._context.map.zoom_to_extent(check.site.geometry.bounds, 0.6)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, Cancelled):
            self._notice.say(*self._context.word(error), level="error")

    def _project_changed(self) -> None:
        self._site = self._check = None
        if self._overlay is not None:
            self._context.map.remove_overlay(self._overlay)
            self._overlay = None
        self._notice.clear()
        self._show()

    # showing

    def _show(self) -> None:
        check = self._check
        for widget in (self._draw, self._open):
            widget.setEnabled(self._context.project is not None)
        self._before.setVisible(check is None)
        for part in (self._report, self._figures, self._cards):
            part.setVisible(check is not None)
        if check is None:
            self._cards.set([])
            self._model.show([])
            return
        counts = Counter(finding.verdict.value for finding in check.findings)
        open_points = counts["needs_certificate"] + counts["cannot_judge"]
        self._figures.set(
            [
                (words.number(check.site_area, 0), tr("site, m²")),
                (str(counts["fail"]), tr("fail")),
                (str(open_points), tr("open points")),
            ]
        )
        self._cards.set([self._card(number) for number in self._order()])
        self._model.show(rows_of(check))

    def _order(self) -> list[int]:
        order = ("fail", "needs_certificate", "cannot_judge", "pass")
        lines = self._check.lines if self._check else []
        return sorted(range(len(lines)), key=lambda at: order.index(lines[at].finding.verdict.value))

    def _card(self, number: int) -> CardText:
        from planner_app.report.findings import finding_message

        assert self._check is not None
        line = self._check.lines[number]
        verdict = line.finding.verdict.value
        breach = sum(spot.area for spot in line.counted)
        figure = f"{words.number(breach, 1)} m²" if breach else ""
        borderline = line.finding.borderline
        pill = (
            ("needs_certificate", tr("borderline, check by hand")) if borderline else (verdict, words.verdict(verdict))
        )
        return CardText(str(number), line_title(line), figure, finding_message(line.finding), pill)

    def _card_chosen(self, key: str) -> None:
        self._mark(int(key))
        self._cards.select(key)

    def _rows_chosen(self, places: list[int]) -> None:
        numbers = [self._model.rows[at].line for at in places if self._model.rows[at].line >= 0]
        if numbers:
            self._mark(numbers[0])
            self._cards.select(str(numbers[0]))

    def _mark(self, number: int) -> None:
        self._marked = number
        self._context.map.update_overlays()
        line = self._check.lines[number] if self._check else None
        if line is not None and line.counted:
            boxes = [spot.geometry.bounds for spot in line.counted]
            west, south, east, north = zip(*boxes, strict=True)
            self._context.map.zoom_to_extent((min(west), min(south), max(east), max(north)), 0.6)

    def _paint(self, painter: QPainter, to_widget: _ToWidget) -> None:
        """The red line, and what of it is in breach."""
        check = self._check
        if check is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        red = QColor("#D7263D")
        for number, line in enumerate(check.lines):
            if self._marked not in (-1, number):
                continue
            colour = QColor(self._context.colour(line.finding.verdict.value))
            ground = QColor(colour)
            ground.setAlpha(80)
            for spot in line.counted:
                painter.setPen(QPen(colour, 1.5))
                painter.setBrush(ground)
                painter.drawPath(_path(spot.geometry, to_widget))
        pen = QPen(red, 2.5)
        pen.setDashPattern([8, 3, 1.5, 3])
        painter.setPen(pen)
        painter.setBrush(QColor(0, 0, 0, 0))
        painter.drawPath(_path(check.site.geometry, to_widget))

    # report

    def report(self) -> None:
        """Write the report (PDF, HTML or XLSX) with a map picture of the site."""
        project, check = self._context.project, self._check
        if project is None or check is None:
            return
        path = self._context.ask_save(
            tr("Site report"), f"{check.site.name}.pdf", "PDF (*.pdf);;HTML (*.html);;Excel (*.xlsx)"
        )
        if path is None:
            return

        size = _MAP_SIZE
        extent = _around(check.site.geometry.bounds, size)

        def with_map(png: bytes) -> None:
            picture = self._with_site(png, extent) if png else None

            def write() -> None:
                from plugins.planning.model.site_report import write_site_report

                write_site_report(check, path, project.name, picture)

            write_report(self._context, self._notice, path, write)

        self._context.render_map(extent, size, with_map, dpi=150.0)

    def _with_site(self, png: bytes, extent: tuple[float, float, float, float]) -> bytes:
        """The engine's map with the red line and what is in breach drawn on it, as on the screen."""
        image = QImage.fromData(png)
        scale = image.width() / (extent[2] - extent[0])
        painter = QPainter(image)
        painter.scale(2.0, 2.0)  # lines as thick as on screen at half the resolution
        self._paint(painter, lambda x, y: ((x - extent[0]) * scale / 2, (extent[3] - y) * scale / 2))
        painter.end()
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        QImageWriter(buffer, QByteArray(b"png")).write(image)
        return bytes(buffer.data().data())


def _around(
    bounds: tuple[float, float, float, float], size: tuple[int, int], margin: float = 0.6
) -> tuple[float, float, float, float]:
    """An extent of the picture's proportions around a site, with some of its surroundings."""
    west, south, east, north = bounds
    metres = max((east - west) / size[0], (north - south) / size[1], 0.01) * (1 + 2 * margin)
    x, y = (west + east) / 2, (south + north) / 2
    return x - size[0] * metres / 2, y - size[1] * metres / 2, x + size[0] * metres / 2, y + size[1] * metres / 2


def _path(geometry: Any, to_widget: _ToWidget) -> QPainterPath:
    path = QPainterPath()
    for polygon in getattr(geometry, "geoms", [geometry]):
        for ring in (polygon.exterior, *polygon.interiors):
            points = [QPointF(*to_widget(x, y)) for x, y in list(ring.coords)]
            path.moveTo(points[0])
            for point in points[1:]:
                path.lineTo(point)
            path.closeSubpath()
    return path


def _drawn(wkb: bytes) -> Site:
    from plugins.planning.model.site import site_from_polygon

    return site_from_polygon(wkb, tr("Drawn site"))


def _from_file(project: Project, path: str) -> Site:
    from plugins.planning.model.site import read_site

    return read_site(project, path)


def _from_features(project: Project, chosen: list[tuple[str, int]]) -> Site:
    import shapely

    from plugins.planning.model.site import site_from_polygon

    shapes = []
    names = []
    for layer_id in dict.fromkeys(layer for layer, _ in chosen):
        layer = project.layer(layer_id)
        if layer.geometry == "polygon":
            fids = [fid for one, fid in chosen if one == layer_id]
            shapes += list(shapely.from_wkb(project.read(layer_id, columns=[], fids=fids).geometry))
            names.append(f"{layer.name} {', '.join(map(str, fids[:3]))}{'…' if len(fids) > 3 else ''}")
    whole = shapely.union_all(shapely.make_valid(shapes)) if shapes else shapely.Polygon()
    return site_from_polygon(whole, "; ".join(names) or tr("Selected features"))
