"""A revision on the map: the layers as they were then, and where that differs from what the file holds now."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import Cancelled
from planner_app.sync import cells
from planner_app.sync.types import Revision, Scope
from planner_app.ui.sync.disputes import value_text
from planner_app.ui.sync.past_picture import LayerLook, Shapes

if TYPE_CHECKING:
    from planner_app.domain.layer import FieldInfo, LayerInfo
    from planner_app.project import Project
    from planner_app.sync.transport import Transport
    from planner_app.sync.types import RemoteRow

Box = tuple[float, float, float, float]
#: More records than this are not fetched for one view: what is left out is named, and the person asked to zoom in.
MOST = 200_000


@dataclass(frozen=True, slots=True)
class Past:
    """A place as it was after a revision.

    Attributes:
        shapes: what to draw, from the lowest layer up.
        changed, gone, new: geometries of records that are different now, no more, or only now (as they are now).
        left_out: layers of which there was more than could be shown, the first of them shown in part.
    """

    revision: Revision
    box: Box
    shapes: tuple[Shapes, ...]
    changed: tuple[Any, ...] = ()
    gone: tuple[Any, ...] = ()
    new: tuple[Any, ...] = ()
    left_out: tuple[str, ...] = ()


def read_past(
    transport: Transport,
    project_id: str,
    project: Project,
    layers: Sequence[LayerInfo],
    revision: Revision,
    box: Box,
    is_wanted: Callable[[], bool] = lambda: True,
    most: int = MOST,
) -> Past:
    """Fetch what these layers (top first) were in a box and compare it with the file. For the line's thread.

    Raises:
        PlannerError: what the transport raises. Cancelled: the answer is no longer wanted.
    """
    import shapely

    found: list[Shapes] = []
    changed: list[Any] = []
    gone: list[Any] = []
    new: list[Any] = []
    left_out: list[str] = []
    left = most
    for layer in [one for one in layers if one.geometry != "none"]:
        if left <= 0:
            left_out.append(layer.name)
            continue
        one = _Layer(project, layer)
        present = _present(project, layer, box)
        for row in transport.as_of(project_id, layer.uuid, revision.revision, Scope(box=box)):
            if left % 1000 == 0 and not is_wanted():
                raise Cancelled
            if left <= 0:
                left_out.append(layer.name)
                break
            left -= 1
            if row.gone or row.geometry is None:
                continue
            one.add(row)
            now = present.pop(row.uuid, None)
            if now is None:
                if not _elsewhere(project, layer, row.uuid):
                    gone.append(row.geometry)
                    continue
                changed.append(row.geometry)
            elif not _same(row, now, layer):
                changed.append(row.geometry)
        else:
            new += [geometry for geometry, _ in present.values() if geometry is not None]
        found.append(one.shapes())
    different = [tuple(shapely.from_wkb(some)) for some in (changed, gone, new)]
    return Past(revision, box, tuple(reversed(found)), different[0], different[1], different[2], tuple(left_out))


class _Layer:
    """Collects the records of a layer."""

    def __init__(self, project: Project, layer: LayerInfo) -> None:
        self._look = LayerLook.of(project.style(layer.id) or "", layer)
        self._field = layer.field(self._look.style.label_field)
        self._wkb: list[bytes] = []
        self._classes: list[int] = []
        self._labels: list[str] = []
        self._places: dict[str | None, int] = {}

    def add(self, row: RemoteRow) -> None:
        value = row.cells.get(self._look.style.field)
        if value not in self._places:
            self._places[value] = self._look.place(value)
        self._wkb.append(row.geometry or b"")
        self._classes.append(self._places[value])
        self._labels.append(_label(row, self._field) if self._field is not None else "")

    def shapes(self) -> Shapes:
        import numpy as np
        import shapely

        geometries = shapely.from_wkb(np.array(self._wkb, object))
        return Shapes(self._look, geometries, np.array(self._classes, int), self._labels)


def _label(row: RemoteRow, info: FieldInfo) -> str:
    text = row.cells.get(info.name)
    if text is None or info.type == "text":
        return text or ""
    return value_text(cells.decode(text, info.type), info.name, info.type)


def _present(project: Project, layer: LayerInfo, box: Box) -> dict[str, tuple[bytes | None, dict[str, Any]]]:
    table = project.read(layer.id, columns=["uuid", *(info.name for info in layer.fields)], bbox=box)
    names = [info.name for info in layer.fields]
    return {
        uuid: (table.geometry[number], {name: table.columns[name][number] for name in names})
        for number, uuid in enumerate(table.columns["uuid"])
    }


def _elsewhere(project: Project, layer: LayerInfo, uuid: str) -> bool:
    """True if the record lies outside the box now."""
    quoted = uuid.replace("'", "''")
    return len(project.read(layer.id, columns=[], where=f"uuid = '{quoted}'", geometry=False, limit=1)) > 0


def _same(row: RemoteRow, now: tuple[bytes | None, dict[str, Any]], layer: LayerInfo) -> bool:
    geometry, values = now
    if geometry != row.geometry:
        return False
    for info in layer.fields:
        try:
            text = cells.encode(values.get(info.name), info.type)
        except cells.WrongCellError:
            return False
        if text != row.cells.get(info.name):
            return False
    return True
