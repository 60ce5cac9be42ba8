"""What map overlay and sheet view show of the current drawing: scene, layers, page, selection, comparison."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.ui import PanelContext
from plugins.review.model.drawing.types import DrawingFormat
from plugins.review.ui.highlight import Highlight
from plugins.review.ui.sheet.pages import PagePictures
from plugins.review.ui.sheet.paint import Look, Mask
from plugins.review.ui.sheet.scene import Scene, build_scene, mover_of
from plugins.review.ui.state import ReviewState

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from plugins.review.model.cases.opened import Mover, OpenDrawing
    from plugins.review.model.drawing.types import Page
    from plugins.review.model.revisions.diff import DrawingDiff

#: Colours of a comparison, on the map's and the sheet's white paper.
REMOVED, ADDED, UNCHANGED = 0xC0322B, 0x1F7A3D, 0xA7AFB9
_turns = count(1)
Place = tuple[float, float]


@dataclass(frozen=True)
class Shown:
    """One drawing as scenes. ``turn`` tells it from every other; ``on_map`` is None where it has no place."""

    turn: int
    opened: OpenDrawing
    sheet: Scene
    on_map: Scene | None

    @cached_property
    def metres_per_unit(self) -> float:
        """Metres of one drawing unit."""
        return self.opened.plan.units.metres_per_unit


@dataclass(frozen=True)
class Comparison:
    """Two revisions: the older under the newer, what differs in colour.

    ``swipe``: share of the view's width left of which the older alone is seen, and right of it the newer; None: both.
    """

    old: Shown
    old_look: NDArray[np.int64]
    new_look: NDArray[np.int64]
    swipe: float | None = None


class SheetModel(QObject):
    """The drawing on the screen.

    Signals:
        changed(): another drawing, its place, the comparison.
        look_changed(): layers, page, visibility on the map, the swipe line.
        selection_changed(): another entity is selected (``selected``).
        highlights_changed(): what the panel points at (``highlights``).
        pointer_changed(): where the hand points on the other surface.
    """

    changed = Signal()
    look_changed = Signal()
    selection_changed = Signal()
    highlights_changed = Signal()
    pointer_changed = Signal()

    def __init__(self, context: PanelContext, state: ReviewState) -> None:
        super().__init__(state)
        self.context, self.state = context, state
        self.shown: Shown | None = None
        self.pages: PagePictures | None = None
        self._files: list[PagePictures] = []
        self.destroyed.connect(partial(_close_all, self._files))
        self.comparison: Comparison | None = None
        self.hidden: frozenset[str] = frozenset()
        self.page = 0
        self.on_map = True
        self.selected = ""
        self.highlights: tuple[Highlight, ...] = ()
        self.pointer: Place | None = None
        self.pointer_from = ""
        self._kept: dict[str, tuple[frozenset[str], int]] = {}
        state.drawing_changed.connect(self._follow)
        state.highlight.connect(self._highlight)
        self._follow()

    # the drawing

    def _follow(self) -> None:
        opened = self.state.opened
        if opened is None:
            if self.shown is not None:
                self._show(None)
            return
        if self.shown is not None and self.shown.opened is opened:
            return

        def done(shown: Shown) -> None:
            if self.state.opened is opened:  # else it was closed, or read anew, meanwhile
                self._show(shown)

        self.context.in_background("sheet", lambda: make_shown(opened), done)

    def _show(self, shown: Shown | None) -> None:
        before, self.shown = self.shown, shown
        self._take_pages()
        self.comparison = None
        if before is not None:
            self._kept[before.opened.record.id] = (self.hidden, self.page)
        if shown is not None:
            drawing = shown.opened.drawing
            first = drawing.pages[0].number if drawing.pages else 0
            self.hidden, page = self._kept.get(shown.opened.record.id, (shown.sheet.hidden, first))
            self.page = page if any(one.number == page for one in drawing.pages) else first
            if self.selected not in shown.sheet.index:
                self.select("")
        else:
            self.select("")
        self.changed.emit()

    def _take_pages(self) -> None:
        """Take up the file of a drawing whose pages are pictures; let the one before go."""
        _close_all(self._files)
        self.pages = None
        project = self.context.project
        if self.is_raster and self.shown is not None and project is not None:
            self.pages = PagePictures(project, self.shown.opened.record)
            self._files.append(self.pages)

    @property
    def shown_page(self) -> Page | None:
        """The page shown of a PDF or an image; None for drawings without pages."""
        if self.shown is None or not self.is_raster:
            return None
        return next((one for one in self.shown.opened.drawing.pages if one.number == self.page), None)

    def scenes(self, on_map: bool) -> list[tuple[Scene, Look, str]]:
        """(scene, look, part) to draw, the lowest first: one, or the older and the newer of a comparison."""
        if self.shown is None:
            return []
        found = [(self.shown, None if self.comparison is None else self.comparison.new_look, "new")]
        if self.comparison is not None:
            found.insert(0, (self.comparison.old, self.comparison.old_look, "old"))
        made = []
        for shown, colours, part in found:
            scene = shown.on_map if on_map else shown.sheet
            if scene is not None:
                mask = scene.shown(self.hidden, self.page)
                look = Look(mask) if colours is None else compared_look(mask, colours)
                made.append((scene, look, part))
        return made

    def content(self, on_map: bool) -> tuple[object, ...]:
        """Changes whenever the pictures of :meth:`scenes` would."""
        if self.shown is None:
            return ()
        old = self.comparison.old.turn if self.comparison is not None else 0
        return self.shown.turn, old, on_map, self.hidden, self.page

    @property
    def is_raster(self) -> bool:
        """True where the sheet's own picture is that of its file: a PDF page, an image."""
        return self.shown is not None and self.shown.opened.drawing.format in (DrawingFormat.PDF, DrawingFormat.IMAGE)

    # what is seen of it

    def set_layer(self, names: Iterable[str], visible: bool) -> None:
        """Switch layers on or off, on map and sheet."""
        hidden = self.hidden - frozenset(names) if visible else self.hidden | frozenset(names)
        if hidden != self.hidden:
            self.hidden = hidden
            self.look_changed.emit()

    def set_page(self, page: int) -> None:
        """Show another page of a PDF."""
        if page != self.page:
            self.page = page
            self.look_changed.emit()

    def show_storey(self, name: str) -> None:
        """Show one storey of a building: its layers alone."""
        if self.shown is not None:
            storeys = storey_names(self.shown.opened)
            of_it = {layer for layer in self.shown.sheet.layers if storey_of(layer, storeys) == name}
            others = {layer for layer in self.shown.sheet.layers if storey_of(layer, storeys) not in ("", name)}
            self.hidden = (self.hidden | others) - of_it
            self.look_changed.emit()

    def set_on_map(self, on_map: bool) -> None:
        """Show the drawing above the map, or not."""
        if on_map != self.on_map:
            self.on_map = on_map
            self.look_changed.emit()

    # selection and highlights

    def select(self, handle: str) -> None:
        """Select an entity; "" for none."""
        if handle != self.selected:
            self.selected = handle
            self.selection_changed.emit()

    def _highlight(self, marks: Sequence[Highlight]) -> None:
        self.highlights = tuple(marks)
        self.highlights_changed.emit()

    # the pointer

    def point(self, place: Place | None, surface: str) -> None:
        """The hand points at a place of ``map`` or ``sheet``; the other one shows it."""
        shown = self.shown
        if place is not None and surface == "map":
            moved = map_to_sheet(shown, [place]) if shown is not None else None
            place = moved[0] if moved else None
        if place != self.pointer or surface != self.pointer_from:
            self.pointer, self.pointer_from = place, surface
            self.pointer_changed.emit()

    def pointer_on_map(self) -> Place | None:
        """The pointer's place in the project's CRS."""
        if self.shown is None or self.pointer is None:
            return None
        moved = sheet_to_map(self.shown, [self.pointer])
        return moved[0] if moved else None

    # comparison

    def revision_names(self) -> tuple[str, str]:
        """What the older and the newer revision are called at the line between them."""
        new = self.shown.opened.record if self.shown is not None else None
        old = self.comparison.old.opened.record if self.comparison is not None else None
        return tuple(f"{one.number} · {one.title}" if one is not None else "" for one in (old, new))  # type: ignore[return-value]

    def compare(self, old: OpenDrawing, diff: DrawingDiff) -> None:
        """Show an older revision under the current one: what went red, what came green, the rest grey."""
        shown = self.shown
        if shown is None:
            return

        def work() -> Comparison:
            return make_comparison(make_shown(old), shown, diff)

        def done(comparison: Comparison) -> None:
            if self.shown is shown:
                self.comparison = comparison
                self.changed.emit()

        self.context.in_background("compare", work, done)

    def stop_comparing(self) -> None:
        """Show the current revision alone."""
        if self.comparison is not None:
            self.comparison = None
            self.changed.emit()

    def set_swipe(self, share: float | None) -> None:
        """Move the line between the older and the newer revision, or take it away."""
        if self.comparison is not None and self.comparison.swipe != share:
            self.comparison = replace(self.comparison, swipe=share)
            self.look_changed.emit()


def sheet_to_map(shown: Shown, points: Sequence[Place]) -> tuple[Place, ...] | None:
    """Drawing units → project CRS; None while the drawing has no place."""
    return _moved(shown.opened.to_project, points, shown.metres_per_unit, 1.0)


def map_to_sheet(shown: Shown, points: Sequence[Place]) -> tuple[Place, ...] | None:
    """Project CRS → drawing units; None while the drawing has no place."""
    return _moved(shown.opened.to_drawing, points, 1.0, 1.0 / shown.metres_per_unit)


def _moved(mover: Mover | None, points: Sequence[Place], before: float, after: float) -> tuple[Place, ...] | None:
    import shapely

    if mover is None or not points:
        return None
    try:
        there = mover(shapely.multipoints([(x * before, y * before) for x, y in points]))
    except PlannerError:  # beyond where the drawing's coordinate system reaches
        return None
    moved = shapely.get_coordinates(there) * after
    whole = len(moved) == len(points) and bool(np.isfinite(moved).all())
    return tuple((float(x), float(y)) for x, y in moved) if whole else None


def _close_all(files: list[PagePictures], *_: object) -> None:
    """Let files go; knows nothing of the model, which may be gone."""
    while files:
        files.pop().close()


def make_shown(opened: OpenDrawing) -> Shown:
    """Scenes of a drawing; on worker threads."""
    sheet = build_scene(opened.drawing)
    placed = None
    if opened.to_project is not None:
        placed = sheet.moved(mover_of(opened.to_project, opened.plan.units.metres_per_unit))
    return Shown(next(_turns), opened, sheet, placed)


def make_comparison(old: Shown, new: Shown, diff: DrawingDiff) -> Comparison:
    """Colours of both revisions' entities. A drawing that was moved as a whole is laid on the newer one again."""
    went = {one.handle for change in (*diff.removed, *diff.changed) for one in change.before}
    came = {one.handle for change in (*diff.added, *diff.changed) for one in change.after}
    if diff.shift is not None:
        shift = np.array(diff.shift) / new.metres_per_unit
        old = replace(old, sheet=old.sheet.moved(lambda xy: xy + shift))
    return Comparison(old, _coloured(old.sheet, went, REMOVED), _coloured(new.sheet, came, ADDED))


def _coloured(scene: Scene, handles: Iterable[str], colour: int) -> NDArray[np.int64]:
    made = np.full(len(scene.handles), UNCHANGED, dtype=np.int64)
    made[scene.numbers(handles)] = colour
    return made


def compared_look(mask: Mask, colours: NDArray[np.int64]) -> Look:
    """What did not change is pale and thin."""
    return Look(mask, colours, fill=0.25)


def storey_names(opened: OpenDrawing) -> list[str]:
    """Storeys of a building model as their layers are named, the lowest first."""
    drawing = opened.drawing
    names = {layer.name for layer in drawing.layers}
    several = len(getattr(drawing, "buildings", ())) > 1
    found = []
    for storey in sorted(drawing.storeys, key=lambda one: (one.building, one.elevation)):
        name = " · ".join(part for part in (storey.building if several else "", storey.name or storey.guid) if part)
        if any(layer == name or layer.startswith(f"{name} · ") for layer in names) and name not in found:
            found.append(name)
    return found


def storey_of(layer: str, storeys: Sequence[str]) -> str:
    """The storey a layer belongs to, "" if none."""
    fitting = [name for name in storeys if layer == name or layer.startswith(f"{name} · ")]
    return max(fitting, key=len, default="")
