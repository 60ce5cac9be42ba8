"""A small vector map for reports: outlines, lines, patches and labels in one frame, north up, scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True, slots=True)
class SketchLayer:
    """Shapes drawn in one manner. ``geometry``: shapely polygons, lines (never filled) or points (dots); colours
    ``#rrggbb`` or ``none``; widths in px."""

    geometry: Sequence[Any]
    fill: str = "none"
    stroke: str = "#5B6675"
    stroke_width: float = 0.8
    fill_opacity: float = 1.0
    dash: str = ""


@dataclass(frozen=True, slots=True)
class SketchLabel:
    """A text centred at a place in metres; ``size`` in px. Drawn on a white rim, so that it reads on any ground."""

    x: float
    y: float
    text: str
    colour: str = "#1D2430"
    size: float = 15.0


#: Features per layer drawn at most, the largest ones; a page cannot show more and a PDF should not carry them.
_MOST = 4_000


def sketch_svg(
    layers: Sequence[SketchLayer],
    extent: tuple[float, float, float, float],
    width: int = 1000,
    height: int = 620,
    labels: Sequence[SketchLabel] = (),
    *,
    north: bool = True,
) -> str:
    """Draw layers, first below, into one SVG.

    Args:
        layers: what to draw.
        extent: (xmin, ymin, xmax, ymax) in metres that must be visible; kept centred at one scale.
        width, height: size of the drawing in px.
        labels: on top of everything.
        north: draw the arrow; false where nobody knows which way north is.
    """
    import numpy as np
    import shapely

    span = max(extent[2] - extent[0], 1.0), max(extent[3] - extent[1], 1.0)
    scale = min(width / span[0], height / span[1]) * 0.94
    centre = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
    half = width / 2 / scale, height / 2 / scale
    frame = shapely.box(centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1])
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">']
    parts.append(f'<rect width="{width}" height="{height}" fill="#FBFBFA"/>')
    for layer in layers:
        shapes = np.array(list(layer.geometry), dtype=object)
        shapes = shapes[~shapely.is_missing(shapes)] if len(shapes) else shapes
        if not len(shapes):
            continue
        shapes = shapes[shapely.intersects(shapes, frame)]
        if len(shapes) > _MOST:
            shapes = shapes[np.argsort(-shapely.area(shapes))[:_MOST]]
        shapes = shapely.simplify(shapes, 0.4 / scale)
        dash = f' stroke-dasharray="{escape(layer.dash)}"' if layer.dash else ""
        parts.append(
            f'<g fill="{escape(layer.fill)}" fill-opacity="{layer.fill_opacity}" fill-rule="evenodd" '
            f'stroke="{escape(layer.stroke)}" stroke-width="{layer.stroke_width}" stroke-linejoin="round"{dash}>'
        )
        # One path per polygon: under the even-odd rule overlapping ones in one path would cancel out.
        for shape in shapely.get_parts(shapes):
            if shape.is_empty:
                continue
            if shape.geom_type == "Point":
                x, y = _pixel(shape.x, shape.y, centre, scale, width, height)
                parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
            else:
                fill = ' fill="none"' if shape.geom_type != "Polygon" else ""
                parts.append(f'<path d="{_path(shape, centre, scale, width, height)}"{fill}/>')
        parts.append("</g>")
    parts += [_label(label, _pixel(label.x, label.y, centre, scale, width, height)) for label in labels]
    parts.append(_scale_bar(scale, height))
    parts += [_north(width)] if north else []
    parts.append("</svg>")
    return "".join(parts)


def _pixel(x: Any, y: Any, centre: tuple[float, float], scale: float, width: int, height: int) -> tuple[Any, Any]:
    return (x - centre[0]) * scale + width / 2, height / 2 - (y - centre[1]) * scale


def _path(shape: Any, centre: tuple[float, float], scale: float, width: int, height: int) -> str:
    import numpy as np

    area = shape.geom_type == "Polygon"
    pieces = []
    for ring in [shape.exterior, *shape.interiors] if area else [shape]:
        xy = np.asarray(ring.coords)
        px, py = _pixel(xy[:, 0], xy[:, 1], centre, scale, width, height)
        line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(px, py, strict=True))
        pieces.append(line + "Z" if area else line)
    return "".join(pieces)


def _label(label: SketchLabel, at: tuple[float, float]) -> str:
    look = f'x="{at[0]:.1f}" y="{at[1] + label.size * 0.35:.1f}" font-size="{label.size:g}" text-anchor="middle"'
    text = escape(label.text)
    return (
        f'<text {look} fill="#FFFFFF" stroke="#FFFFFF" stroke-width="3.5" stroke-linejoin="round">{text}</text>'
        f'<text {look} fill="{escape(label.colour)}">{text}</text>'
    )


def _scale_bar(scale: float, height: int) -> str:
    """A bar of a round length (1, 2 or 5 × a power of ten) about 140 px long."""
    import math

    wanted = 140 / scale
    power = 10 ** math.floor(math.log10(wanted))
    length = max(step * power for step in (1, 2, 5) if step * power <= wanted)
    label = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    px, y = length * scale, height - 24
    return (
        f'<path d="M24 {y - 6}V{y}H{24 + px:.1f}V{y - 6}" fill="none" stroke="#1D2430" stroke-width="1.6"/>'
        f'<text x="{24 + px / 2:.1f}" y="{y - 10}" font-size="15" text-anchor="middle" fill="#1D2430">{label}</text>'
    )


def _north(width: int) -> str:
    x = width - 34
    return (
        f'<path d="M{x} 20L{x + 9} 46L{x} 40L{x - 9} 46Z" fill="#1D2430"/>'
        f'<text x="{x}" y="64" font-size="15" text-anchor="middle" fill="#1D2430">N</text>'
    )
