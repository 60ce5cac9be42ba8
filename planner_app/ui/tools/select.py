"""Selecting by click, by box and by expression. Reading runs off the UI thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from planner_app.plugin_api.viewport import Extent, contains
from planner_app.ui.canvas.picking import pick
from planner_app.ui.tools.tool import ToolEvent

if TYPE_CHECKING:
    from planner_app.project import Project
    from planner_app.ui.canvas.map_canvas import MapCanvas
    from planner_app.ui.session import SelectionModel, Session

Mode = Literal["replace", "add", "toggle", "remove", "within"]
#: The pointer's reach in logical pixels.
REACH = 4.0


def mode_of(event: ToolEvent) -> Mode:
    """Shift adds, Ctrl toggles, else a new selection."""
    return "add" if event.shift else "toggle" if event.ctrl else "replace"


def apply(selection: SelectionModel, found: dict[str, Iterable[int]], mode: Mode) -> None:
    """Combine what was found with the selection there is, in one step."""
    old = {layer: selection.fids(layer) for layer in selection.layer_ids()}
    if mode == "replace":
        selection.replace(found)
        return
    combined: dict[str, Iterable[int]] = dict(old)
    for layer, fids in found.items():
        before, hits = dict.fromkeys(old.get(layer, ())), dict.fromkeys(fids)
        if mode == "add":
            combined[layer] = [*before, *hits]
        elif mode == "toggle":
            combined[layer] = [f for f in before if f not in hits] + [f for f in hits if f not in before]
        elif mode == "remove":
            combined[layer] = [f for f in before if f not in hits]
        else:
            combined[layer] = [f for f in before if f in hits]
    selection.replace(combined)


def select_at(canvas: MapCanvas, x: float, y: float, mode: Mode) -> None:
    """Select the thing under a point: of the current layer if it has one there, else the topmost."""
    project, layers = canvas.session.project, canvas.visible_layers()
    if project is None or not layers:
        return
    current, tolerance = canvas.session.current_layer, REACH * canvas.viewport.resolution

    def work() -> list[tuple[str, int]]:
        picked = pick(project, layers, x, y, tolerance)
        # Whoever chose an outlined layer means it, wherever in it the click falls.
        return picked.drawn + [hit for hit in picked.around if hit[0] == current]

    def done(hits: list[tuple[str, int]]) -> None:
        best = next((hit for hit in hits if hit[0] == current), hits[0] if hits else None)
        if best is not None:
            apply(canvas.session.selection, {best[0]: [best[1]]}, mode)
        elif mode == "replace":
            canvas.session.selection.clear()

    canvas.background.run("select", work, done, canvas.report)


def choose(canvas: MapCanvas, extent: Extent, mode: Mode) -> None:
    """Select what a box touches: of the current layer if it is visible, else of all visible layers."""
    project, layers = canvas.session.project, canvas.visible_layer_ids()
    if project is None or not layers:
        return
    if canvas.session.current_layer in layers:
        layers = [canvas.session.current_layer]

    def work() -> dict[str, Iterable[int]]:
        return {layer: touched(project, layer, extent) for layer in layers}

    def done(found: dict[str, Iterable[int]]) -> None:
        apply(canvas.session.selection, found, mode)

    canvas.background.run("select", work, done, canvas.report)


def touched(project: Project, layer_id: str, extent: Extent) -> list[int]:
    """Features of a layer that share a point with an extent. For worker threads."""
    import shapely

    whole = project.extent(layer_id)
    if whole is not None and contains(extent, whole):
        return [int(f) for f in project.read(layer_id, columns=[], geometry=False).fids]
    table = project.read(layer_id, columns=[], bbox=extent)
    geometries = shapely.from_wkb(table.geometry)
    box = shapely.box(*extent)
    shapely.prepare(box)
    return [int(f) for f in table.fids[shapely.intersects(box, geometries)]]


def select_by_expression(
    session: Session,
    layer_id: str,
    where: str,
    mode: Mode = "replace",
    done: Callable[[int], None] | None = None,
    failed: Callable[[Exception], None] | None = None,
) -> None:
    """Select features by an SQL expression over their layer's columns, e.g. ``area > 1000 AND code = 'R2'``.

    Args:
        done: called with the number of features that met it.
        failed: called with a wrong expression's PlannerError; without it the error is shown.
    """
    project = session.project
    if project is None:
        return

    def work(_progress: object) -> list[int]:
        return [int(f) for f in project.read(layer_id, columns=[], where=where, geometry=False).fids]

    def found(fids: list[int]) -> None:
        if session.project is project:
            apply(session.selection, {layer_id: fids}, mode)
            if done is not None:
                done(len(fids))

    session.jobs.run("", work, found, failed, listed=False)
