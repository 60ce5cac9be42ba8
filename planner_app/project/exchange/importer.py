"""Import: look into a file, bring its features into the project's CRS, repair or reject them; all or nothing."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from planner_app.domain.crs import SETTING, CityTransform, Transformation, authority_code, parse_crs, transformer
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import RESERVED_COLUMNS, FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.project.exchange.class_field import guess_class_field, guess_standard, with_class
from planner_app.project.exchange.notes import Note, RowNote, note
from planner_app.project.exchange.preparing import MOST_VALUES, Preparation
from planner_app.project.exchange.reader import SeparateSource
from planner_app.project.exchange.source import SourceInfo, SourceLayer, TableGeometry
from planner_app.project.features import Batch
from planner_app.project.store import Project

#: A layer farther from the rest than this is most likely in another CRS, m.
FAR_M = 1_000_000.0
#: Stated accuracy of a transformation above which a person is told, m.
_INEXACT_M = 5.0


@dataclass(slots=True)
class ImportReport:
    """What an import did; ``features`` came in, rows are numbers in the source from 1."""

    layer: LayerInfo
    features: int
    source_crs: str
    repaired: list[RowNote] = field(default_factory=list)
    rejected: list[RowNote] = field(default_factory=list)
    warnings: list[Note] = field(default_factory=list)


def inspect(
    source: Path, encoding: str = "", csv_xy: TableGeometry = None, progress: Progress | None = None
) -> SourceInfo:
    """Look into a file without importing it.

    Args:
        encoding: of its attributes, where detection fails.
        csv_xy: (easting, northing) columns of a CSV, or its column of WKT.

    Raises:
        PlannerError: ``import.*``. Cancelled.
    """
    with SeparateSource(Path(source), encoding, csv_xy, progress) as opened:
        info = opened.info()
    return replace(info, layers=tuple(with_class(layer) for layer in info.layers))


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
    csv_xy: TableGeometry = None,
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
        csv_xy: (easting, northing) columns of a CSV, or its column of WKT.
        language: of the class names in the layer's style.
        progress: reports rows; cancelling leaves nothing.

    Raises:
        PlannerError: ``import.*``, ``crs.*``.
        Cancelled: nothing was written.
    """
    source = Path(source)
    progress = progress or NoProgress()
    if source.exists() and os.path.samefile(source, project.path):
        raise PlannerError("import.own_project", file=source.name)
    progress.update(0.0, "stage.import_open")
    with SeparateSource(source, encoding, csv_xy, progress) as opened:
        info = opened.info()
        warnings = [note(code, **params) for code, params in info.warnings]
        layer = _choose(info, sublayer, warnings)
        source_crs, move = _placing(project, info, layer, crs, transform, warnings)
        names, fields = _field_names(layer.fields, warnings)
        chosen = _class_field(class_field, layer, names)
        title = _free_name(project, name.strip() or (layer.name if len(info.layers) > 1 else source.stem), warnings)
        work = Preparation(layer.geometry, names, move, chosen, fields)

        def batches() -> Iterator[Batch]:
            progress.update(0.02, "stage.import_rows")
            for chunk in opened.read(layer):
                yield work.batch(chunk)
                check(progress)
                done = chunk.first + len(chunk.geometry) - 1
                progress.update(min(0.98, done / layer.features) if layer.features > 0 else None, "stage.import_rows")
            if not work.kept:
                raise _nothing(source, source_crs, work.rejected)

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
        added = project.add_layer(
            new, batches(), progress, command="import_layer", params={"layer": title},
            finish=lambda filled: _with_style(filled, work.values, language),
        )  # fmt: skip
    warnings += _position_warnings(project, added)
    progress.update(1.0)
    return ImportReport(added, work.kept, source_crs, work.repaired, work.rejected, warnings)


@dataclass(slots=True)
class ReadLayer:
    """A layer of a foreign file in memory: ``batch`` in the project's CRS, under the source's own field names."""

    layer: SourceLayer
    batch: Batch
    repaired: list[RowNote]
    rejected: list[RowNote]
    warnings: list[Note]


def read_layer(
    project: Project,
    source: Path,
    *,
    sublayer: str = "",
    crs: str = "",
    encoding: str = "",
    progress: Progress | None = None,
) -> ReadLayer:
    """One layer of a foreign file brought into the project's CRS but not into the project, for plugins with tables of
    their own. Arguments and errors are those of :func:`import_layer`."""
    progress = progress or NoProgress()
    with SeparateSource(Path(source), encoding, None, progress) as opened:
        info = opened.info()
        warnings = [note(code, **params) for code, params in info.warnings]
        layer = _choose(info, sublayer, warnings)
        source_crs, move = _placing(project, info, layer, crs, None, warnings)
        names = {one.name: one.name for one in layer.fields}
        work = Preparation(layer.geometry, names, move, "", layer.fields)
        wkb: list[bytes | None] = []
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for chunk in opened.read(layer):
            part = work.batch(chunk)
            wkb += part.wkb
            for name, values in part.columns.items():
                columns[name] += values
            check(progress)
        if not work.kept:
            raise _nothing(Path(source), source_crs, work.rejected)
    return ReadLayer(layer, Batch(wkb, columns), work.repaired, work.rejected, warnings)


def _nothing(source: Path, crs: str, rejected: list[RowNote]) -> PlannerError:
    """Why no feature came through."""
    if not rejected:
        return PlannerError("import.no_features", file=source.name)
    if {row.reason for row in rejected} == {"import.not_transformable"}:
        return PlannerError("import.crs_unfit", file=source.name, crs=_title(crs))
    return PlannerError("import.nothing_left", file=source.name, rejected=len(rejected))


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
        warnings.append(note("import.other_layers", layer=chosen.name, others=", ".join(others)))
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
        warnings.append(note("import.crs_overridden", stated=_title(stated), used=_title(source)))
    move = transformer(source, project.crs, city or CityTransform.kept_for(source, project.setting(SETTING)))
    if move.accuracy_m is not None and move.accuracy_m > _INEXACT_M:
        warnings.append(note("import.inexact", source=_title(source), metres=move.accuracy_m))
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
            warnings.append(note("import.field_renamed", field=info.name, name=candidate))
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
        warnings.append(note("import.name_taken", name=wanted, used=name))
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
        class_field=layer.class_field if len(found) < MOST_VALUES else "",
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
            warnings.append(note("import.far_away", layer=layer.name, kilometres=away / 1000.0))
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
            warnings.append(note("import.outside_crs", layer=layer.name, crs=project.crs))
    return warnings


def _geographic(crs: str) -> Any:
    found = parse_crs(crs)
    return found.geodetic_crs or found
