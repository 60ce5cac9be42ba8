"""Import: look into a file, bring its features into the project's CRS, repair or reject them, all or nothing."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.crs import SETTING, CityTransform, Transformation, authority_code, parse_crs, transformer
from planner_app.domain.errors import PlannerError
from planner_app.domain.land_classes import class_entry
from planner_app.domain.layer import RESERVED_COLUMNS, FieldInfo, Geometry, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.project.exchange.source import Chunk, SourceInfo, SourceLayer, open_source
from planner_app.project.features import Batch
from planner_app.project.store import Project

#: A layer farther from the rest than this is most likely in another CRS, m.
FAR_M = 1_000_000.0
#: Distinct values remembered for the style and the guess of the class standard.
_MOST_VALUES = 300
#: Names of fields that usually hold the land class or zone, most telling first.
_CLASS_NAMES = (
    "dlbm", "yddm", "ghydyhfldm", "ghfldm", "用地代码", "地类编码", "class_code", "land_class", "zone_type", "zoning",
    "ydxz", "yddl", "用地性质", "dldm", "class", "dlmc", "landuse", "fclass", "用地类别",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RowNote:
    """A row that was repaired or rejected: its number in the source from 1, and the reason's code and values."""

    row: int
    reason: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Note:
    """A warning: code and values."""

    code: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    layer: LayerInfo
    features: int
    source_crs: str
    repaired: list[RowNote] = field(default_factory=list)
    rejected: list[RowNote] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)


def inspect(source: Path, encoding: str = "") -> SourceInfo:
    """Look into a file without importing it.

    Raises:
        PlannerError: ``import.*``.
    """
    info = open_source(Path(source), encoding).info()
    return replace(info, layers=tuple(_with_class(layer) for layer in info.layers))


def _with_class(layer: SourceLayer) -> SourceLayer:
    name = guess_class_field(layer.fields)
    if not name:
        return layer
    at = [info.name for info in layer.fields].index(name)
    values = {str(row[at]) for row in layer.sample if row[at] not in (None, "")}
    return replace(layer, class_field=name, class_standard=guess_standard(name, values))


def guess_class_field(fields: tuple[FieldInfo, ...]) -> str:
    """The field whose name says that it holds land classes or zones; empty if none does."""
    folded = {info.name.casefold(): info.name for info in fields}
    return next((folded[name] for name in _CLASS_NAMES if name in folded), "")


def guess_standard(name: str, values: set[str]) -> str:
    """The code list that knows at least six of ten values; ``text`` if none does, empty without values."""
    if not values:
        return ""
    if name.casefold() in ("dlbm", "dlmc"):
        return "dltb"
    codes = {value for value in values if value[:1].isalnum() and value.isascii()}
    known = {name: sum(_is_code(name, value) for value in codes) for name in ("mnr2023", "gb50137", "dltb")}
    best = max(known, key=lambda name: known[name])
    return best if known[best] >= 0.6 * len(values) else "text"


def _is_code(standard: str, value: str) -> bool:
    """True if a value is a code of the list, or a finer one in the list's form (pairs of digits, letter and digits)."""
    entry = class_entry(standard, value)
    if entry is None:
        return False
    letters = standard == "gb50137"
    form = re.fullmatch(r"[A-Z]\d{1,3}" if letters else r"(\d\d){2,4}[A-Z]?", value)
    return entry.code == value or (form is not None and len(entry.code) >= (1 if letters else 2))


def import_layer(
    project: Project,
    source: Path,
    *,
    sublayer: str = "",
    name: str = "",
    crs: str = "",
    encoding: str = "",
    plan: PlanInfo | PlanKind | str | None = None,
    class_field: str = "",
    class_standard: str = "",
    transform: CityTransform | None = None,
    csv_xy: tuple[str, str] | None = None,
    language: str = "zh_CN",
    progress: Progress | None = None,
) -> ImportReport:
    """Import one layer of a foreign file as a new layer of the project.

    Args:
        project: an open project.
        source: the file.
        sublayer: which of its layers; the largest polygon layer if it has several and none is named.
        name: the new layer's name; the source's if empty.
        crs: the source's CRS where it states none; overrides a stated one with a warning.
        encoding: of the attributes, where detection fails.
        plan: the plan it belongs to, or the kind of a plan to be made for it.
        class_field, class_standard: as registered; guessed by name and values where empty.
        transform: the city's own transformation; that of the project's settings if None.
        csv_xy: (easting, northing) columns of a CSV.
        language: of the class names in the layer's style.
        progress: reports rows; cancelling leaves nothing.

    Raises:
        PlannerError: ``import.*``, ``crs.*``.
        Cancelled: nothing was written.
    """
    source = Path(source)
    progress = progress or NoProgress()
    if source.resolve() == Path(project.path).resolve():
        raise PlannerError("import.own_project", file=source.name)
    progress.update(0.0, "stage.import_open")
    opened = open_source(source, encoding, csv_xy)
    info = opened.info()
    warnings = [Note(code, params) for code, params in info.warnings]
    layer = _choose(info, sublayer, warnings)
    check(progress)
    source_crs, move = _placing(project, info, layer, crs, transform, warnings)
    names, fields = _field_names(layer.fields, warnings)
    chosen = _class_field(class_field, layer, names)
    title = _free_name(project, name or (layer.name if len(info.layers) > 1 else source.stem), warnings)
    work = _Work(layer.geometry, names, move, chosen)
    rows = layer.features

    def batches() -> Iterator[Batch]:
        for chunk in opened.read(layer):
            check(progress)
            yield work.prepare(chunk)
            done = chunk.first + len(chunk.geometry)
            progress.update(min(0.95, done / rows) if rows > 0 else None, "stage.import_rows")
        if not work.kept:
            raise PlannerError("import.nothing_left", file=source.name, rejected=len(work.rejected))

    new = NewLayer(
        name=title,
        geometry=layer.geometry,
        fields=fields,
        plan=_plan(plan, title, source),
        class_field=chosen,
        class_standard=class_standard,
        source=source.name,
        source_crs=source_crs,
    )

    def finish(filled: NewLayer) -> NewLayer:
        return _with_style(filled, work.values, language)

    params = {"layer": title}
    added = project.add_layer(new, batches(), progress, command="import_layer", params=params, finish=finish)
    warnings += _position_warnings(project, added)
    progress.update(1.0)
    return ImportReport(added, work.kept, source_crs, work.repaired, work.rejected, warnings)


def _choose(info: SourceInfo, wanted: str, warnings: list[Note]) -> SourceLayer:
    if wanted:
        found = [layer for layer in info.layers if layer.name.casefold() == wanted.casefold()]
        if not found:
            known = ", ".join(layer.name for layer in info.layers)
            raise PlannerError("import.layer_missing", file=info.path.name, layer=wanted, known=known)
        return found[0]
    spatial = [layer for layer in info.layers if layer.geometry != "none"] or list(info.layers)
    chosen = max(spatial, key=lambda layer: (layer.geometry == "polygon", layer.features))
    others = [f"{layer.name} ({layer.features})" for layer in info.layers if layer is not chosen]
    if others:
        warnings.append(Note("import.other_layers", {"layer": chosen.name, "others": ", ".join(others)}))
    return chosen


def _placing(
    project: Project,
    info: SourceInfo,
    layer: SourceLayer,
    wanted: str,
    city: CityTransform | None,
    warnings: list[Note],
) -> tuple[str, Transformation]:
    """The source's CRS and how to get from it to the project's."""
    stated = layer.crs
    if stated and not wanted and info.format in ("GeoJSON", "TopoJSON") and _outside_degrees(stated, layer.extent):
        stated = None  # the standard says degrees and the numbers say otherwise: ask
    if layer.geometry == "none":
        return "", Transformation([], None)
    if not stated and not wanted:
        raise PlannerError("import.crs_missing", file=info.path.name)
    source = authority_code(parse_crs(wanted)) if wanted else str(stated)
    if wanted and stated and not parse_crs(wanted).equals(parse_crs(stated), ignore_axis_order=True):
        warnings.append(Note("import.crs_overridden", {"stated": _title(stated), "used": _title(source)}))
    if city is None and (kept := project.setting(SETTING, "")):
        kept_city = CityTransform.from_json(kept)
        city = kept_city if parse_crs(kept_city.source).equals(parse_crs(source), ignore_axis_order=True) else None
    move = transformer(source, project.crs, city)
    if move.accuracy_m is not None and move.accuracy_m > 5.0:
        warnings.append(Note("import.inexact", {"source": _title(source), "metres": move.accuracy_m}))
    return source, move


def _title(crs: str) -> str:
    return crs if len(crs) < 40 else str(parse_crs(crs).name)


def _outside_degrees(crs: str, extent: tuple[float, float, float, float] | None) -> bool:
    if extent is None or not parse_crs(crs).is_geographic:
        return False
    west, south, east, north = extent
    return west < -180.0 or east > 180.0 or south < -90.0 or north > 90.0


def _field_names(fields: tuple[FieldInfo, ...], warnings: list[Note]) -> tuple[dict[str, str], tuple[FieldInfo, ...]]:
    """Source name → name in the project: reserved and repeated ones get a number behind."""
    used = {name.casefold() for name in RESERVED_COLUMNS} | {"rowid", "oid", "_rowid_"}
    names: dict[str, str] = {}
    made = []
    for info in fields:
        name = info.name.strip()[:60] or "field"
        candidate, number = name, 1
        while candidate.casefold() in used:
            candidate, number = f"{name}_{number}", number + 1
        if candidate != info.name:
            warnings.append(Note("import.field_renamed", {"field": info.name, "name": candidate}))
        used.add(candidate.casefold())
        names[info.name] = candidate
        made.append(replace(info, name=candidate))
    return names, tuple(made)


def _class_field(wanted: str, layer: SourceLayer, names: dict[str, str]) -> str:
    if not wanted:
        guessed = guess_class_field(layer.fields)
        return names[guessed] if guessed else ""
    exact = next((name for name in names if name.casefold() == wanted.casefold()), None)
    if exact is None:
        raise PlannerError("import.field_missing", layer=layer.name, field=wanted, known=", ".join(names))
    return names[exact]


def _free_name(project: Project, wanted: str, warnings: list[Note]) -> str:
    taken = {layer.name for layer in project.layers()}
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} ({number})", number + 1
    if name != wanted:
        warnings.append(Note("import.name_taken", {"name": wanted, "used": name}))
    return name


def _plan(plan: PlanInfo | PlanKind | str | None, name: str, source: Path) -> PlanInfo | None:
    if plan is None or plan == "" or isinstance(plan, PlanInfo):
        return plan or None  # type: ignore[return-value]
    try:
        kind = PlanKind(plan)
    except ValueError as error:
        raise PlannerError("import.plan_kind", kind=str(plan), known=", ".join(PlanKind)) from error
    return PlanInfo(uuid.uuid4().hex, kind, name, source=source.name)


def _with_style(layer: NewLayer, found: set[str], language: str) -> NewLayer:
    """The layer with the code list its class values speak and a style in that list's colours."""
    from planner_app.domain.style import default_style, to_qml

    if layer.geometry == "none":
        return layer
    standard = layer.class_standard or (guess_standard(layer.class_field, found) if layer.class_field else "")
    style = default_style(
        layer.geometry,
        plan_kind=str(layer.plan.kind) if layer.plan else "",
        class_field=layer.class_field if len(found) < _MOST_VALUES else "",
        class_standard=standard,
        values=sorted(found),
        language=language,
    )
    return replace(layer, class_standard=standard, qml=to_qml(style, layer.geometry))


def _position_warnings(project: Project, layer: LayerInfo) -> list[Note]:
    extent = project.extent(layer.id) if layer.geometry != "none" else None
    if extent is None:
        return []
    warnings = []
    others = [
        box
        for one in project.layers()
        if one.id != layer.id and one.geometry != "none" and (box := project.extent(one.id)) is not None
    ]
    if others:
        west, south = min(box[0] for box in others), min(box[1] for box in others)
        east, north = max(box[2] for box in others), max(box[3] for box in others)
        away = max(extent[0] - east, west - extent[2], extent[1] - north, south - extent[3])
        if away > FAR_M:
            warnings.append(Note("import.far_away", {"layer": layer.name, "kilometres": away / 1000.0}))
    area = parse_crs(project.crs).area_of_use
    if area is not None:
        to_degrees = transformer(project.crs, authority_code(_geographic(project.crs)))
        x, y = to_degrees.transform(np.array([extent[0], extent[2]]), np.array([extent[1], extent[3]]))
        # Half a zone of grace: plans reach across the edge of their zone.
        inside = (
            np.isfinite([*x, *y]).all()
            and x[0] > area.west - 1.5
            and x[1] < area.east + 1.5
            and y[0] > area.south - 1.0
            and y[1] < area.north + 1.0
        )
        if not inside:
            warnings.append(Note("import.outside_crs", {"layer": layer.name, "crs": project.crs}))
    return warnings


def _geographic(crs: str) -> Any:
    found = parse_crs(crs)
    return found.geodetic_crs or found


class _Work:
    """Turns chunks into batches and keeps book of what was repaired and rejected."""

    def __init__(self, geometry: Geometry, names: dict[str, str], move: Transformation, class_field: str) -> None:
        self._geometry, self._names, self._move, self._class_field = geometry, names, move, class_field
        self.repaired: list[RowNote] = []
        self.rejected: list[RowNote] = []
        self.values: set[str] = set()
        self.kept = 0

    def prepare(self, chunk: Chunk) -> Batch:
        """A batch in the project's CRS; rows without a usable geometry are left out and named."""
        columns = {self._names[name]: values for name, values in chunk.columns.items()}
        if self._geometry == "none":
            self.kept += len(next(iter(columns.values()), []))
            return Batch((), columns)
        shapes, good = self._shapes(chunk)
        if not good.all():
            keep = np.flatnonzero(good)
            columns = {name: [values[at] for at in keep] for name, values in columns.items()}
            shapes = shapes[keep]
        if self._class_field and len(self.values) <= _MOST_VALUES:
            self.values |= {str(v) for v in columns[self._class_field] if v not in (None, "")}
        self.kept += len(shapes)
        return Batch(list(shapely.to_wkb(shapes, flavor="iso", include_srid=False)), columns)

    def _shapes(self, chunk: Chunk) -> tuple[Any, Any]:
        shapes = chunk.geometry.copy()
        good = np.ones(len(shapes), dtype=bool)

        def reject(rows: Any, reason: str) -> None:
            fresh = np.flatnonzero(good & rows)
            good[fresh] = False
            self.rejected += [RowNote(chunk.first + int(at), reason) for at in fresh]

        reject(shapely.is_missing(shapes), "import.no_geometry")
        reject(shapely.is_empty(shapes), "import.empty_geometry")
        xy, of = shapely.get_coordinates(shapes, return_index=True)
        broken = np.zeros(len(shapes), dtype=bool)
        broken[of[~np.isfinite(xy).all(axis=1)]] = True
        reject(broken, "import.not_a_number")
        wanted = {"point": 0, "line": 1, "polygon": 2}[self._geometry]
        collections = good & (shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
        if collections.any():
            shapes[collections] = [_parts_of(shape, wanted) for shape in shapes[collections]]
        reject(good & (shapely.get_dimensions(shapes) != wanted), "import.other_kind")
        if not self._move.is_identity:
            self._transform(shapes, good)
            xy, of = shapely.get_coordinates(shapes, return_index=True)
            lost = np.zeros(len(shapes), dtype=bool)
            lost[of[~np.isfinite(xy).all(axis=1)]] = True
            reject(lost, "import.not_transformable")
        if self._geometry == "polygon":
            self._repair(shapes, good, chunk.first, reject)
        elif self._geometry == "line":
            reject(good & (shapely.length(shapes) == 0.0), "import.no_length")
        return shapes, good

    def _transform(self, shapes: Any, good: Any) -> None:
        def moved(coordinates: Any) -> Any:
            x, y = self._move.transform(coordinates[:, 0], coordinates[:, 1])
            return np.column_stack([x, y, *coordinates[:, 2:].T])

        for flat in (True, False):
            some = good & (shapely.has_z(shapes) != flat)
            if some.any():
                shapes[some] = shapely.transform(shapes[some], moved, include_z=not flat)

    def _repair(self, shapes: Any, good: Any, first: int, reject: Any) -> None:
        from planner_app.compute import repair

        rows = np.flatnonzero(good)
        done = repair(shapes[rows])
        shapes[rows] = done.geoms
        self.repaired += [RowNote(first + int(rows[at]), reason) for at, reason in done.repaired]
        for at, reason in done.rejected:
            alone = np.zeros(len(shapes), dtype=bool)
            alone[rows[at]] = True
            reject(alone, reason)


def _parts_of(shape: Any, dimension: int) -> Any:
    parts = [part for part in shapely.get_parts(shape) if shapely.get_dimensions(part) == dimension]
    if not parts:
        return shape
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)
