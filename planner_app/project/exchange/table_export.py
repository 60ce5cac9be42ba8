"""Layers as CSV and XLSX: one row per feature, its size or coordinates behind the attributes."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.layer import LayerInfo
from planner_app.project.features import FeatureTable

_SHEET_NAME_SIGNS = 31
_CELL_SIGNS = 32_767


def write_csv(layer: LayerInfo, tables: Iterable[FeatureTable], part: Path) -> None:
    """Lines and polygons as a column of WKT, points as coordinates; UTF-8 with a mark, by which Excel knows it."""
    heads = [*(info.name for info in layer.fields), *_place_heads(layer)]
    if layer.geometry in ("line", "polygon"):
        heads.append("geometry_wkt")
    with part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(heads)
        for table in tables:
            shapes = shapely.from_wkb(table.geometry)
            lists = [*_attributes(layer, table), *_places(layer, shapes)]
            if layer.geometry in ("line", "polygon"):
                lists.append(list(shapely.to_wkt(shapes, rounding_precision=-1)))
            for row in zip(*lists, strict=True):
                writer.writerow(["" if value is None else _written(value) for value in row])


def write_xlsx(layer: LayerInfo, tables: Iterable[FeatureTable], part: Path) -> None:
    """A worksheet with a fixed head; areas in m² and lengths in m are planar in the project's CRS."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet("".join("_" if c in "[]:*?/\\" else c for c in layer.name)[:_SHEET_NAME_SIGNS] or "layer")
    sheet.freeze_panes = "A2"
    sizes = {"polygon": ["area_m2"], "line": ["length_m"]}.get(layer.geometry, [])
    head = []
    for name in [*(info.name for info in layer.fields), *_place_heads(layer), *sizes]:
        cell = WriteOnlyCell(sheet, value=name)
        cell.font = Font(bold=True)
        head.append(cell)
    sheet.append(head)
    try:
        for table in tables:
            shapes = shapely.from_wkb(table.geometry)
            lists = [*_attributes(layer, table), *_places(layer, shapes)]
            if sizes:
                measured = shapely.area(shapes) if layer.geometry == "polygon" else shapely.length(shapes)
                lists.append(measured.tolist())
            for row in zip(*lists, strict=True):
                sheet.append([_cell(value) for value in row])
    except BaseException:
        sheet.close()  # a half-written sheet complains when it is collected
        raise
    book.save(part)


def _attributes(layer: LayerInfo, table: FeatureTable) -> list[list[Any]]:
    return [table.columns[info.name] for info in layer.fields]


def _place_heads(layer: LayerInfo) -> list[str]:
    return ["east", "north"] if layer.geometry == "point" else []


def _places(layer: LayerInfo, shapes: Any) -> list[list[Any]]:
    """Easting and northing of points (of several in one: their middle)."""
    if layer.geometry != "point":
        return []
    middle = shapely.centroid(shapes)
    return [
        [None if value != value else value for value in list_]
        for list_ in (shapely.get_x(middle).tolist(), shapely.get_y(middle).tolist())
    ]


def _written(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def _cell(value: Any) -> Any:
    """What a cell can hold: no control characters, no formula, no integer beyond the digits of a spreadsheet."""
    if isinstance(value, bytes):
        return value.hex()[:_CELL_SIGNS]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, int) and abs(value) > 10**15:
        return str(value)
    if isinstance(value, str):
        clean = "".join(c for c in value if c >= " " or c in "\t\n")[:_CELL_SIGNS]
        return f"'{clean}" if clean.startswith("=") else clean
    return value
