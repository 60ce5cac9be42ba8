"""The model space of a DXF document (or of a DWG made into one) as a drawing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.dxf_blocks import REFERENCES, DxfBlocks
from plugins.review.model.drawing.dxf_georeference import georeference
from plugins.review.model.drawing.dxf_loading import load
from plugins.review.model.drawing.dxf_shapes import MOST_RING_VERTICES, DxfShapes
from plugins.review.model.drawing.dxf_words import MOST_LETTERS
from plugins.review.model.drawing.shapes import Collector, TooMuch, clean, counted
from plugins.review.model.drawing.types import Drawing, DrawingFormat, DrawingLayer

Report = Callable[[float], None]
_SILENT: Report = lambda fraction: None  # noqa: E731

#: Chord error on the ground, m: chords stay within 1 cm of each other whichever way an arc is drawn.
FLATTEN_M = 0.005
#: Extents in which a unit is believed: between a small plot and a city, m.
_BELIEVED = (60.0, 20_000.0)
_EMBEDDED = ("OLE2FRAME", "OLEFRAME", "PDFUNDERLAY", "PDFREFERENCE", "DGNUNDERLAY", "DWFUNDERLAY")
#: Metres per unit of $INSUNITS.
_UNITS = {
    1: 0.0254, 2: 0.3048, 3: 1609.344, 4: 0.001, 5: 0.01, 6: 1.0, 7: 1000.0, 8: 2.54e-8, 9: 2.54e-5, 10: 0.9144,
    11: 1e-10, 12: 1e-9, 13: 1e-6, 14: 0.1, 15: 10.0, 16: 100.0, 17: 1e9, 21: 1200.0 / 3937.0,
}  # fmt: skip


def read_dxf(path: Path, report: Report = _SILENT, metres_per_unit: float | None = None) -> Drawing:
    """The model space of a DXF file.

    Args:
        metres_per_unit: where it is known better than the header says.

    Raises:
        PlannerError: ``review.dxf_broken``, ``review.dxf_half``, ``review.drawing_empty``, ``review.nothing_drawn``,
            ``review.only_foreign``, ``review.only_paper_space``.
    """
    collector = Collector()
    document = load(path, collector)
    return read_document(document, path.name, collector, DrawingFormat.DXF, report, metres_per_unit)


def read_document(
    document: Any,
    name: str,
    collector: Collector,
    kind: DrawingFormat,
    report: Report = _SILENT,
    metres_per_unit: float | None = None,
    *,
    version: str = "",
) -> Drawing:
    """The model space of a loaded document; see :func:`read_dxf`."""
    space = document.modelspace()
    header = _UNITS.get(_int(document.header.get("$INSUNITS", 0)))
    unit = metres_per_unit or ground_unit(header, _span(space))
    layers, frozen, widths, names = _layers(document)
    shapes = DxfShapes(FLATTEN_M / unit, look)
    blocks = DxfBlocks(
        document,
        shapes,
        frozen,
        lambda one: _look_of(layers.get(names.get(one.casefold(), one)), widths.get(one, 0.25)),
    )
    total = len(space)
    kept = 0
    try:
        for number, entity in enumerate(space):
            if number % 1000 == 0:
                report(number / total)
            for shape in blocks.of(entity) if entity.dxftype() in REFERENCES else shapes.of(entity):
                shape.layer = names.get(shape.layer.casefold(), shape.layer)
                if shape.width == -1.0:
                    shape.width = widths.get(shape.layer, 0.25)
                collector.add(shape)
            kept = number + 1
    except TooMuch:
        collector.note("review.too_much", entities=len(collector.shapes), left=total - kept)
    paper = _paper(document)
    _notes(collector, shapes, blocks, paper)
    if not collector.shapes:
        raise _empty(name, shapes, paper)
    return collector.finish(
        name,
        kind,
        version or str(document.acad_release or document.dxfversion),
        layers,
        ground_unit=unit,
        metres_per_unit=header,
        georeference=georeference(space, header, collector),
        properties={**_properties(document), "flattened_units": f"{FLATTEN_M / unit:.6g}"},
        count=total,
    )


def look(dxf: Any) -> tuple[str, float]:
    """Colour and line width by the attributes of an entity or layer (see ``Shape``), as drawn on white."""
    weight = dxf.get("lineweight", -1)
    width = float(weight) if weight in (-1, -2) else 0.25 if weight < 0 else weight / 100.0
    true = dxf.get("true_color")
    return (aci(int(dxf.get("color", 256))) if true is None else f"#{int(true) & 0xFFFFFF:06x}"), width


@lru_cache(maxsize=1024)
def aci(colour: int) -> str:
    """An AutoCAD colour number on white; "" by layer, "*" by block."""
    from ezdxf.colors import aci2rgb

    if colour == 256:
        return ""
    if colour == 0:
        return "*"
    if colour in (7, -7) or not 0 < abs(colour) < 256:
        return "#000000"
    red, green, blue = aci2rgb(abs(colour))
    return f"#{red:02x}{green:02x}{blue:02x}"


def ground_unit(header: float | None, span: float) -> float:
    """Metres per unit that flattening and fingerprints go by; the finer of what the header says and metres if the
    header's unit makes the drawing too small or too large for a plan."""
    unit = header or 1.0
    return unit if _BELIEVED[0] <= span * unit <= _BELIEVED[1] or span <= 0.0 else max(unit, 1.0)


def _span(space: Any) -> float:
    """Diagonal of where most entities lie, drawing units; 0 if nobody knows."""
    places = []
    for entity, _ in zip(space, range(20_000), strict=False):
        dxf = entity.dxf
        try:
            if entity.dxftype() == "LWPOLYLINE":
                places += entity.lwpoints.values[:: max(1, len(entity.lwpoints) - 1), :2].tolist()
                continue
            place = next(filter(None, (dxf.get(key) for key in ("start", "insert", "center", "location"))), None)
            if place is not None:
                places.append([place.x, place.y])
        except Exception:  # noqa: S112 - damage is named when the entity is read
            continue
    xy = np.array(places, dtype=np.float64).reshape(-1, 2)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if len(xy) < 2:
        return 0.0
    low, high = np.quantile(xy, (0.02, 0.98), axis=0)
    return float(math.hypot(*(high - low)))


def _layers(document: Any) -> tuple[dict[str, DrawingLayer], frozenset[str], dict[str, float], dict[str, str]]:
    """Layers by name, frozen ones (lower case), line widths by name, the table's spelling by lower case."""
    layers, widths, names = {}, {}, {}
    frozen = set()
    for layer in document.layers:
        name = str(layer.dxf.name)
        colour, width = look(layer.dxf)
        hidden = layer.is_frozen() or layer.is_off()
        if layer.is_frozen():
            frozen.add(name.casefold())
        layers[name] = DrawingLayer(name, colour if colour.startswith("#") else "#000000", hidden)
        widths[name] = width if width >= 0.0 else 0.25
        names[name.casefold()] = name
    return layers, frozenset(frozen), widths, names


def _look_of(layer: DrawingLayer | None, width: float) -> tuple[str, float]:
    return (layer.colour if layer else "#000000"), width


def _paper(document: Any) -> dict[str, int]:
    """Entities of each paper-space layout."""
    found = {}
    for name in document.layout_names():
        if name.casefold() != "model":
            count = sum(entity.dxftype() != "VIEWPORT" for entity in document.layout(name))
            if count:
                found[clean(name)] = count
    return found


def _notes(collector: Collector, shapes: DxfShapes, blocks: DxfBlocks, paper: dict[str, int]) -> None:
    missing, note = shapes.missing, collector.note
    embedded = Counter({kind: missing.other[kind] for kind in _EMBEDDED if kind in missing.other})
    for code, kinds in (
        ("review.foreign_objects", missing.foreign),
        ("review.solids", missing.solids),
        ("review.embedded", embedded),
        ("review.pictures", missing.pictures),
        ("review.not_drawn", missing.other - embedded),
        ("review.broken_entities", missing.broken),
        ("review.unknown_blocks", blocks.unknown),
    ):
        if kinds:
            note(code, count=kinds.total(), kinds=counted(kinds))
    for handle, count in missing.thinned[:20]:
        note("review.thinned", handle=handle, count=count, kept=MOST_RING_VERTICES)
    if missing.cut:
        note("review.texts_cut", count=missing.cut, letters=MOST_LETTERS)
    if blocks.xrefs:
        note("review.xrefs", count=len(blocks.xrefs), names=_names(blocks.xrefs.values()))
    if blocks.cyclic:
        note("review.cyclic_blocks", count=len(blocks.cyclic), names=_names(sorted(blocks.cyclic)))
    if blocks.too_deep or blocks.too_many_copies:
        note("review.blocks_bounded", count=blocks.too_deep + blocks.too_many_copies)
    if paper:
        note("review.paper_space", count=sum(paper.values()), names=_names(paper))
    hidden = sum(not shape.visible for shape in collector.shapes)
    if hidden:
        note("review.invisible", count=hidden)


def _names(names: Any) -> str:
    shown = [clean(str(one)) for one in names]
    return ", ".join(shown[:20]) + (f" … (+{len(shown) - 20})" if len(shown) > 20 else "")


def _empty(name: str, shapes: DxfShapes, paper: dict[str, int]) -> PlannerError:
    missing = shapes.missing
    if missing.foreign:
        return PlannerError(
            "review.only_foreign", file=name, count=missing.foreign.total(), kinds=counted(missing.foreign)
        )
    if paper:
        return PlannerError("review.only_paper_space", file=name, names=_names(paper))
    left = missing.solids + missing.other + missing.broken + missing.pictures
    if left:
        return PlannerError("review.nothing_drawn", file=name, count=left.total(), kinds=counted(left))
    return PlannerError("review.drawing_empty", file=name)


def _properties(document: Any) -> dict[str, str]:
    header = document.header
    found = {"encoding": str(document.encoding), "author": str(header.get("$LASTSAVEDBY", "") or "")}
    for name, value in list(header.custom_vars)[:50]:
        found[f"custom.{clean(str(name))[:60]}"] = str(value)
    return found


def _int(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]
    except (TypeError, ValueError):
        return 0
