"""A drawing as arrays that a painter takes: lines, filled areas, words; moved as a whole to the map."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from plugins.review.model.drawing.types import DrawingFormat

if TYPE_CHECKING:
    from plugins.review.model.cases.opened import Mover
    from plugins.review.model.drawing.types import Drawing, Entity

Points = NDArray[np.float64]
Extent = tuple[float, float, float, float]

#: A dimension's text where the file gives no height: this part of what it measures, within what can be read.
_DIMENSION_TEXT, _LARGEST_DIMENSION_TEXT = 0.08, 0.3
#: Distance of a text's lines over its height, as AutoCAD spaces multiline text.
_LINE_PITCH = 5.0 / 3.0
#: Estimated width of a character over the text's height: CJK characters are square, others narrower.
_WIDE, _NARROW = 1.15, 0.7
#: Part of a drawing's entities at each edge that may be strays.
_STRAYS = 0.005
#: Vertices moved to the map at a time.
_MOVED_AT_ONCE = 20_000
#: Luminance (WCAG) of the lightest line: a contrast of 2.3:1 on white.
_LIGHTEST = 0.4


@dataclass(frozen=True)
class Curves:
    """Polylines one behind the other.

    Attributes:
        xy: (n, 2) vertices; a closed curve repeats its first.
        start: (m + 1) where each curve begins in ``xy``, and the end.
        entity: (m) whose it is.
    """

    xy: Points
    start: NDArray[np.int64]
    entity: NDArray[np.int32]

    @cached_property
    def box(self) -> Points:
        """(m, 4) xmin, ymin, xmax, ymax of each curve; NaN where a vertex is not finite."""
        if not len(self.entity):
            return np.empty((0, 4))
        low = np.minimum.reduceat(self.xy, self.start[:-1])
        return np.column_stack([low, np.maximum.reduceat(self.xy, self.start[:-1])])

    def curve(self, number: int) -> Points:
        """One of them."""
        return self.xy[self.start[number] : self.start[number + 1]]


@dataclass(frozen=True)
class Words:
    """Texts, line by line.

    Attributes:
        at: (k, 2) where the line begins, on its baseline; along: one text height further along it.
        text: the lines; entity: (k) whose they are; middle: (k) true where ``at`` is the line's middle.
    """

    at: Points
    along: Points
    text: tuple[str, ...]
    entity: NDArray[np.int32]
    middle: NDArray[np.bool_]

    def corners(self, numbers: NDArray[np.int64] | slice = slice(None)) -> NDArray[np.float64]:
        """(k, 4, 2) corners of the boxes about lines of text."""
        along = self.along[numbers] - self.at[numbers]
        up = np.column_stack([-along[:, 1], along[:, 0]])
        length = along * self.width[numbers][:, None]
        start = self.at[numbers] - np.where(self.middle[numbers][:, None], length / 2, 0.0) - up * 0.25
        return np.stack([start, start + length, start + length + up * 1.5, start + up * 1.5], axis=1)

    @cached_property
    def box(self) -> Points:
        """(k, 4) xmin, ymin, xmax, ymax of each line."""
        corners = self.corners()
        return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).reshape(-1, 4)

    @cached_property
    def width(self) -> NDArray[np.float64]:
        """(k) estimated width of each line over its height."""
        return np.array([sum(_WIDE if ord(mark) > 0x2E7F else _NARROW for mark in one) for one in self.text])


@dataclass(frozen=True)
class Scene:
    """A drawing ready for painting, in the coordinates it is shown in.

    Attributes:
        handles: of the entities; layer: (n) index of each one's layer; colour: (n) 0xRRGGBB; width: (n) mm;
        page: (n); faded: (n) invisible by itself, never drawn.
        layers: names; hidden: those switched off in the file.
    """

    handles: tuple[str, ...]
    layers: tuple[str, ...]
    hidden: frozenset[str]
    layer: NDArray[np.int32]
    colour: NDArray[np.int64]
    width: NDArray[np.float32]
    page: NDArray[np.int32]
    faded: NDArray[np.bool_]
    lines: Curves
    fills: Curves
    words: Words

    def moved(self, move: Callable[[Points], Points]) -> Scene:
        """The scene in other coordinates. ``move``: (n, 2) → (n, 2); what has no place there is NaN and not drawn."""
        parts = (self.lines.xy, self.fills.xy, self.words.at, self.words.along)
        placed = move(np.concatenate(parts)) if any(map(len, parts)) else np.empty((0, 2))
        lines, fills, at, along = np.split(placed, np.cumsum([len(part) for part in parts])[:-1])
        return replace(
            self,
            lines=Curves(lines, self.lines.start, self.lines.entity),
            fills=Curves(fills, self.fills.start, self.fills.entity),
            words=replace(self.words, at=at, along=along),
        )

    @cached_property
    def index(self) -> dict[str, int]:
        """Handle → number of the entity."""
        return {handle: number for number, handle in enumerate(self.handles)}

    def numbers(self, handles: Iterable[str]) -> NDArray[np.int64]:
        """Numbers of the entities with these handles, parts of blocks included; unknown handles are left out."""
        wanted = set(handles)
        found = [self.index[one] for one in wanted if one in self.index]
        blocks = tuple(f"{one}/" for one in wanted)
        if blocks and any("/" in handle for handle in self.handles):
            found += [number for number, handle in enumerate(self.handles) if handle.startswith(blocks)]
        return np.unique(np.array(found, dtype=np.int64))

    def shown(self, hidden: frozenset[str], page: int = 0) -> NDArray[np.bool_]:
        """(n) true for entities on layers that are switched on, of this page (0: of every page)."""
        on = np.array([name not in hidden for name in self.layers], dtype=bool)
        visible = ~self.faded & (on[self.layer] if len(on) else False)
        return visible & ((self.page == page) | (self.page == 0)) if page else visible

    def extent(self, mask: NDArray[np.bool_] | None = None) -> Extent | None:
        """Around these entities (all visible ones); None if there is nothing."""
        every = self._boxes(self.shown(self.hidden) if mask is None else mask, self.words.box)
        return _around(every) if len(every) else None

    def main_extent(self, mask: NDArray[np.bool_]) -> Extent | None:
        """Around these entities, but for a few strays far off: one forgotten point makes a drawing a speck."""
        every = self._boxes(mask, self.words.at[:, [0, 1, 0, 1]])  # a text's width is but an estimate
        if not len(every):
            return None
        whole = _around(every)
        middle = (every[:, :2] + every[:, 2:]) / 2
        low, high = np.quantile(middle, [_STRAYS, 1.0 - _STRAYS], axis=0)
        room = (high - low).max() * 0.25 + 1e-9
        near = ((middle >= low - room) & (middle <= high + room)).all(axis=1)
        main = _around(every[near]) if near.any() else whole
        smaller = max(main[2] - main[0], main[3] - main[1]) < 0.6 * max(whole[2] - whole[0], whole[3] - whole[1])
        return main if smaller else whole

    def _boxes(self, mask: NDArray[np.bool_], words: Points) -> Points:
        """(m, 4) boxes of these entities' parts that have a place."""
        boxes = [part.box[mask[part.entity]] for part in (self.lines, self.fills)]
        every: Points = np.concatenate([*boxes, words[mask[self.words.entity]]])
        return every[np.isfinite(every).all(axis=1)]


def _around(boxes: Points) -> Extent:
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def build_scene(drawing: Drawing) -> Scene:
    """A drawing's entities for painting, in drawing units."""
    names = {layer.name: number for number, layer in enumerate(drawing.layers)}
    for entity in drawing.entities:
        names.setdefault(entity.layer, len(names))
    hidden = frozenset(layer.name for layer in drawing.layers if layer.hidden)
    lines, fills, words = _Collector(), _Collector(), _WordCollector()
    metres = drawing.metres_per_unit or 1.0
    filled = drawing.format is not DrawingFormat.IFC
    for number, entity in enumerate(drawing.entities):
        if entity.rings:
            for ring in entity.rings:
                (fills if filled else lines).add(ring, True, number)
        elif entity.kind == "DIMENSION" and len(entity.points) == 2:
            _dimension(entity, number, metres, lines, words)
        elif _is_text(entity):
            words.add(entity, number)
        elif len(entity.points) and entity.kind != "INSERT":
            lines.add(entity.points, entity.closed, number)
    every = drawing.entities
    return Scene(
        handles=tuple(one.handle for one in every),
        layers=tuple(names),
        hidden=hidden,
        layer=np.array([names[one.layer] for one in every], dtype=np.int32),
        colour=_on_paper(np.array([_colour(one.colour) for one in every], dtype=np.int64)),
        width=np.array([one.width for one in every], dtype=np.float32),
        page=np.array([one.page for one in every], dtype=np.int32),
        # Invisible because its layer is off: seen again once a person switches the layer on.
        faded=np.array([not one.visible and one.layer not in hidden for one in every], dtype=bool),
        lines=lines.curves(),
        fills=fills.curves(),
        words=words.words(),
    )


def mover_of(to_project: Mover, metres_per_unit: float) -> Callable[[Points], Points]:
    """Drawing units → project CRS for arrays; NaN where a point has no place."""

    def move(xy: Points) -> Points:
        import shapely

        moved = np.empty_like(xy)
        for start in range(0, len(xy), _MOVED_AT_ONCE):
            part = xy[start : start + _MOVED_AT_ONCE] * metres_per_unit
            # A line stands for its vertices: making a point of each holds Python's lock for half a second.
            line = shapely.linestrings(np.concatenate([part, part[-1:]]))
            moved[start : start + len(part)] = shapely.get_coordinates(to_project(line))[:-1]
        moved[~np.isfinite(moved).all(axis=1)] = np.nan
        return moved

    return move


class _Collector:
    """Curves as they come."""

    def __init__(self) -> None:
        self._parts: list[Points] = []
        self._entity: list[int] = []

    def add(self, points: Points, closed: bool, entity: int) -> None:
        if len(points):
            self._parts.append(np.concatenate([points, points[:1]]) if closed and len(points) > 2 else points)
            self._entity.append(entity)

    def curves(self) -> Curves:
        start = np.concatenate([[0], np.cumsum([len(part) for part in self._parts])]).astype(np.int64)
        xy = np.concatenate(self._parts) if self._parts else np.empty((0, 2))
        return Curves(xy, start, np.array(self._entity, dtype=np.int32))


class _WordCollector:
    """Lines of text as they come."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float, float, str, int, bool]] = []

    def add(self, entity: Entity, number: int) -> None:
        x, y = entity.points[0].tolist()
        angle = math.radians(entity.angle)
        ux, uy = math.cos(angle) * entity.size, math.sin(angle) * entity.size
        for line, text in enumerate(entity.text.split("\n")):
            down = line * _LINE_PITCH
            if text.strip():
                self.put(x + uy * down, y - ux * down, ux, uy, text, number, False)

    def put(self, x: float, y: float, ux: float, uy: float, text: str, number: int, middle: bool) -> None:
        self._rows.append((x, y, x + ux, y + uy, text, number, middle))

    def words(self) -> Words:
        places = np.array([row[:4] for row in self._rows], dtype=np.float64).reshape(-1, 4)
        return Words(
            places[:, :2],
            places[:, 2:],
            tuple(row[4] for row in self._rows),
            np.array([row[5] for row in self._rows], dtype=np.int32),
            np.array([row[6] for row in self._rows], dtype=bool),
        )


def _is_text(entity: Entity) -> bool:
    return bool(entity.text) and entity.size > 0 and len(entity.points) == 1 and entity.kind != "INSERT"


def _dimension(entity: Entity, number: int, metres: float, lines: _Collector, words: _WordCollector) -> None:
    """The measured line with a tick at each end and its text above the middle."""
    start, end = entity.points
    direction = np.array([math.cos(math.radians(entity.angle)), math.sin(math.radians(entity.angle))])
    across_it = abs(float(np.dot(end - start, direction)))
    if entity.value is not None and abs(entity.value - across_it) < 1e-6 * max(entity.value, 1e-9):
        corner = start + direction * float(np.dot(end - start, direction))
        lines.add(np.stack([corner, end]), False, number)  # measured along a direction: the other leg
        end = corner
    along = end - start
    length = float(np.hypot(*along))
    if not length > 0:
        return
    size = entity.size or min(max(length * _DIMENSION_TEXT, 0.2 / metres), 3.0 / metres)
    size = min(size, length * _LARGEST_DIMENSION_TEXT)
    unit = along / length
    if unit[0] < -1e-9 or (abs(unit[0]) <= 1e-9 and unit[1] < 0):
        unit = -unit  # read from below or from the right
    across = np.array([-unit[1], unit[0]])
    tick = (unit + across) * size * 0.35
    for part in (np.stack([start, end]), np.stack([start - tick, start + tick]), np.stack([end - tick, end + tick])):
        lines.add(part, False, number)
    measured = _measured(entity.value if entity.value is not None else length, metres)
    text = entity.text.replace("<>", measured).replace("\n", " ") or measured
    x, y = (start + end) / 2 + across * size * 0.4
    words.put(float(x), float(y), float(unit[0] * size), float(unit[1] * size), text, number, True)


def _measured(value: float, metres: float) -> str:
    """As CAD writes it: metres with two decimals, millimetres whole."""
    return f"{value:.2f}" if metres >= 0.1 else f"{value:.0f}"


def _on_paper(colours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Colours dark enough for white paper: CAD's yellow, cyan and green are made for a black screen."""
    rgb = np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=1) / 255.0
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    factor = np.minimum(1.0, _LIGHTEST / np.maximum(luminance, 1e-9))
    linear = linear * factor[:, None]
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.rint(rgb * 255).astype(np.int64).T
    return np.asarray(red << 16 | green << 8 | blue)


def _colour(text: str) -> int:
    try:
        return int(text[1:7], 16)
    except ValueError:
        return 0
