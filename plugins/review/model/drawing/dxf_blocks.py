"""Block references taken apart: nested, scaled, mirrored, in rows and columns; bounded if they contain themselves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plugins.review.model.drawing.dxf_shapes import DxfShapes, Missing, plain
from plugins.review.model.drawing.dxf_words import WORDS
from plugins.review.model.drawing.shapes import Points, Shape, text_box

#: Blocks within blocks within … beyond this are no drawing.
DEEPEST = 16
#: Copies of one reference in rows and columns.
MOST_COPIES = 10_000


@dataclass(slots=True)
class _Reference:
    """A block reference, read once."""

    shape: Shape
    name: str
    matrices: list[NDArray[np.float64]]
    attributes: list[Shape] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Given:
    """What a reference hands down to what it consists of."""

    layer: str = "0"
    colour: str = ""
    width: float = -1.0
    visible: bool = True


class DxfBlocks:
    """Takes references apart.

    Args:
        document: the DXF document.
        shapes: makes shapes of entities.
        frozen: layers (in lower case) that hide all of a reference that lies on them.
        look_of_layer: colour and line width of a layer.

    Attributes:
        cyclic: names of blocks that contain themselves; xrefs: other drawings, by name; unknown: missing blocks.
    """

    def __init__(
        self,
        document: Any,
        shapes: DxfShapes,
        frozen: frozenset[str],
        look_of_layer: Callable[[str], tuple[str, float]],
    ) -> None:
        self._document, self._shapes, self._frozen = document, shapes, frozen
        self._look_of_layer = look_of_layer
        self._contents: dict[tuple[str, int], list[Shape | _Reference]] = {}
        self._tolerance = shapes.tolerance
        self.cyclic: set[str] = set()
        self.xrefs: dict[str, str] = {}
        self.unknown: Counter[str] = Counter()
        self.too_deep = 0
        self.too_many_copies = 0

    def of(self, entity: Any) -> Iterator[Shape]:
        """The reference itself, its attributes, and the parts of its block in the space it stands in."""
        reference = self._reference(entity)
        if reference is not None:
            yield from self._expand(reference, None, "", _Given(), ())

    def _reference(self, entity: Any) -> _Reference | None:
        dxf, kind = entity.dxf, entity.dxftype()
        try:
            if kind == "ACAD_TABLE":
                from ezdxf.math import Matrix44

                name, place, angle = str(dxf.geometry), dxf.insert, 0.0
                matrices = [_array(Matrix44.translate(place.x, place.y, place.z))]
            else:
                name, angle = str(dxf.name), float(dxf.get("rotation", 0.0))
                matrices = self._matrices(entity)
                place = entity.ocs().to_wcs(dxf.insert)
        except Exception:  # damage shows itself in as many ways as there are attributes
            self._shapes.missing.broken[kind] += 1
            return None
        common = plain(entity)
        colour, width = self._shapes.look(common)
        shape = Shape(
            str(dxf.get("handle") or "0"), "INSERT", str(common.get("layer", "0")), np.array([[place.x, place.y]]),
            text=name, colour=colour, width=width, angle=angle, z=place.z, visible=not common.get("invisible", 0),
        )  # fmt: skip
        attributes = [one for given in getattr(entity, "attribs", ()) for one in self._shapes.of(given)]
        return _Reference(shape, name, matrices, attributes)

    def _matrices(self, entity: Any) -> list[NDArray[np.float64]]:
        """One matrix per copy, from the block's space to the one the reference stands in."""
        matrix = _array(entity.matrix44())
        dxf = entity.dxf
        columns, rows = max(1, int(dxf.get("column_count", 1))), max(1, int(dxf.get("row_count", 1)))
        if columns * rows == 1:
            return [matrix]
        if columns * rows > MOST_COPIES:
            self.too_many_copies += 1
            columns, rows = min(columns, MOST_COPIES), max(1, min(rows, MOST_COPIES // min(columns, MOST_COPIES)))
        across, up = float(dxf.get("column_spacing", 0.0)), float(dxf.get("row_spacing", 0.0))
        turn = math.radians(float(dxf.get("rotation", 0.0)))
        cos, sin = math.cos(turn), math.sin(turn)
        ocs = entity.ocs()
        copies = []
        for row in range(rows):
            for column in range(columns):
                x, y = column * across, row * up
                shift = ocs.to_wcs((x * cos - y * sin, x * sin + y * cos, 0.0))
                copy = matrix.copy()
                copy[3, :3] += (shift.x, shift.y, shift.z)
                copies.append(copy)
        return copies

    def _expand(
        self, reference: _Reference, outer: Any, prefix: str, given: _Given, within: tuple[str, ...]
    ) -> Iterator[Shape]:
        own = _inherit(reference.shape, given)
        own.handle = prefix + own.handle
        visible = own.visible and own.layer.casefold() not in self._frozen
        yield own if outer is None else moved(own, Step(outer))
        colour, width = self._look_of_layer(own.layer)
        handed = _Given(
            own.layer, own.colour if own.colour else colour, own.width if own.width >= 0.0 else width, visible
        )
        for attribute in reference.attributes:
            made = _inherit(attribute, handed)
            made.handle = f"{own.handle}/{made.handle}"
            yield made if outer is None else moved(made, Step(outer))
        block = self._block(reference.name)
        if block is None:
            return
        key = reference.name.casefold()
        if key in within:
            self.cyclic.add(reference.name)
            return
        if len(within) >= DEEPEST:
            self.too_deep += 1
            return
        for number, matrix in enumerate(reference.matrices):
            whole = matrix if outer is None else matrix @ outer
            step = Step(whole)
            start = f"{own.handle}/" if number == 0 else f"{own.handle}[{number}]/"
            for item in self._content(key, block, whole):
                if isinstance(item, _Reference):
                    yield from self._expand(item, whole, start, handed, (*within, key))
                else:
                    made = _inherit(item, handed)
                    made.handle = start + made.handle
                    yield moved(made, step)

    def _block(self, name: str) -> Any:
        block = self._document.blocks.get(name)
        if block is None:
            self.unknown[name] += 1
            return None
        flags = int(block.block.dxf.get("flags", 0))
        if flags & (4 | 8):
            self.xrefs[name] = str(block.block.dxf.get("xref_path", "") or name)
        return block

    def _content(self, key: str, block: Any, matrix: Any) -> list[Shape | _Reference]:
        """What a block consists of, in its own space; curves flattened for how large they come out."""
        a, b, c, d = matrix[0, 0], matrix[0, 1], matrix[1, 0], matrix[1, 1]
        scale = math.sqrt(max(a * a + b * b, c * c + d * d))
        power = math.ceil(math.log2(scale)) if math.isfinite(scale) and scale > 0.0 else 0
        known = self._contents.get((key, power))
        if known is not None:
            return known
        made: list[Shape | _Reference] = []
        self._contents[(key, power)] = made
        self._shapes.tolerance = self._tolerance / 2.0**power
        counting = self._shapes.missing
        if any(one == key and other != power for one, other in self._contents):
            self._shapes.missing = Missing()  # counted already
        try:
            for entity in block:
                if entity.dxftype() in REFERENCES:
                    reference = self._reference(entity)
                    if reference is not None:
                        made.append(reference)
                else:
                    made.extend(self._shapes.of(entity))
        finally:
            self._shapes.tolerance = self._tolerance
            self._shapes.missing = counting
        return made


REFERENCES = frozenset({"INSERT", "ACAD_TABLE"})
_TURNED = WORDS | {"INSERT", "DIMENSION"}


def _inherit(shape: Shape, given: _Given) -> Shape:
    """A copy with what it leaves to the reference filled in: layer 0, colour and width by block."""
    colour, width = shape.colour, shape.width
    return replace(
        shape,
        layer=given.layer if shape.layer == "0" else shape.layer,
        colour=given.colour if colour == "*" else colour,
        width=given.width if width == -2.0 else width,
        visible=shape.visible and given.visible,
    )


class Step:
    """A matrix (rows, as ezdxf has them) prepared for moving many shapes."""

    def __init__(self, matrix: NDArray[np.float64]) -> None:
        (a, b, _, _), (c, d, _, _), (self.e, self.f, self.up, _), (self.x, self.y, self.z, _) = matrix.tolist()
        self.a, self.b, self.c, self.d = a, b, c, d
        self.linear = np.array([[a, b], [c, d]])
        self.scale = math.sqrt(abs(a * d - b * c))
        self.height = math.hypot(c, d)


def moved(shape: Shape, step: Step) -> Shape:
    """The shape where the matrix brings it; changes and returns it."""
    shift = np.array([step.x + step.e * shape.z, step.y + step.f * shape.z])

    def at(points: Points) -> Points:
        there: Points = points @ step.linear + shift
        return there

    shape.points = at(shape.points)
    if shape.rings:
        shape.rings = tuple(at(ring) for ring in shape.rings)
    if shape.value is not None:
        shape.value *= step.scale
    shape.size *= step.height
    if shape.kind in _TURNED:
        turn = math.radians(shape.angle)
        cos, sin = math.cos(turn), math.sin(turn)
        shape.angle = math.degrees(math.atan2(cos * step.b + sin * step.d, cos * step.a + sin * step.c))
    shape.z = shape.z * step.up + step.z
    if shape.z_end is not None:
        shape.z_end = shape.z_end * step.up + step.z
    if shape.box:
        x, y = shape.points[0].tolist()
        shape.box = text_box(x, y, shape.text, shape.size, shape.angle)
    return shape


def _array(matrix: Any) -> NDArray[np.float64]:
    return np.array(list(matrix), dtype=np.float64).reshape((4, 4))
