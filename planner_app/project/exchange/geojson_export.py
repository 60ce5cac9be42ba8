"""GeoJSON as RFC 7946 has it: WGS 84, longitude first, outlines anticlockwise; every number to its last digit.

Written here rather than by GDAL, which rounds attributes to what looks nicer and takes five times as long.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.compute.separate import Answers, Requests
from planner_app.domain.crs import Transformation, transformer
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import LayerInfo

WGS84 = "EPSG:4326"
#: Decimals of a degree: 0.1 mm.
_DECIMALS = 9


def serve_geojson(requests: Requests, answers: Answers) -> None:
    """The child: write features as they come."""
    part, layer, names, crs = requests()
    move = transformer(crs, WGS84)
    try:
        with Path(part).open("w", encoding="utf-8", newline="\n") as file:
            file.write(f'{{"type": "FeatureCollection", "name": {_json(layer.name)}, "features": [\n')
            separator = ""
            while (table := requests()) is not None:
                shapes = in_wgs84(shapely.from_wkb(np.array(table[0], dtype=object)), move)
                for line in _features(layer, names, shapes, table[1]):
                    file.write(separator + line)
                    separator = ",\n"
            file.write("\n]}\n")
    except OSError as error:
        raise PlannerError("export.not_written", file=Path(part).name, detail=str(error)) from error
    answers(None)


def in_wgs84(shapes: Any, move: Transformation) -> Any:
    """Geometries in longitude and latitude, rounded to 0.1 mm, outer rings anticlockwise."""

    def change(coordinates: Any) -> Any:
        x, y = move.transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack([np.round(x, _DECIMALS), np.round(y, _DECIMALS), *coordinates[:, 2:].T])

    result = shapes.copy()
    for flat in (True, False):
        some = shapely.has_z(shapes) != flat
        if some.any():
            result[some] = shapely.transform(shapes[some], change, include_z=not flat)
    return shapely.orient_polygons(result)


def _features(layer: LayerInfo, names: Sequence[str], shapes: Any, columns: list[list[Any]]) -> Iterator[str]:
    booleans = {at for at, info in enumerate(layer.fields) if info.type == "boolean"}
    rows = zip(*columns, strict=True) if columns else iter([()] * len(shapes))
    for geometry, row in zip(shapely.to_geojson(shapes), rows, strict=True):
        cells = [_cell(value, at in booleans) for at, value in enumerate(row)]
        properties = _json(dict(zip(names, cells, strict=True)))
        yield f'{{"type": "Feature", "properties": {properties}, "geometry": {geometry or "null"}}}'


def _cell(value: Any, boolean: bool) -> Any:
    if boolean and value in (0, 1):
        return bool(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value  # JSON has no infinity


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=lambda other: other.hex())
