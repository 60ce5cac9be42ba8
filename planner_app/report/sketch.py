"""A small vector map for reports made without a map picture: outlines and patches in one frame, north up, scale bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True, slots=True)
class SketchLayer:
    """Polygons drawn in one manner. ``geometry``: shapely polygons; colours ``#rrggbb`` or ``none``; widths in px."""

    geometry: Sequence[Any]
    fill: str = "none"
    stroke: str = "#5B6675"
    stroke_width: float = 0.8
    fill_opacity: float = 1.0
    dash: str = ""


#: Features per layer drawn at most, the largest ones; a page cannot show more and a PDF should not carry them.
_MOST = 4_000


def sketch_svg(
    layers: Sequence[SketchLayer],
    extent: tuple[float, float, float, float],
    width: int = 1000,
    height: int = 620,
) -> str:
    """Draw layers, first below, into one SVG.

    Args:
        layers: what to draw.
        extent: (xmin, ymin, xmax, ymax) in metres that must be visible; kept centred at one scale.
        width, height: size of the drawing in px.
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
        paths = (_path(shape, centre, scale, width, height) for shape in shapely.get_parts(shapes))
        parts += [f'<path d="{data}"/>' for data in paths if data]
        parts.append("</g>")
    parts.append(_scale_bar(scale, height))
    parts.append(_north(width))
    parts.append("</svg>")
    return "".join(parts)


def _path(shape: Any, centre: tuple[float, float], scale: float, width: int, height: int) -> str:
    import numpy as np

    pieces = []
    for ring in [shape.exterior, *shape.interiors] if not shape.is_empty else []:
        xy = np.asarray(ring.coords)[:, :2]
        px = (xy[:, 0] - centre[0]) * scale + width / 2
        py = height / 2 - (xy[:, 1] - centre[1]) * scale
        pieces.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(px, py, strict=True)) + "Z")
    return "".join(pieces)


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
