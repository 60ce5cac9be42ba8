"""Reading features: whole layers as arrays, pages of the attribute table, what lies under a point."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo
from planner_app.project.features import FeatureTable
from planner_app.project.geometry import to_wkb
from planner_app.project.sql import columns as column_list
from planner_app.project.sql import quote

Box = tuple[float, float, float, float]

#: Any number of fids in one bound value (see :func:`fid_text`), unlike a list of question marks.
FID_LIST = "(SELECT value FROM json_each(?))"


def fid_text(fids: Iterable[int]) -> str:
    """Fids as the JSON array that :data:`FID_LIST` takes."""
    return "[" + ",".join(str(int(fid)) for fid in fids) + "]"


def field_names(layer: LayerInfo, names: Sequence[str] | None) -> list[str]:
    """Exact names of the wanted fields (all if None; ``uuid`` may be asked for too).

    Raises:
        PlannerError: ``field.unknown``, naming the known ones.
    """
    if names is None:
        return [field.name for field in layer.fields]
    exact = []
    for name in names:
        field = layer.field(name)
        if field is None and name != "uuid":
            known = ", ".join(f.name for f in layer.fields)
            raise PlannerError("field.unknown", field=name, layer=layer.name, known=known)
        exact.append(field.name if field else name)
    return exact


def read(
    connection: sqlite3.Connection,
    layer: LayerInfo,
    *,
    columns: Sequence[str] | None = None,
    bbox: Box | None = None,
    fids: Sequence[int] | None = None,
    where: str = "",
    geometry: bool = True,
    limit: int | None = None,
) -> FeatureTable:
    """Features of a layer in fid order.

    Args:
        columns: fields to read (None: all).
        bbox: only features whose bounding boxes touch this one.
        where: SQL expression over the fields.

    Raises:
        PlannerError: ``field.unknown``, ``project.where_wrong``.
    """
    import numpy as np

    names = field_names(layer, columns)
    with_geometry = geometry and layer.geometry != "none"
    conditions, values = _conditions(layer, bbox, fids, where)
    query = (
        f"SELECT fid{', geom' if with_geometry else ''}{', ' if names else ''}{column_list(names)} "
        f"FROM {quote(layer.id)}{conditions} ORDER BY fid LIMIT ?"
    )
    rows = _fetch(connection, query, [*values, -1 if limit is None else limit], where, layer)
    count = len(rows)
    wkb = np.full(count, None, dtype=object)
    if not rows:
        return FeatureTable(np.empty(0, dtype=np.int64), wkb, {name: [] for name in names})
    vectors = list(zip(*rows, strict=True))
    if with_geometry:
        wkb[:] = [to_wkb(blob) for blob in vectors[1]]
    first = 2 if with_geometry else 1
    found = {name: list(vector) for name, vector in zip(names, vectors[first:], strict=True)}
    return FeatureTable(np.array(vectors[0], dtype=np.int64), wkb, found)


def fid_list(
    connection: sqlite3.Connection,
    layer: LayerInfo,
    *,
    order_by: str = "",
    descending: bool = False,
    filter_text: str = "",
    where: str = "",
) -> list[int]:
    """Fids of the attribute table in its order: the whole table behind its pages."""
    conditions, values = _conditions(layer, None, None, where)
    if filter_text:
        pattern = "%" + filter_text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        parts = [f"CAST({quote(f.name)} AS TEXT) LIKE ? ESCAPE '\\'" for f in layer.fields if f.type != "blob"]
        conditions += (" AND " if conditions else " WHERE ") + f"({' OR '.join(parts) or '0'})"
        values += [pattern] * len(parts)
    direction = "DESC" if descending else "ASC"
    order = f"{quote(field_names(layer, [order_by])[0])} {direction}, " if order_by not in ("", "fid") else ""
    query = f"SELECT fid FROM {quote(layer.id)}{conditions} ORDER BY {order}fid {direction if not order else ''}"
    return [row[0] for row in _fetch(connection, query, values, where, layer)]


def rows_by_fid(connection: sqlite3.Connection, layer: LayerInfo, fids: Sequence[int]) -> list[tuple[Any, ...]]:
    """(fid, every field) of the given features, in the order given."""
    names = field_names(layer, None)
    query = f"SELECT fid{', ' if names else ''}{column_list(names)} FROM {quote(layer.id)} WHERE fid IN {FID_LIST}"
    found = {row[0]: row for row in connection.execute(query, (fid_text(fids),))}
    return [found[fid] for fid in fids if fid in found]


def pick(
    connection: sqlite3.Connection, layers: Sequence[LayerInfo], x: float, y: float, tolerance: float
) -> list[tuple[str, int]]:
    """Features within ``tolerance`` (project units) of a point: layers as given, then nearest, then smallest first."""
    import shapely

    point = shapely.Point(x, y)
    hits: list[tuple[str, int]] = []
    for layer in layers:
        if layer.geometry == "none":
            continue
        box = (x - tolerance, y - tolerance, x + tolerance, y + tolerance)
        near = read(connection, layer, columns=(), bbox=box)
        if not len(near):
            continue
        shapes = shapely.from_wkb(near.geometry, on_invalid="ignore")
        distances = shapely.distance(shapes, point)
        ranked = sorted(
            (distance, area, fid)
            for distance, area, fid in zip(
                distances.tolist(), shapely.area(shapely.envelope(shapes)).tolist(), near.fids.tolist(), strict=True
            )
            if distance <= tolerance
        )
        hits += [(layer.id, fid) for _, _, fid in ranked]
    return hits


def _conditions(layer: LayerInfo, bbox: Box | None, fids: Sequence[int] | None, where: str) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    if bbox is not None and layer.geometry != "none":
        parts.append(
            f"fid IN (SELECT pkid FROM {quote(f'idx_{layer.id}_geom')} "
            "WHERE xmax >= ? AND xmin <= ? AND ymax >= ? AND ymin <= ?)"
        )
        values += [bbox[0], bbox[2], bbox[1], bbox[3]]
    if fids is not None:
        parts.append(f"fid IN {FID_LIST}")
        values.append(fid_text(fids))
    if where.strip():
        parts.append(f"({where})")
    return (" WHERE " + " AND ".join(parts) if parts else ""), values


def _fetch(
    connection: sqlite3.Connection, query: str, values: Sequence[Any], where: str, layer: LayerInfo
) -> list[tuple[Any, ...]]:
    if not where.strip():
        return connection.execute(query, values).fetchall()
    try:
        return connection.execute(query, values).fetchall()
    except (sqlite3.Error, sqlite3.Warning) as error:
        from planner_app.project.connection import is_busy

        if isinstance(error, sqlite3.Error) and is_busy(error):
            raise
        raise PlannerError("project.where_wrong", layer=layer.name, where=where, detail=str(error)) from error
