"""What the designer declares: the table of indicators, as one block of text, as texts in rows and columns, as
attributes of a block, or as keys (``PLOT_AREA_M2=195``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from plugins.review.model.drawing.types import Entity, Note

if TYPE_CHECKING:
    from plugins.review.model.reading.convention import Convention

RATIOS = ("density", "green_ratio")
_NUMBER = r"\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_AREA_UNITS = {
    "m2": 1.0, "平方米": 1.0, "平米": 1.0, "sqm": 1.0, "sq.m": 1.0, "sq m": 1.0,
    "万": 1e4, "万m2": 1e4, "万平方米": 1e4, "万平米": 1e4, "公顷": 1e4, "hm2": 1e4, "ha": 1e4, "亩": 10000 / 15,
    "km2": 1e6, "平方公里": 1e6, "ft2": 0.09290304, "sq.ft": 0.09290304, "sqft": 0.09290304, "sq ft": 0.09290304,
}  # fmt: skip
_LENGTH_UNITS = {"mm": 0.001, "cm": 0.01, "m": 1.0, "米": 1.0, "ft": 0.3048}
_OTHER_UNITS = {"%": 0.01, "‰": 0.001, "个": 1.0, "辆": 1.0, "户": 1.0, "套": 1.0, "泊位": 1.0, "车位": 1.0, "位": 1.0}
_UNITS = sorted({*_AREA_UNITS, *_LENGTH_UNITS, *_OTHER_UNITS}, key=lambda u: (-len(u), u))
_UNIT = "|".join(re.escape(unit) for unit in _UNITS)
_LIMIT = re.compile(r"^\s*(?:[<>≤≥≦≧]|不大于|不小于|不低于|不高于|不超过|小于|大于|MAX|MIN)", re.IGNORECASE)
_VALUE = re.compile(
    rf"^[\s=:约≈]*(?:1\s*:\s*)?(?P<number>{_NUMBER})[\s_]*(?P<unit>{_UNIT})?(?![A-Za-z0-9])", re.IGNORECASE
)
_BARE_UNIT = re.compile(rf"^\(?\s*(?P<unit>{_UNIT})\s*(?:/\s*\S+)?\)?$", re.IGNORECASE)
_ROW = 60  # how far to the right of its label a value may stand, in text heights
_BEFORE = re.compile(rf"(?:^|\s{{2,}}|[^\w\s]\s*|\d\s*(?:{_UNIT})?\s+)$", re.IGNORECASE)
_MTEXT_LINE = 5 / 3  # distance of the lines of a multi-line text, in text heights


@dataclass(slots=True)
class Declared:
    """Values by indicator key (areas m², heights m, ratios as fractions), the handle of each and how it is written."""

    values: dict[str, float] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)


@dataclass(slots=True)
class _Cell:
    """A line of text in the table's own axes: along the line, up across it (drawing units)."""

    text: str
    x: float
    y: float
    size: float
    handle: str
    key: str = ""
    unit: str = ""


class _Labels:
    """The labels of a convention, ready for searching."""

    def __init__(self, convention: Convention) -> None:
        self.key_of: dict[str, str] = {}
        for key in convention.keys_of("declared"):
            for wording in convention.words_of("declared", key):
                self.key_of.setdefault(_fold(wording), key)
        ordered = sorted(self.key_of, key=lambda w: (-len(w), w))
        # Blanks may stand between the letters of a label (用 地 面 积), a bracket with its unit behind it.
        either = "|".join(r"[\s_]*".join(re.escape(char) for char in wording) for wording in ordered)
        self.pattern = re.compile(
            rf"(?P<label>{either})(?![A-Za-z]|(?![为约共])[一-鿿])\s*"
            r"(?:[(\[](?P<note>[^)\]]{0,20})[)\]])?\s*(?P<rest>(?:[=:]|为|约|共|$|(?=[\s\d<>≤≥])))",
            re.IGNORECASE,
        )
        # Every label ends with one of these pairs of letters: most texts of a sheet are told apart by them.
        self.hint = re.compile("|".join(sorted({re.escape(wording[-2:]) for wording in ordered})))
        self.limit = tuple(_fold(word) for word in convention.words_of("columns", "limit"))
        self.value = tuple(_fold(word) for word in convention.words_of("columns", "value"))

    def find(self, text: str) -> list[re.Match[str]]:
        """Labels in a line: at its start, or behind a value or a separator (not at the end of a longer name)."""
        if not self.hint.search(_fold(text)):
            return []
        return [found for found in self.pattern.finditer(text) if _BEFORE.search(text[: found.start()])]

    def column(self, text: str) -> str:
        """``limit`` or ``value`` if a text heads such a column, else ""."""
        folded = _fold(re.sub(r"\([^)]*\)", "", text))
        return "limit" if folded in self.limit else "value" if folded in self.value else ""


def _fold(text: str) -> str:
    """Half width, upper case, without blanks and underscores."""
    return re.sub(r"[\s_]+", "", unicodedata.normalize("NFKC", text)).upper()


def _clean(text: str) -> str:
    """Half width, one kind of colon, numbering and lead-ins (``1.``, ``其中:``) taken off."""
    folded = unicodedata.normalize("NFKC", text).replace("∶", ":").replace("㎡", "m2").replace("—", "-")
    return re.sub(r"^\s*(?:[(]?[\d一二三四五六七八九十]{1,2}[).、]\s*|其中\s*[:,]?\s*)+(?=\D)", "", folded).strip()


def read_declared(texts: Sequence[Entity], elsewhere: Sequence[Entity], convention: Convention) -> Declared:
    """The declared values of a drawing.

    Args:
        texts: texts on the layers for it; elsewhere: all other texts, asked only where those say nothing, and believed
            only if they make a table (three indicators or more).
    """
    labels = _Labels(convention)
    found = _read(texts, labels)
    if not found.values:
        guess = _read(elsewhere, labels)
        if len(guess.values) >= 3:
            found = guess
            found.notes.append(("review.declared_elsewhere", {"count": len(guess.values)}))
    parts = [found.values[key] for key in ("parking_surface", "parking_basement") if key in found.values]
    if parts and "parking" not in found.values:
        found.values["parking"] = sum(parts)
        key = "parking_surface" if "parking_surface" in found.values else "parking_basement"
        found.handles["parking"], found.texts["parking"] = found.handles[key], found.texts[key]
    return found


def _read(texts: Sequence[Entity], labels: _Labels) -> Declared:
    found = Declared()
    cells = _cells(texts)
    tags = [
        _Cell(f"{one.tag}={one.text}", 0.0, 0.0, one.size, one.handle) for one in texts if one.tag and one.text.strip()
    ]
    alone: list[_Cell] = []
    for cell in [*tags, *cells]:
        for label in labels.find(cell.text):
            key = labels.key_of[_fold(label["label"])]
            rest = cell.text[label.end() :]
            unit = (label["note"] or "").strip()
            if not rest.strip():
                cell.key, cell.unit = key, unit
                alone.append(cell)
            elif not _LIMIT.match(rest):
                _take(found, key, rest, unit, cell.handle)
    if alone:
        heads = [(cell, kind) for cell in cells if (kind := labels.column(cell.text)) and not cell.key]
        for cell in alone:
            _beside(found, cell, cells, heads, labels)
    return found


def _cells(texts: Sequence[Entity]) -> list[_Cell]:
    """Lines of all texts in reading order: downwards, then along the lines, whatever the file's order and rotation."""
    made = []
    for entity in texts:
        if not entity.text or not len(entity.points) or entity.kind == "DIMENSION":
            continue
        turn = np.radians(entity.angle)
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        x, y = float(entity.points[0] @ along), float(entity.points[0] @ across)
        for number, line in enumerate(entity.text.split("\n")):
            for piece, text in enumerate(line.split("\t")):
                if text.strip():
                    step = 0.01 * piece * entity.size
                    made.append(
                        _Cell(
                            _clean(text), x + step, y - number * _MTEXT_LINE * entity.size, entity.size, entity.handle
                        )
                    )
    return sorted(made, key=lambda cell: (-round(cell.y, 3), round(cell.x, 3), cell.text))


def _beside(
    found: Declared, cell: _Cell, cells: Sequence[_Cell], heads: Sequence[tuple[_Cell, str]], labels: _Labels
) -> None:
    """The value of a label that stands alone: in its row to the right, else below it."""
    unit = cell.unit
    reach = 0.9 * cell.size
    row = [
        other
        for other in cells
        if abs(other.y - cell.y) <= reach and cell.x < other.x <= cell.x + _ROW * cell.size and other is not cell
    ]
    for other in sorted(row, key=lambda one: (one.x, -one.y)):
        if other.key or labels.column(other.text) == "value":
            break
        bare = _BARE_UNIT.match(other.text)
        if bare:
            unit = unit or bare["unit"]
        elif not _LIMIT.match(other.text) and _column(other, heads) != "limit":
            after = next((n for n in sorted(row, key=lambda one: one.x) if n.x > other.x), None)
            behind = _BARE_UNIT.match(after.text) if after is not None and not unit else None
            if _take(found, cell.key, other.text, unit or (behind["unit"] if behind else ""), other.handle):
                return
            if not re.match(r"^[\s\d.,:%/()-]*$", other.text):
                break
    below = [
        other
        for other in cells
        if 1.0 * cell.size <= cell.y - other.y <= 5 * cell.size and abs(other.x - cell.x) <= 3 * cell.size
    ]
    for other in sorted(below, key=lambda one: -one.y):
        if other.key:
            return
        if not _LIMIT.match(other.text) and _take(found, cell.key, other.text, unit, other.handle):
            return


def _column(cell: _Cell, heads: Sequence[tuple[_Cell, str]]) -> str:
    """What the nearest column head above a cell says: ``limit``, ``value`` or ""."""
    above = [(head, kind) for head, kind in heads if head.y > cell.y + 0.5 * cell.size]
    if not above:
        return ""
    head, kind = min(above, key=lambda one: (round(abs(one[0].x - cell.x) / max(cell.size, 1e-9)), one[0].y))
    return kind if abs(head.x - cell.x) <= 12 * cell.size else ""


def _take(found: Declared, key: str, text: str, unit: str, handle: str) -> bool:
    """Take a value in; False if the text holds none. The first in reading order counts, another one is said."""
    written = _VALUE.match(_half(text))
    value = read_value(key, text, unit)
    if written is None or value is None:
        return False
    shown = f"{written['number']}{written['unit'] or ''}"
    if key not in found.values:
        found.values[key], found.handles[key], found.texts[key] = value, handle, shown
    elif abs(value - found.values[key]) > 1e-9 + 1e-6 * abs(value):
        found.notes.append(("review.declared_twice", {"key": key, "first": found.texts[key], "second": shown}))
    return True


def _half(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("∶", ":")


def read_value(key: str, text: str, unit: str = "") -> float | None:
    """A value as it is written for an indicator: ``1:1.40``, ``30.5%``, ``9,600.00㎡``, ``0.96公顷``.

    Args:
        key: of the indicator; it decides which units make sense.
        unit: from the label (``（%）``) or a column of units, where the text has none of its own.
    """
    found = _VALUE.match(_half(text))
    if found is None:
        return None
    number = float(re.sub(r"[,，\s]", "", found["number"]))
    own = (found["unit"] or "").lower()
    named = own or _unit_in(unit)
    if key.endswith("_m2"):
        return number * _AREA_UNITS.get(named, 1.0)
    if key == "height_m":
        return number * _LENGTH_UNITS.get(named, 1.0)
    if key in RATIOS:
        # Above 1 only per cent make sense; below, a number without its own sign is a fraction even in a column of %.
        return number * 0.01 if own == "%" or number > 1 else number
    if key == "far":
        return number * 0.01 if named == "%" else number
    return number


def _unit_in(text: str) -> str:
    bare = _BARE_UNIT.match(unicodedata.normalize("NFKC", text).strip())
    return bare["unit"].lower() if bare else ""
