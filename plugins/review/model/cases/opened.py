"""Drawings as opened: parsed once, read once per set of options, shared by verbs, panel, map and sheet."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.records import Case, DrawingRecord
from plugins.review.model.drawing.placement import Placement
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.reading.types import ReadingOptions, Role, SitePlan

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    Mover = Callable[[BaseGeometry], BaseGeometry]

T = TypeVar("T")

#: Parsed entities kept in memory over all drawings; a drawing of this size takes some 200 MB.
_MOST_ENTITIES = 300_000
_MOST_READINGS = 12


@dataclass(frozen=True, slots=True)
class OpenDrawing:
    """A drawing as read and placed.

    Attributes:
        to_project: moves geometry from metres in the drawing to the project's CRS; None while it is not placed.
        to_drawing: the inverse.
    """

    record: DrawingRecord
    drawing: Drawing
    plan: SitePlan
    placement: Placement
    to_project: Mover | None = None
    to_drawing: Mover | None = None

    def site(self) -> BaseGeometry | None:
        """The site in metres in the drawing's axes: its outline, else what is built; None where there is neither."""
        import shapely

        for roles in ((Role.SITE,), (Role.FOOTPRINT, Role.BASEMENT)):
            found = [one.geometry for one in self.plan.of(*roles) if one.geometry.area > 0]
            if found:
                return shapely.union_all(found)
        return None

    def outline(self) -> bytes | None:
        """What the drawing covers, in the project's CRS, as polygon WKB; None while it is not placed."""
        if self.to_project is None:
            return None
        import shapely

        area = self.site()
        if area is None and self.drawing.extent is not None:
            area = shapely.box(*(value * self.plan.units.metres_per_unit for value in self.drawing.extent))
        if area is None or not area.area > 0:
            return None
        moved = shapely.make_valid(self.to_project(area))
        parts = [part for part in shapely.get_parts(moved) if part.geom_type == "Polygon"]
        return bytes(shapely.to_wkb(shapely.multipolygons(parts), output_dimension=2)) if parts else None


@dataclass(slots=True)
class _Recent(Generic[T]):
    """The values used last, within a weight; safe between threads."""

    limit: int
    weigh: Callable[[T], int] = field(default=lambda _value: 1)
    _values: OrderedDict[Any, T] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: Any) -> T | None:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Any, value: T) -> T:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > 1 and sum(map(self.weigh, self._values.values())) > self.limit:
                self._values.popitem(last=False)
        return value

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


_parsed: _Recent[Drawing] = _Recent(_MOST_ENTITIES, lambda drawing: len(drawing.entities))
_readings: _Recent[SitePlan] = _Recent(_MOST_READINGS)
_opened: _Recent[OpenDrawing] = _Recent(_MOST_READINGS)


def forget() -> None:
    """Drop what is kept in memory."""
    for cache in (_parsed, _readings, _opened):
        cache.clear()


def parse_file(path: Path, progress: Progress) -> Drawing:
    """Read a file in its reader's own process; the same content is read once.

    Raises:
        PlannerError: what ``read_drawing`` refuses.
    """
    from plugins.review.model.drawing.intake import read_drawing

    key = (store.file_digest(path), path.name)
    found = _parsed.get(key)
    if found is None:
        found = read_drawing(path, progress)
        _parsed.put((found.sha256, path.name), found)
    return found


def parse_attachment(project: Project, record: DrawingRecord, progress: Progress) -> Drawing:
    """Read a drawing from its file inside the project.

    Raises:
        PlannerError: ``attachment.missing``, ``attachment.damaged``, what ``read_drawing`` refuses.
    """
    name = Path(record.file_name).name or f"drawing.{record.format}"
    found = _parsed.get((record.sha256, name))
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="planner-drawing-") as folder:
        return parse_file(project.write_attachment(record.sha256, Path(folder) / name), progress)


def read_plan(
    project: Project, drawing: Drawing, options: ReadingOptions, parcel_area: float | None, progress: Progress
) -> SitePlan:
    """Read a site plan by the project's conventions; the same question is answered once."""
    from plugins.review.model.reading.convention import load_conventions
    from plugins.review.model.reading.site_plan import read_site_plan

    conventions = load_conventions(project)
    rules = hashlib.sha256(repr(sorted(conventions.items())).encode()).hexdigest()
    key = (drawing.sha256, drawing.name, repr(options), parcel_area, rules)
    check(progress)
    found = _readings.get(key)
    if found is None:
        found = read_site_plan(drawing, options, conventions=conventions, parcel_area=parcel_area)
        _readings.put(key, found)
    return found


def movers(placement: Placement, project: Project) -> tuple[Mover | None, Mover | None]:
    """(drawing's metres → project, the inverse); None, None while it is not placed."""
    if not placement.placed:
        return None, None
    from plugins.review.model.drawing.placing import mover, mover_back

    return mover(placement, project), mover_back(placement, project)


def assemble(
    project: Project, record: DrawingRecord, drawing: Drawing, plan: SitePlan, placement: Placement
) -> OpenDrawing:
    """A drawing with its movers."""
    return OpenDrawing(record, drawing, plan, placement, *movers(placement, project))


def parcel_area(case: Case | None) -> float | None:
    """Area by which a drawing's units are checked: the conditions' number, else that of the parcel's shape, m²."""
    conditions = case.conditions if case is not None else None
    if conditions is None:
        return None
    if conditions.site_area_m2 or not conditions.wkb:
        return conditions.site_area_m2
    import shapely

    return float(shapely.from_wkb(conditions.wkb).area)


def case_of(project: Project, record: DrawingRecord) -> Case | None:
    """The case of a drawing; None where another program removed it."""
    return next((one for one in store.cases(project) if one.id == record.case_id), None)


def open_drawing(project: Project, ref: str, progress: Progress | None = None) -> OpenDrawing:
    """A drawing of the project, parsed, read and placed as its record says; kept in memory.

    Args:
        ref: see :func:`store.drawing`.

    Raises:
        PlannerError: ``review.drawing_unknown``, ``review.drawing_ambiguous``, what reading the file refuses.
        Cancelled.
    """
    progress = progress or NoProgress()
    record = store.drawing(project, ref)
    area = parcel_area(case_of(project, record))
    drawing = parse_attachment(project, record, SubProgress(progress, 0.0, 0.8))
    plan = read_plan(project, drawing, record.options, area, SubProgress(progress, 0.8, 1.0))
    key = (str(project.path), project.crs, record.id, id(plan), repr(record.placement))
    found = _opened.get(key)
    if found is None or found.plan is not plan:
        found = _opened.put(key, assemble(project, record, drawing, plan, record.placement))
    elif found.record != record:
        found = _opened.put(key, replace(found, record=record))
    progress.update(1.0)
    return found


def layer_names(plan: SitePlan) -> Mapping[str, list[str]]:
    """Role → layer names, as ``planner review import`` prints them."""
    return {str(role): list(names) for role, names in plan.roles.items()}
