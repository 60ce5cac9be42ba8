"""Editing a polygon's vertices: drag moves, double click on an edge adds, Del deletes, drag inside moves it whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter

from planner_app.i18n import tr
from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.snapping import Owner, Snap
from planner_app.ui.tools import sketch
from planner_app.ui.tools.draw_polygon import word_problem
from planner_app.ui.tools.editable import Corner, EditablePolygon, insert_shared, move_shared, remove_shared
from planner_app.ui.tools.select import select_at
from planner_app.ui.tools.tool import Tool, ToolEvent

if TYPE_CHECKING:
    from planner_app.domain.changeset import ChangeSet
    from planner_app.project import Project
    from planner_app.ui.canvas.map_canvas import MapCanvas

GRIP_PIXELS = 8.0
#: A drag shorter than this was a click that trembled.
TREMBLE_PIXELS = 3.0
#: Neighbours looked at for shared corners.
MOST_NEIGHBOURS = 500
#: Above this many vertices in view only those near the pointer get handles.
MOST_HANDLES = 2_000
#: With more than this they are drawn small.
MANY_HANDLES = 120


@dataclass(frozen=True, slots=True)
class Subject:
    """The polygon being edited and its neighbours in the same layer."""

    layer_id: str
    fid: int
    polygon: EditablePolygon
    neighbours: dict[int, EditablePolygon]


class EditVerticesTool(Tool):
    """One polygon at a time: the selected one, or the one clicked."""

    snaps = True

    def __init__(self, canvas: MapCanvas) -> None:
        super().__init__(canvas)
        self.shared = True
        self.subject: Subject | None = None
        self.draft: EditablePolygon | None = None
        self._drafts: dict[int, EditablePolygon] = {}
        self._gripped: Corner | None = None
        self._hovered: Corner | None = None
        self._pressed: ToolEvent | None = None
        self._whole = False
        self._snap: Snap | None = None
        self._problem = ""

    # what is edited

    def activate(self) -> None:
        self.canvas.session.selection.changed.connect(self._reload)
        self.canvas.session.data_changed.connect(self._data_changed)
        self._reload()

    def deactivate(self) -> None:
        self.canvas.session.selection.changed.disconnect(self._reload)
        self.canvas.session.data_changed.disconnect(self._data_changed)
        self.canvas.background.drop("edit")
        self._drop_drag()
        self.subject = self._hovered = None
        self.canvas.update()

    def _data_changed(self, change: ChangeSet, _initiator: object) -> None:
        if self.subject is not None and self.subject.layer_id in change.tables():
            self._drop_drag()
            self._reload()

    def _reload(self) -> None:
        chosen = self._chosen()
        project = self.canvas.session.project
        if project is None or chosen is None:
            self.canvas.background.drop("edit")
            self.subject = self._hovered = None
            self._drop_drag()
            self.canvas.update_hint()
            return
        layer_id, fid = chosen
        self.canvas.background.run(
            "edit", lambda: load_subject(project, layer_id, fid), self._loaded, self.canvas.report
        )

    def _loaded(self, subject: Subject | None) -> None:
        self.subject, self._hovered = subject, None
        self.canvas.update_hint()
        self.canvas.update()

    def _chosen(self) -> tuple[str, int] | None:
        selection = self.canvas.session.selection
        layer_ids = selection.layer_ids()
        if len(layer_ids) != 1 or len(selection.fids(layer_ids[0])) != 1:
            return None
        layer = self.canvas.content.layer(layer_ids[0])
        if layer is None or layer.geometry != "polygon" or self.canvas.refusal(layer):
            return None
        return layer.id, selection.fids(layer.id)[0]

    def hint(self) -> str:
        if self._problem:
            return word_problem(self._problem)
        if self.subject is None:
            return self.canvas.refusal() or tr("Click the polygon to edit.")
        if self.shared:
            return tr("Drag a vertex or the whole; double click an edge adds, Del deletes. S: leave neighbours alone.")
        return tr("Drag a vertex or the whole; double click an edge adds, Del deletes. S: take neighbours along.")

    # events

    def press(self, event: ToolEvent) -> None:
        if not event.left:
            return
        self._pressed, self._gripped, self._whole = event, None, False
        if self.subject is None:
            return
        self._gripped = self.subject.polygon.nearest_vertex(event.x, event.y, self._reach())
        if self._gripped is None:
            self._whole = self.subject.polygon.contains(event.x, event.y)

    def move(self, event: ToolEvent) -> None:
        subject = self.subject
        if subject is None:
            return
        if not event.left_held or self._pressed is None:
            self._hovered = subject.polygon.nearest_vertex(event.x, event.y, self._reach())
            over_edge = (
                self._hovered is None and subject.polygon.nearest_edge(event.x, event.y, self._reach()) is not None
            )
            self.canvas.set_cursor(self._shape(event, over_edge))
            self.canvas.update()
            return
        if self.draft is None and self._distance(event) < TREMBLE_PIXELS:
            return
        if self._gripped is not None:
            self._drag_vertex(subject, self._gripped, event)
        elif self._whole:
            self._drag_whole(subject, event)
        self._problem = self.draft.problem() if self.draft is not None else ""
        self.canvas.update_hint()
        self.canvas.update()

    def _drag_vertex(self, subject: Subject, corner: Corner, event: ToolEvent) -> None:
        old = subject.polygon.vertex(corner)
        moved = move_shared(subject.neighbours, old, old) if self.shared else {}
        owners: list[Owner] = [(subject.layer_id, fid) for fid in (subject.fid, *moved)]
        x, y = self._snapped(event, owners)
        self.draft = subject.polygon.moved(corner, x, y)
        self._drafts = move_shared(subject.neighbours, old, (x, y)) if self.shared else {}

    def _drag_whole(self, subject: Subject, event: ToolEvent) -> None:
        assert self._pressed is not None
        dx, dy = event.x - self._pressed.x, event.y - self._pressed.y
        near = subject.polygon.nearest_vertex(self._pressed.x, self._pressed.y, float("inf"))
        if near is not None:
            # The vertex nearest to the grip is what snaps.
            x, y = subject.polygon.vertex(near)
            target = None if event.alt else self.canvas.snapper.snap(x + dx, y + dy, [(subject.layer_id, subject.fid)])
            self._snap = target
            if target is not None:
                dx, dy = target.x - x, target.y - y
        self.draft, self._drafts = subject.polygon.translated(dx, dy), {}
        self.canvas.set_cursor(Qt.CursorShape.SizeAllCursor)

    def release(self, event: ToolEvent) -> None:
        if not event.left or self._pressed is None:
            return
        pressed_inside = self._gripped is not None or self._whole
        draft, drafts = self.draft, self._drafts
        self._drop_drag(keep_hover=True)
        if draft is not None:
            self._commit(draft, drafts)
        elif not pressed_inside:
            select_at(self.canvas, event.x, event.y, "replace")

    def double_click(self, event: ToolEvent) -> None:
        subject = self.subject
        if subject is None or subject.polygon.nearest_vertex(event.x, event.y, self._reach()) is not None:
            return
        found = subject.polygon.nearest_edge(event.x, event.y, self._reach())
        if found is None:
            return
        edge, x, y = found
        ring = subject.polygon.parts[edge.part][edge.ring]
        a = subject.polygon.vertex(edge)
        b = subject.polygon.vertex(Corner(edge.part, edge.ring, (edge.index + 1) % len(ring)))
        drafts = insert_shared(subject.neighbours, a, b, (x, y)) if self.shared else {}
        self._commit(subject.polygon.inserted(edge, x, y), drafts)

    def key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self._delete()
            return True
        if event.key() == Qt.Key.Key_S and not event.modifiers():
            self.shared = not self.shared
            self.canvas.update_hint()
            return True
        return False

    def _delete(self) -> None:
        subject, corner = self.subject, self._hovered
        if subject is None:
            return
        if corner is None:
            self.canvas.delete_selection()
            return
        old = subject.polygon.vertex(corner)
        left = subject.polygon.removed(corner)
        if left is None:
            self.canvas.say(
                "warning",
                tr("A polygon keeps at least three vertices. Del off its vertices deletes the polygon."),
            )
            return
        self._hovered = None
        self._commit(left, remove_shared(subject.neighbours, old) if self.shared else {})

    def cancel(self) -> bool:
        dragging = self.draft is not None
        self._drop_drag()
        self.canvas.update()
        return dragging

    # inner workings

    def _commit(self, polygon: EditablePolygon, neighbours: dict[int, EditablePolygon]) -> None:
        subject = self.subject
        assert subject is not None
        problem = next((p for changed in (polygon, *neighbours.values()) if (p := changed.problem())), "")
        if problem:
            self.canvas.say("warning", word_problem(problem))
            self.canvas.update()
            return
        from planner_app.project.commands import EditGeometry

        # The new shape is shown at once; the project's signal reloads it.
        self.subject = Subject(subject.layer_id, subject.fid, polygon, {**subject.neighbours, **neighbours})
        wkb = {subject.fid: polygon.to_wkb(), **{fid: other.to_wkb() for fid, other in neighbours.items()}}
        if self.canvas.session.execute(EditGeometry(subject.layer_id, wkb), self.canvas) is None:
            self.subject = subject
        self.canvas.update()

    def _snapped(self, event: ToolEvent, exclude: list[Owner]) -> tuple[float, float]:
        self._snap = None if event.alt else self.canvas.snapper.snap(event.x, event.y, exclude)
        return (self._snap.x, self._snap.y) if self._snap is not None else (event.x, event.y)

    def _drop_drag(self, keep_hover: bool = False) -> None:
        self.draft, self._drafts, self._snap, self._problem = None, {}, None, ""
        self._pressed, self._gripped, self._whole = None, None, False
        if not keep_hover:
            self._hovered = None
        self.canvas.update_hint()

    def _reach(self) -> float:
        return GRIP_PIXELS * self.canvas.viewport.resolution

    def _distance(self, event: ToolEvent) -> float:
        assert self._pressed is not None
        return abs(event.px - self._pressed.px) + abs(event.py - self._pressed.py)

    def _shape(self, event: ToolEvent, over_edge: bool) -> Qt.CursorShape:
        if self._hovered is not None:
            return Qt.CursorShape.PointingHandCursor
        if over_edge:
            return Qt.CursorShape.CrossCursor
        assert self.subject is not None
        inside = self.subject.polygon.contains(event.x, event.y)
        return Qt.CursorShape.SizeAllCursor if inside else Qt.CursorShape.ArrowCursor

    def paint(self, painter: QPainter, viewport: Viewport) -> None:
        if self.subject is None:
            return
        polygon = self.draft or self.subject.polygon
        colour = sketch.WRONG if self._problem else sketch.INK
        for other in self._drafts.values():
            self._paint_rings(painter, viewport, other, sketch.SNAPPED, dashed=True)
        self._paint_rings(painter, viewport, polygon, colour, dashed=self.draft is not None)
        self._paint_handles(painter, viewport, polygon, colour)
        marked = self._gripped or self._hovered
        if marked is not None:
            x, y = viewport.to_screen(*polygon.vertex(marked))
            painter.setPen(sketch.pen(sketch.PAPER, 1.5))
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(x, y), 6, 6)
        if self._snap is not None:
            sketch.paint_snap(painter, *viewport.to_screen(self._snap.x, self._snap.y), vertex=self._snap.vertex)

    def _paint_rings(
        self, painter: QPainter, viewport: Viewport, polygon: EditablePolygon, colour: QColor, dashed: bool
    ) -> None:
        for _, _, ring in polygon.rings():
            line = sketch.screen(viewport, [*ring, ring[0]])
            sketch.paint_line(painter, line, colour, dashed)

    def _paint_handles(self, painter: QPainter, viewport: Viewport, polygon: EditablePolygon, colour: QColor) -> None:
        xmin, ymin, xmax, ymax = viewport.extent()
        seen = []
        for _, _, ring in polygon.rings():
            inside = (ring[:, 0] >= xmin) & (ring[:, 0] <= xmax) & (ring[:, 1] >= ymin) & (ring[:, 1] <= ymax)
            seen += ring[inside].tolist()
        size = 7.0 if len(seen) <= MANY_HANDLES else 4.0
        sketch.paint_handles(painter, sketch.screen(viewport, seen[:MOST_HANDLES]), colour, size)


def load_subject(project: Project, layer_id: str, fid: int) -> Subject | None:
    """Read a polygon and the neighbours that may share corners with it. For worker threads."""
    table = project.read(layer_id, columns=[], fids=[fid])
    if not len(table) or table.geometry[0] is None:
        return None
    polygon = EditablePolygon.from_wkb(table.geometry[0])
    around = project.read(layer_id, columns=[], bbox=polygon.bounds(), limit=MOST_NEIGHBOURS)
    neighbours = {
        int(other): EditablePolygon.from_wkb(wkb)
        for other, wkb in zip(around.fids, around.geometry, strict=True)
        if int(other) != fid and wkb is not None
    }
    return Subject(layer_id, fid, polygon, neighbours)
