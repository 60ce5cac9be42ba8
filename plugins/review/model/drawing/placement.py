"""Where a drawing lies on the ground: how metres in the drawing become coordinates of the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plugins.review.model.drawing.types import Note

Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A point known in both: metres in the drawing (x, y) and project coordinates (easting, northing); [...]"""

    x: float
    y: float
    east: float
    north: float
    name: str = ""
    residual: float | None = None
    used: bool = True


@dataclass(frozen=True, slots=True)
class Placement:
    """From metres in the drawing's axes to the project's CRS: first ``matrix``, then, if given, from ``crs``.

    Attributes:
        method: crs | coordinates | geodata | map_conversion | control | parcel | by_hand | none (not placed yet).
        crs: CRS the matrix leads to (``EPSG:n``); "" means the project's own: no reprojection.
        matrix: (x', y') = (a x + b y + c, d x + e y + f). A rotation and a shift; a scale only where a person
            allowed it.
        points: control points with residuals; rms: of those used, m.
        scale: what a free fit would have scaled by, told and never applied silently; 1 where not fitted.
    """

    method: str = "none"
    crs: str = ""
    matrix: Matrix = IDENTITY
    points: tuple[ControlPoint, ...] = ()
    rms: float | None = None
    scale: float = 1.0
    notes: tuple[Note, ...] = field(default=())

    @property
    def placed(self) -> bool:
        """True once the drawing has a place."""
        return self.method != "none"


def placement_json(placement: Placement) -> dict[str, Any]:
    """As kept with the drawing."""
    return {
        "method": placement.method,
        "crs": placement.crs,
        "matrix": list(placement.matrix),
        "points": [[p.x, p.y, p.east, p.north, p.name, p.residual, p.used] for p in placement.points],
        "rms": placement.rms,
        "scale": placement.scale,
        "notes": [[code, params] for code, params in placement.notes],
    }


def placement_from_json(data: Mapping[str, Any]) -> Placement:
    """The inverse of :func:`placement_json`."""
    a, b, c, d, e, f = data.get("matrix") or IDENTITY
    return Placement(
        method=str(data.get("method", "none")),
        crs=str(data.get("crs", "")),
        matrix=(float(a), float(b), float(c), float(d), float(e), float(f)),
        points=tuple(ControlPoint(*values) for values in data.get("points") or ()),
        rms=data.get("rms"),
        scale=float(data.get("scale", 1.0)),
        notes=tuple((str(code), dict(params)) for code, params in data.get("notes") or ()),
    )
