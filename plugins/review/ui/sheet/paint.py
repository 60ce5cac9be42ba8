"""Scenes into pictures, on any thread.

Each call of Qt holds Python's lock, so everything goes to the painter in small portions (0.1 ms each, 25,000 polylines
take 60 ms): the window never waits for a picture.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QByteArray, QDataStream, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from plugins.review.ui.sheet.scene import Curves, Extent, Points, Scene

Mask = NDArray[np.bool_]

#: Texts lower than this are not drawn; up to the second they are bars.
TEXT_PIXELS, READABLE_PIXELS = 3.0, 5.0
#: What is smaller on screen is not drawn.
SMALLEST_PIXELS = 0.7
#: Vertices handed to the painter at a time.
_PORTION = 1500
#: Beyond this many pixels outside, lines are cut: the raster engine loses precision.
_FAR = 4_000.0
#: A text's height is that of its capitals; the font's size is larger.
_FONT_OVER_HEIGHT = 1.3
_FAMILIES = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC",
             "WenQuanYi Micro Hei")  # fmt: skip
#: The most pixels a letter may have: nothing larger can be read, and glyphs that big are slow.
_LARGEST_FONT = 400.0
_MM_TO_PIXELS = 96.0 / 25.4


@dataclass(frozen=True, slots=True)
class Frame:
    """What part of the plane a picture shows, north up.

    Attributes:
        west, north: coordinates of its upper left corner; resolution: units per logical pixel.
        width, height: logical pixels; ratio: device pixels per logical one.
    """

    west: float
    north: float
    resolution: float
    width: int
    height: int
    ratio: float = 1.0

    @property
    def extent(self) -> Extent:
        """xmin, ymin, xmax, ymax."""
        return (
            self.west, self.north - self.height * self.resolution, self.west + self.width * self.resolution, self.north
        )  # fmt: skip

    def pixels(self, xy: Points) -> Points:
        """(n, 2) coordinates as logical pixels."""
        return (xy - (self.west, self.north)) * (1.0 / self.resolution, -1.0 / self.resolution)

    def widened(self, share: float) -> Frame:
        """With a margin of this share of the width and height on every side."""
        dx, dy = round(self.width * share), round(self.height * share)
        return replace(
            self, west=self.west - dx * self.resolution, north=self.north + dy * self.resolution,
            width=self.width + 2 * dx, height=self.height + 2 * dy,
        )  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How a scene is drawn.

    Attributes:
        shown: (n) entities to draw.
        colour: (n) 0xRRGGBB instead of the drawing's own.
        fill: opacity of filled areas; thicker: pixels added to every line.
        words: texts are drawn.
    """

    shown: Mask
    colour: NDArray[np.int64] | None = None
    fill: float = 0.4
    thicker: float = 0.0
    words: bool = True


@dataclass(frozen=True)
class Picture:
    """A drawn scene and what it shows."""

    image: QImage
    frame: Frame
    content: object = field(default=None, compare=False)


def render(scene: Scene, frame: Frame, look: Look, wanted: Callable[[], bool] = lambda: True) -> QImage | None:
    """A transparent picture of the scene; None once it is no longer wanted."""
    image = QImage(
        round(frame.width * frame.ratio), round(frame.height * frame.ratio), QImage.Format.Format_ARGB32_Premultiplied
    )
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(frame.ratio, frame.ratio)
        for _ in _drawn(painter, scene, frame, look):
            if not wanted():
                return None
    finally:
        painter.end()
    return image


def _drawn(painter: QPainter, scene: Scene, frame: Frame, look: Look) -> Iterator[None]:
    """Draw areas, then lines, then words; yields after each portion."""
    colour = scene.colour if look.colour is None else look.colour
    painter.setPen(Qt.PenStyle.NoPen)
    for key, path in _areas(scene.fills, frame, look.shown, colour):
        fill = QColor.fromRgb(key)
        fill.setAlphaF(look.fill)
        painter.setBrush(fill)
        painter.drawPath(path)
        yield
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for key, width, path, dots in _lines(scene, frame, look, colour):
        pen = QPen(QColor.fromRgb(key), width)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(path)
        for x, y in dots:
            painter.drawPoint(QPointF(x, y))
        yield
    if look.words:
        yield from _texts(painter, scene, frame, look.shown, colour)


def _in_view(box: Points, frame: Frame, smallest: float) -> Mask:
    """Boxes that touch the frame and are large enough to be seen; not those without a place (NaN)."""
    xmin, ymin, xmax, ymax = frame.extent
    size = np.maximum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1])
    return (
        (box[:, 0] <= xmax) & (box[:, 2] >= xmin) & (box[:, 1] <= ymax) & (box[:, 3] >= ymin)
        & (size >= smallest * frame.resolution)
    )  # fmt: skip


# ---------------------------------------------------------------- lines


def _lines(
    scene: Scene, frame: Frame, look: Look, colour: NDArray[np.int64]
) -> Iterator[tuple[int, float, QPainterPath, list[list[float]]]]:
    """(colour, pen width, path, dots): curves, then points."""
    curves = scene.lines
    count = np.diff(curves.start)
    chosen = look.shown[curves.entity] & _in_view(curves.box, frame, SMALLEST_PIXELS) & (count > 1)
    numbers = np.flatnonzero(chosen)
    # Drawn style by style; within a style in the drawing's own order.
    style = _style(scene, colour)[curves.entity[numbers]]
    numbers = numbers[np.argsort(style, kind="stable")]
    xy, first, entity = _gather(curves, frame, numbers)
    for key, start, stop in _runs(_style(scene, colour)[entity]):
        rgb, width = int(key >> 8), _pen_width(int(key & 0xFF) / 100.0) + look.thicker
        for low in range(start, stop, _PORTION):
            high = min(low + _PORTION, stop)
            begin = max(low - 1, start) if not first[low] else low  # go on where the portion before ended
            moves = first[begin:high].copy()
            moves[0] = True
            yield rgb, width, _path(xy[begin:high], moves), []
    points = look.shown[curves.entity] & _in_view(curves.box, frame, 0.0) & (count == 1)
    for number in np.unique(colour[curves.entity[points]]).tolist():
        same = np.flatnonzero(points)[colour[curves.entity[points]] == number]
        places = frame.pixels(curves.xy[curves.start[same]]).tolist()
        for low in range(0, len(places), 500):
            yield number, 2.5 + look.thicker, QPainterPath(), places[low : low + 500]


def _style(scene: Scene, colour: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n) one number for colour and width, so that what looks the same is drawn together."""
    return colour << 8 | np.clip(np.rint(scene.width * 100), 0, 255).astype(np.int64)


def _pen_width(millimetres: float) -> float:
    """Lineweights are those of paper: on screen thin ones stay thin, and none is fatter than 4 px."""
    return min(max(1.0, millimetres * _MM_TO_PIXELS * 0.7), 4.0)


def _gather(curves: Curves, frame: Frame, numbers: NDArray[np.int64]) -> tuple[Points, Mask, NDArray[np.int32]]:
    """(pixels, begins a piece, entity) of the chosen curves, thinned to half a pixel, without what lies far outside."""
    counts = np.diff(curves.start)[numbers]
    if not len(numbers):
        return np.empty((0, 2)), np.empty(0, dtype=bool), np.empty(0, dtype=np.int32)
    offsets = np.cumsum(counts) - counts
    rows = np.arange(counts.sum()) - np.repeat(offsets - curves.start[numbers], counts)
    xy = frame.pixels(curves.xy[rows])
    first = np.zeros(len(xy), dtype=bool)
    first[offsets] = True
    last = np.zeros(len(xy), dtype=bool)
    last[offsets + counts - 1] = True
    grid = np.rint(xy * (2.0 * frame.ratio))
    same = np.zeros(len(xy), dtype=bool)
    same[1:] = (grid[1:] == grid[:-1]).all(axis=1)
    keep = first | last | ~same
    entity = np.repeat(curves.entity[numbers], counts)[keep]
    xy, first = xy[keep], first[keep]
    return _cut(xy, first, entity, frame)


def _cut(xy: Points, first: Mask, entity: NDArray[np.int32], frame: Frame) -> tuple[Points, Mask, NDArray[np.int32]]:
    """Segments that reach far outside are cut there (Liang and Barsky 1984); those wholly outside are dropped."""
    low, high = np.array([-_FAR, -_FAR]), np.array([frame.width + _FAR, frame.height + _FAR])
    if ((xy >= low) & (xy <= high)).all():
        return xy, first, entity
    start, end, whose = xy[:-1][~first[1:]], xy[1:][~first[1:]], entity[1:][~first[1:]]
    delta = end - start
    with np.errstate(divide="ignore", invalid="ignore"):
        enter, leave = (low - start) / delta, (high - start) / delta
    enter, leave = np.minimum(enter, leave), np.maximum(enter, leave)
    flat = delta == 0
    enter, leave = np.where(flat, -np.inf, enter), np.where(flat, np.inf, leave)
    t0, t1 = np.clip(enter.max(axis=1), 0.0, 1.0), np.clip(leave.min(axis=1), 0.0, 1.0)
    inside = (t0 < t1) & ~(flat & ((start < low) | (start > high))).any(axis=1)
    start, delta, t0, t1, whose = start[inside], delta[inside], t0[inside], t1[inside], whose[inside]
    pieces = np.stack([start + delta * t0[:, None], start + delta * t1[:, None]], axis=1)
    firsts = np.tile([True, False], len(pieces))
    return pieces.reshape(-1, 2), firsts, np.repeat(whose, 2)


def _runs(keys: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(key, start, stop) of equal neighbours."""
    if not len(keys):
        return
    edges = [0, *(np.flatnonzero(np.diff(keys)) + 1).tolist(), len(keys)]
    for start, stop in pairwise(edges):
        yield int(keys[start]), start, stop


def _path(xy: Points, moves: Mask) -> QPainterPath:
    """A Qt path, read from a buffer: a thousand times quicker than point by point."""
    rows = np.empty(len(xy), dtype=[("kind", ">i4"), ("x", ">f8"), ("y", ">f8")])
    rows["kind"], rows["x"], rows["y"] = np.where(moves, 0, 1), xy[:, 0], xy[:, 1]
    path = QPainterPath()
    data = struct.pack(">i", len(rows)) + rows.tobytes() + struct.pack(">ii", 0, 0)  # last: odd-even fill
    QDataStream(QByteArray(data)) >> path
    return path


# ---------------------------------------------------------------- areas


def _areas(curves: Curves, frame: Frame, shown: Mask, colour: NDArray[np.int64]) -> Iterator[tuple[int, QPainterPath]]:
    """(colour, path) of filled areas: all rings of one entity in one path, so that holes stay open."""
    chosen = shown[curves.entity] & _in_view(curves.box, frame, 0.0)
    small = ~_in_view(curves.box, frame, SMALLEST_PIXELS)
    numbers = np.flatnonzero(chosen & ~small)
    for _, start, stop in _runs(curves.entity[numbers].astype(np.int64)):
        path = area_path([frame.pixels(curves.curve(number)) for number in numbers[start:stop]], frame)
        if not path.isEmpty():
            yield int(colour[curves.entity[numbers[start]]]), path


def area_path(rings: list[Points], frame: Frame) -> QPainterPath:
    """Rings in pixels as one path with odd-even fill, cut where they reach far outside."""
    whole = [part for ring in rings if len(part := _thinned(_clipped(ring, frame))) > 2]
    if not whole:
        return QPainterPath()
    moves = np.zeros(sum(map(len, whole)), dtype=bool)
    moves[np.cumsum([0, *(len(ring) for ring in whole[:-1])])] = True
    return _path(np.concatenate(whole), moves)


def line_path(xy: Points, first: Mask, frame: Frame) -> QPainterPath:
    """Polylines in pixels as one path, thinned to half a pixel, cut where they reach far outside."""
    if not len(xy):
        return QPainterPath()
    keep = first | np.append(first[1:], True)
    keep[1:] |= (np.rint(xy[1:] * 2.0) != np.rint(xy[:-1] * 2.0)).any(axis=1)
    xy, first, _ = _cut(xy[keep], first[keep], np.zeros(int(keep.sum()), dtype=np.int32), frame)
    return _path(xy, first) if len(xy) else QPainterPath()


def _thinned(ring: Points) -> Points:
    """Without vertices that fall on the half pixel of the one before."""
    if len(ring) < 8:
        return ring
    grid = np.rint(ring * 2.0)
    keep = np.ones(len(ring), dtype=bool)
    keep[1:] = (grid[1:] != grid[:-1]).any(axis=1)
    return ring[keep]


def _clipped(ring: Points, frame: Frame) -> Points:
    """A ring that reaches far outside, cut to a box around the picture (Sutherland and Hodgman 1974)."""
    sides = ((0, -_FAR, 1.0), (0, frame.width + _FAR, -1.0), (1, -_FAR, 1.0), (1, frame.height + _FAR, -1.0))
    for axis, limit, sign in sides:
        inside = (ring[:, axis] - limit) * sign >= 0
        if inside.all():
            continue
        if not inside.any():
            return ring[:0]
        after, after_inside = np.roll(ring, -1, axis=0), np.roll(inside, -1)
        crossing = inside != after_inside
        step = after[:, axis] - ring[:, axis]
        share = np.divide(limit - ring[:, axis], step, out=np.zeros(len(ring)), where=step != 0)
        cut = ring + (after - ring) * share[:, None]
        both = np.stack([ring, cut], axis=1).reshape(-1, 2)
        ring = both[np.stack([inside, crossing], axis=1).ravel()]
    return ring


# ---------------------------------------------------------------- words


def drawing_font(pixels: float) -> QFont:
    """The font of a drawing's texts: a Chinese one, whatever the file asks for."""
    font = QFont(list(_FAMILIES))
    font.setPixelSize(max(1, round(pixels)))
    return font


def _texts(painter: QPainter, scene: Scene, frame: Frame, shown: Mask, colour: NDArray[np.int64]) -> Iterator[None]:
    words = scene.words
    at, along = frame.pixels(words.at), frame.pixels(words.along) - frame.pixels(words.at)
    height = np.hypot(along[:, 0], along[:, 1])
    reach = height * (words.width + 1.0)
    visible = (
        shown[words.entity] & (height >= TEXT_PIXELS)
        & (at[:, 0] + reach >= 0) & (at[:, 0] - reach <= frame.width)
        & (at[:, 1] + reach >= 0) & (at[:, 1] - reach <= frame.height)
    )  # fmt: skip
    begin = at - np.where(words.middle[:, None], along * words.width[:, None] / 2, 0.0)
    yield from _bars(painter, visible & (height < READABLE_PIXELS), begin, along, words.width, colour[words.entity])
    angle = np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    fonts: dict[int, QFont] = {}
    for number in np.flatnonzero(visible & (height >= READABLE_PIXELS)).tolist():
        wanted = height[number] * _FONT_OVER_HEIGHT
        size = round(min(wanted, _LARGEST_FONT))
        font = fonts.setdefault(size, drawing_font(size))
        text = words.text[number]
        painter.save()
        painter.setFont(font)
        painter.setPen(QColor.fromRgb(int(colour[words.entity[number]])))
        painter.translate(float(at[number, 0]), float(at[number, 1]))
        painter.rotate(float(angle[number]))
        if wanted > _LARGEST_FONT:
            painter.scale(wanted / size, wanted / size)
        left = -QFontMetricsF(font).horizontalAdvance(text) / 2 if words.middle[number] else 0.0
        painter.drawText(QPointF(left, 0.0), text)
        painter.restore()
        yield


def _bars(
    painter: QPainter,
    chosen: Mask,
    begin: Points,
    along: Points,
    width: NDArray[np.float64],
    colour: NDArray[np.int64],
) -> Iterator[None]:
    """Texts too small to read, as faint bars in their place."""
    numbers = np.flatnonzero(chosen)
    start = begin + np.column_stack([along[:, 1], -along[:, 0]]) * 0.5
    end = start + along * width[:, None]
    for key, low, high in _runs(colour[numbers]):
        ends = np.stack([start[numbers[low:high]], end[numbers[low:high]]], axis=1).reshape(-1, 2)
        shade = QColor.fromRgb(key)
        shade.setAlphaF(0.35)
        painter.setPen(QPen(shade, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        for first in range(0, len(ends), _PORTION):
            part = ends[first : first + _PORTION]
            painter.drawPath(_path(part, np.tile([True, False], len(part) // 2)))
            yield


def target(frame: Frame, to_screen: Callable[[float, float], tuple[float, float]]) -> QRectF:
    """Where a picture lies on a widget now, in logical pixels."""
    xmin, ymin, xmax, ymax = frame.extent
    left, top = to_screen(xmin, ymax)
    right, bottom = to_screen(xmax, ymin)
    return QRectF(left, top, right - left, bottom - top)


def paint_picture(
    painter: QPainter, picture: Picture, to_screen: Callable[[float, float], tuple[float, float]], opacity: float = 1.0
) -> None:
    """A picture in its place: as it is where its scale fits, else stretched."""
    place = target(picture.frame, to_screen)
    painter.save()
    painter.setOpacity(opacity)
    if abs(place.width() - picture.frame.width) < 0.5:
        place.moveTopLeft(QPointF(round(place.left()), round(place.top())))
        place.setSize(QRectF(0, 0, picture.frame.width, picture.frame.height).size())
    else:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(place, picture.image)
    painter.restore()
