"""DXF as layers: closed outlines as polygons, the rest as lines and points, each with layer, handle and text.

Arcs are flattened to 1 cm. Blocks are taken apart. What cannot be drawn is counted and named.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, Geometry
from planner_app.domain.text_encoding import named
from planner_app.project.exchange.source import SAMPLE_ROWS, Chunk, SourceInfo, SourceLayer

#: Chord error in m to which arcs become lines.
FLATTEN_M = 0.01
#: Ends of a curve this near are one point, m (ends of full ellipses differ by rounding).
_SAME_M = 1e-6
#: Blocks nested deeper than this refer to themselves.
_DEEPEST_BLOCK = 8
_FIELDS = (
    FieldInfo("layer", "text"),
    FieldInfo("handle", "text"),
    FieldInfo("kind", "text"),
    FieldInfo("text", "text"),
    FieldInfo("elevation", "real"),
)
_LAYERS: tuple[tuple[str, Geometry], ...] = (("polygons", "polygon"), ("lines", "line"), ("points", "point"))
_Row = tuple[Any, tuple[Any, ...]]


class DrawingSource:
    """A DXF drawing's model space."""

    def __init__(self, path: Path, encoding: str = "") -> None:
        try:
            from ezdxf import recover
            from ezdxf.filemanagement import readfile
            from ezdxf.lldxf.const import DXFError
        except ImportError as error:
            raise PlannerError("import.needs_extra", file=path.name, package="ezdxf") from error
        self.path = path
        try:
            self._document = readfile(path, named(encoding)) if encoding else recover.readfile(path)[0]
        except (OSError, DXFError, ValueError, KeyError, IndexError) as error:
            raise PlannerError("import.unreadable", file=path.name, detail=str(error)[:300]) from error
        self._rows: dict[str, list[_Row]] = {name: [] for name, _ in _LAYERS}
        self._skipped: Counter[str] = Counter()
        hidden = {layer.dxf.name for layer in self._document.layers if layer.is_frozen() or layer.is_off()}
        self._hidden = 0
        for entity in self._document.modelspace():
            if entity.dxf.get("layer", "0") in hidden:
                self._hidden += 1
            else:
                self._take(entity, entity.dxf.get("handle", ""), 0)

    def _take(self, entity: Any, handle: str, depth: int) -> None:
        kind = entity.dxftype()
        if kind == "INSERT":
            if depth >= _DEEPEST_BLOCK:
                self._skipped["INSERT"] += 1
                return
            try:
                for part in (*entity.virtual_entities(), *entity.attribs):
                    self._take(part, handle, depth + 1)
            except Exception:  # a broken block names its own damage in many ways
                self._skipped["INSERT"] += 1
            return
        values = (entity.dxf.get("layer", "0"), handle, kind)
        if kind in ("TEXT", "MTEXT", "ATTRIB"):
            point = entity.dxf.get("insert")
            words = entity.plain_text() if hasattr(entity, "plain_text") else entity.dxf.get("text", "")
            self._rows["points"].append((shapely.Point(point.x, point.y), (*values, words, point.z)))
        elif kind == "POINT":
            point = entity.dxf.location
            self._rows["points"].append((shapely.Point(point.x, point.y), (*values, None, point.z)))
        elif kind == "HATCH":
            self._hatch(entity, values)
        else:
            self._path(entity, kind, values)

    def _path(self, entity: Any, kind: str, values: tuple[Any, ...]) -> None:
        from ezdxf import path as curves

        try:
            made = curves.make_path(entity)
            points = [(p.x, p.y) for p in made.flattening(FLATTEN_M)]
        except Exception:  # no path: solids, images, proxies and what ezdxf does not know
            self._skipped[kind] += 1
            return
        if len(points) < 2:
            self._skipped[kind] += 1
            return
        closed = bool(getattr(entity, "is_closed", False) or getattr(entity, "closed", False)) or kind == "CIRCLE"
        closed = closed or (len(points) > 3 and math.dist(points[0], points[-1]) <= _SAME_M)
        row = (*values, None, float(made.start.z))
        if closed and len(dict.fromkeys(points)) >= 3:
            self._rows["polygons"].append((shapely.Polygon(points), row))
        else:
            self._rows["lines"].append((shapely.LineString(points), row))

    def _hatch(self, entity: Any, values: tuple[Any, ...]) -> None:
        from ezdxf import path as curves

        try:
            rings = [
                shapely.Polygon([(p.x, p.y) for p in one.flattening(FLATTEN_M)])
                for one in curves.from_hatch(entity)
                if len(one) > 1
            ]
        except Exception:  # a hatch with a broken boundary
            self._skipped["HATCH"] += 1
            return
        whole: Any = shapely.Polygon()
        for ring in rings:
            whole = shapely.symmetric_difference(whole, shapely.make_valid(ring))
        if whole.area > 0:
            elevation = entity.dxf.get("elevation")
            self._rows["polygons"].append((whole, (*values, None, float(elevation.z) if elevation else 0.0)))

    def info(self) -> SourceInfo:
        """A layer for each kind of geometry that occurs."""
        warnings: list[tuple[str, dict[str, Any]]] = []
        if self._skipped:
            named = ", ".join(f"{kind} × {count}" for kind, count in self._skipped.most_common())
            warnings.append(("import.drawing_skipped", {"count": sum(self._skipped.values()), "kinds": named}))
        if self._hidden:
            warnings.append(("import.drawing_hidden", {"count": self._hidden}))
        unit = int(self._document.header.get("$INSUNITS", 0))
        if unit not in (0, 6):
            from ezdxf.units import unit_name

            warnings.append(("import.drawing_units", {"unit": unit_name(unit)}))
        layers = []
        for name, geometry in _LAYERS:
            rows = self._rows[name]
            if rows:
                bounds = tuple(float(v) for v in shapely.total_bounds([shape for shape, _ in rows]))
                sample = tuple(values for _, values in rows[:SAMPLE_ROWS])
                layers.append(SourceLayer(name, geometry, len(rows), _FIELDS, self._crs(), bounds, sample))  # type: ignore[arg-type]
        if not layers:
            raise PlannerError("import.drawing_empty", file=self.path.name)
        return SourceInfo(self.path, f"DXF {self._document.dxfversion}", tuple(layers), "", tuple(warnings))

    def _crs(self) -> str | None:
        """``EPSG:n`` of the drawing's GEODATA, where its design and reference points coincide."""
        data = self._document.modelspace().get_geodata()
        if data is None:
            return None
        try:
            code, _ = data.get_crs()
        except Exception:  # GEODATA without a readable coordinate system
            return None
        same = data.dxf.design_point.isclose(data.dxf.reference_point, abs_tol=1e-6)
        return f"EPSG:{code}" if code and same else None

    def read(self, layer: SourceLayer) -> Iterator[Chunk]:
        """All features of one kind."""
        rows = self._rows[layer.name]
        shapes = np.empty(len(rows), dtype=object)
        shapes[:] = [shape for shape, _ in rows]
        columns = {info.name: [values[at] for _, values in rows] for at, info in enumerate(_FIELDS)}
        yield Chunk(1, shapes, columns)
