"""What is written in a DXF drawing: texts, attributes, dimensions, leaders; formatting codes taken out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plugins.review.model.drawing.shapes import Shape, text_box

#: Kinds that are text.
WORDS = frozenset({"TEXT", "MTEXT", "ATTRIB", "ATTDEF", "MULTILEADER", "MLEADER"})
#: Letters of one text, formatting codes included; what is beyond takes minutes to make plain, and nobody reads it.
MOST_LETTERS = 100_000
#: AutoCAD's distance between lines of an MTEXT, in text heights.
_LINE = 5.0 / 3.0


class NotDrawn(Exception):  # noqa: N818 - not an error
    """An entity that shows nothing; ``args[0]`` names it where that is worth a note."""


def shortened(entity: Any) -> bool:
    """Cut a text that is too long for one; true if it was."""
    if entity.dxftype() == "MTEXT":
        if len(entity.text) > MOST_LETTERS:
            entity.text = entity.text[:MOST_LETTERS]
            return True
        return False
    said = entity.dxf.get("text") if entity.dxftype() in ("TEXT", "ATTRIB", "ATTDEF") else None
    if said is None or len(said) <= MOST_LETTERS:
        return False
    entity.dxf.text = said[:MOST_LETTERS]
    return True


def text(entity: Any) -> Shape:
    """A TEXT in its own plane."""
    words = str(entity.plain_text()).rstrip()
    dxf = entity.dxf
    place, size = dxf.get("insert"), float(dxf.get("height", 0.0))
    angle = float(dxf.get("rotation", 0.0))
    x, y, z = (place.x, place.y, place.z) if place is not None else (0.0, 0.0, 0.0)
    anchor, across, up = dxf.get("align_point"), dxf.get("halign", 0), dxf.get("valign", 0)
    unset = anchor is not None and (x, y) in ((0.0, 0.0), (anchor.x, anchor.y))
    if anchor is not None and (across or up) and unset:  # written by a program without fonts
        left, low, right, high = text_box(0.0, 0.0, words, size)
        dx = {1: 0.5, 2: 1.0, 4: 0.5}.get(across, 0.0) * (right - left)
        dy = (0.5 if across == 4 else {2: 0.5, 3: 1.0}.get(up, 0.0)) * (high - low)
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        x, y, z = anchor.x - dx * cos + dy * sin, anchor.y - dx * sin - dy * cos, anchor.z
    return Shape("", "", "", np.array([[x, y]]), text=words, size=size, angle=angle, z=z)


def attribute(entity: Any) -> Shape:
    """The value of a block's attribute. Definitions show nothing unless they are constant."""
    if entity.dxftype() == "ATTDEF" and not entity.dxf.get("flags", 0) & 2:
        raise NotDrawn
    made = mtext(entity.virtual_mtext_entity()) if entity.has_embedded_mtext_entity else text(entity)
    made.tag = str(entity.dxf.get("tag", ""))
    made.visible = not entity.dxf.get("flags", 0) & 1
    return made


def mtext(entity: Any) -> Shape:
    """An MTEXT; its place is where its first line begins."""
    dxf = entity.dxf
    place, size = dxf.insert, float(dxf.get("char_height", 0.0))
    direction = dxf.get("text_direction")
    angle = (
        math.degrees(math.atan2(direction.y, direction.x)) if direction is not None else float(dxf.get("rotation", 0.0))
    )
    return _lines(str(entity.plain_text()), place, size, angle, int(dxf.get("attachment_point", 1)))


def _lines(words: str, place: Any, size: float, angle: float, attachment: int) -> Shape:
    """Lines of text attached at their top left (1) … bottom right (9)."""
    words = "\n".join(line.rstrip() for line in words.split("\n")).strip("\n")
    across, down = (attachment - 1) % 3, (attachment - 1) // 3
    left, _, right, _ = text_box(0.0, 0.0, words, size)
    dx = -(right - left) * across / 2.0
    dy = -size + (size + _LINE * size * words.count("\n")) * down / 2.0
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    at = np.array([[place.x + dx * cos - dy * sin, place.y + dx * sin + dy * cos]])
    return Shape("", "", "", at, text=words, size=size, angle=angle, z=place.z)


def leader_text(entity: Any) -> Shape:
    """What a multileader says; one that says nothing is the line of its leader."""
    context = entity.context
    if context.mtext is not None and context.mtext.default_content:
        content = context.mtext
        angle = math.degrees(content.rotation) or math.degrees(
            math.atan2(content.text_direction.y, content.text_direction.x)
        )
        words = _plain(content.default_content)
        return _lines(words, content.insert, float(context.char_height), angle, int(content.alignment or 1))
    if entity.has_block_content:
        values = " ".join(value for value in entity.get_block_content().values() if value)
        if values and context.block is not None:
            return _lines(values, context.block.insert, float(context.char_height), 0.0, 1)
    for leader in context.leaders:
        for line in leader.lines:
            points = np.array([(one.x, one.y) for one in line.vertices]).reshape(-1, 2)
            if len(points):
                return Shape("", "", "", points)
    raise NotDrawn("MULTILEADER")


def _plain(words: str) -> str:
    from ezdxf.tools.text import plain_mtext

    return str(plain_mtext(words[:MOST_LETTERS]))


def dimension(entity: Any) -> Shape:
    """What a dimension measures between which points; the text in place of its value, if a person wrote one."""
    dxf, kind = entity.dxf, entity.dxf.get("dimtype", 0)
    special = entity.dxftype()
    said = str(dxf.get("text", "")).strip()
    words = "" if said in ("", "<>") else _plain(said).strip()
    line = dxf.get("defpoint")
    value: float | None
    if special == "ARC_DIMENSION":
        first, last, centre = dxf.defpoint2, dxf.defpoint3, dxf.defpoint4
        angle = math.atan2(last.y - centre.y, last.x - centre.x) - math.atan2(first.y - centre.y, first.x - centre.x)
        value = first.distance(centre) * (angle % (2.0 * math.pi))
    elif special == "LARGE_RADIAL_DIMENSION":
        first, last = line, dxf.chord_point
        value = first.distance(last)
    elif kind & 7 == 0:
        first, last = dxf.defpoint2, dxf.defpoint3
        angle = math.radians(float(dxf.get("angle", 0.0)))
        along = last - first
        value = abs(along.x * math.cos(angle) + along.y * math.sin(angle))
    elif kind & 7 == 1:
        first, last = dxf.defpoint2, dxf.defpoint3
        value = math.hypot(last.x - first.x, last.y - first.y)
    elif kind & 7 in (3, 4):
        first, last = line, dxf.defpoint4
        value = math.hypot(last.x - first.x, last.y - first.y)
    elif kind & 7 == 6:
        first, last = line, dxf.defpoint2
        turned = (last - first).rotate_deg(float(dxf.get("horizontal_direction", 0.0)))
        value = abs(turned.x if kind & 64 else turned.y)
    else:  # angles
        first, last, value = dxf.defpoint2, dxf.defpoint3, None
    points = np.array([[first.x, first.y], [last.x, last.y]])
    size = float(entity.get_dim_style().dxf.get("dimtxt", 0.0)) if entity.doc is not None else 0.0
    return Shape("", "", "", points, text=words, value=value, size=size, angle=float(dxf.get("angle", 0.0)), z=first.z)
