"""Gross and FAR-counting floor area: Σ outline × coefficient × floors (× the city's multiplier).

What the drawing's layers say of an outline (全 / 半 / 不计, 计容 / 不计容) holds unless the rules of the permit's date
can tell better: from a storey height, or from a part that they name (an unsupported canopy). The floor-area rule sets
and the cities' are data (:mod:`~plugins.review.model.indicators.rule_sets`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.names import name_key
from plugins.review.model.indicators.rule_sets import AreaRules, CityRules, FarEntry, Part, first_word, words
from plugins.review.model.reading.types import Element

#: Outlines of one floor that share more than this (m²) would count twice there.
OVERLAP_M2 = 0.05
_UNNUMBERED = re.compile(r"夹层\d*|机房|屋面|屋顶|设备层\d*|(?<![A-Z])(?:RF|JF)\d*(?![A-Z])")


@dataclass(frozen=True, slots=True)
class FloorArea:
    """One outline as counted.

    Attributes:
        area: m² of all its floors, what other outlines of the floor already cover left out; negative for a deduction.
        part: kind of floor area (``rules/words/parts.toml``); below: under the ground.
        coefficient, multiplier: gross = area × coefficient, FAR-counting = gross × multiplier.
        sure: the drawing, or rules that may block, decide both.
        height_missing: a storey height, not known, could make it count more in the FAR.
    """

    element: Element
    area: float
    part: str
    below: bool
    coefficient: float
    multiplier: float
    sure: bool
    far_sure: bool
    height_missing: bool = False

    @property
    def gross(self) -> float:
        """m² of gross floor area."""
        return self.area * self.coefficient

    @property
    def far_counting(self) -> float:
        """m² that count in the floor area ratio."""
        return self.gross * self.multiplier


@dataclass(frozen=True, slots=True)
class FloorAreas:
    """Every outline of a drawing as counted, and what was assumed."""

    counted: tuple[FloorArea, ...]
    notes: tuple[Note, ...]

    def by_building(self) -> Mapping[str, list[FloorArea]]:
        """Outlines by the key of their building's name."""
        found: dict[str, list[FloorArea]] = defaultdict(list)
        for one in self.counted:
            found[name_key(one.element.building)].append(one)
        return found


def count_floors(
    elements: Sequence[Element], rules: AreaRules | None, city: CityRules, uses: Mapping[str, str]
) -> FloorAreas:
    """Count floor areas.

    Args:
        elements: of role FLOOR_AREA.
        rules: in force on the permit's day; None: only what the drawing says holds.
        uses: use by key of a building's name.
    """
    groups: dict[tuple[Any, ...], list[Element]] = defaultdict(list)
    for element in elements:
        groups[name_key(element.building), element.floor, element.floors, _storey_named(element)].append(element)
    counted: list[FloorArea] = []
    tally: Counter[tuple[str, tuple[tuple[str, Any], ...]]] = Counter()
    for group in groups.values():
        for element, own, inside in _own_areas(group, tally):
            counted.append(_count(element, own, inside, rules, city, uses, tally))
    notes = [(code, dict(params) | {"count": count}) for (code, params), count in tally.items()]
    return FloorAreas(tuple(counted), tuple(notes))


def part_of(element: Element) -> str:
    """Which kind of floor area an outline is; ``storey`` if nothing says otherwise."""
    found = first_word((element.kind, element.layer, element.text), words("parts")["parts"], lambda value: value)
    return found or "storey"


def height_of(element: Element, by: str = "storey_height") -> float | None:
    """The storey's height (or ``clear_height``) in m that the drawing states with the outline."""
    if by == "storey_height" and element.value is not None:
        return element.value
    names = "|".join(re.escape(word) for word in words("parts")["heights"][by])
    hit = re.search(rf"(?:{names})\s*[=:：≈]?\s*(\d+(?:\.\d+)?)", f"{element.text} {element.layer}", re.IGNORECASE)
    return float(hit[1]) if hit else None


def is_below(element: Element) -> bool:
    """True for a floor under the ground."""
    if element.floor is not None:
        return element.floor < 0
    return "地下" in f"{element.building} {element.layer}" or "basement" in element.layer.casefold()


def _storey_named(element: Element) -> str:
    """The name of a storey without a number (夹层, 机房, 屋面), which lies over others without being one of them."""
    if element.floor is not None:
        return ""
    found = _UNNUMBERED.search(element.layer.upper())
    return found[0] if found else ""


def _floor(element: Element) -> str:
    return "?" if element.floor is None else str(element.floor)


def _own_areas(group: Iterable[Element], tally: Counter[Any]) -> list[tuple[Element, float, bool]]:
    """(outline, m² of it that no other outline of the floor covers, whether it lies within them), whole floors first.

    Deductions come last, negative, as far as they lie on the floor; one drawn elsewhere counts whole.
    """
    ordered = sorted(group, key=lambda one: (one.kind == "deduct", part_of(one) != "storey", -one.geometry.area))
    shapes: Any = np.array([one.geometry for one in ordered], dtype=object)
    tree = shapely.STRtree(shapes)
    found = []
    for i, element in enumerate(ordered):
        shape = element.geometry
        before = [j for j in tree.query(shape, predicate="intersects") if j < i and ordered[j].kind != "deduct"]
        shared = float(shapely.area(shapely.intersection(shape, shapely.union_all(shapes[before])))) if before else 0.0
        inside = shared > 0.5 * shape.area
        if element.kind == "deduct":
            found.append((element, -(shared if inside else float(shape.area)), inside))
            continue
        if shared > OVERLAP_M2:
            tally["review.floor_overlap", (("building", element.building), ("floor", _floor(element)))] += 1
        else:
            shared = 0.0
        found.append((element, float(shape.area) - shared, inside))
    return found


def _count(
    element: Element,
    own: float,
    inside: bool,
    rules: AreaRules | None,
    city: CityRules,
    uses: Mapping[str, str],
    tally: Counter[Any],
) -> FloorArea:
    part, below = part_of(element), is_below(element)
    height = height_of(element)
    rule = rules.parts.get(part, rules.parts["storey"]) if rules else None
    said = element.coefficient
    ruled, certain = _ruled(element, rule, inside)
    if ruled is None or (said is not None and not certain):
        coefficient = 1.0 if said is None else said
        sure = said is not None or part == "storey"
        if said is None:
            tally["review.coefficient_assumed", (("coefficient", coefficient),)] += 1
    else:
        coefficient = ruled
        # A whole floor counts whole unless something speaks against it: that is what floor area means.
        whole = said is None and part == "storey" and ruled == 1.0
        sure = said == ruled or whole or (certain and rule is not None and rule.may_block)
        if said is not None and said != ruled and rule and rules:
            params = (("building", element.building), ("floor", _floor(element)), ("said", said), ("ruled", ruled))
            tally["review.coefficient_differs", (*params, ("clause", f"{rules.standard} {rule.clause}"))] += 1
        elif said is None and not certain and element.kind != "deduct":
            tally["review.coefficient_assumed", (("coefficient", coefficient),)] += 1
    entry, missing = _far_entry(city, element, below, part, uses.get(name_key(element.building), ""), height)
    if entry is None or entry.assumed:
        tally["review.far_assumed" if entry is None or entry.multiplier else "review.far_assumed_not", ()] += 1
    if missing:
        tally["review.far_height_missing", ()] += 1
    return FloorArea(
        element, own * element.floors, part, below, coefficient, 1.0 if entry is None else entry.multiplier, sure,
        sure and (entry is None or entry.may_block or entry.assumed), missing,
    )  # fmt: skip


def _ruled(element: Element, rule: Part | None, inside: bool) -> tuple[float | None, bool]:
    """(coefficient by the rules, whether they can be certain of it)."""
    if rule is None or element.kind == "deduct":
        return None, False
    if rule.bands:
        height = height_of(element, rule.by)
        return rule.at(height), height is not None
    if rule.inside is not None and inside:
        return rule.inside, True
    if rule.enclosed is not None:
        text = f"{element.kind} {element.layer} {element.text}".casefold()
        closed = any(word in text for word in words("parts")["states"]["enclosed"])
        return (rule.enclosed, True) if closed else (rule.coefficient, False)
    return rule.coefficient, rule.inside is None


def _far_entry(
    city: CityRules, element: Element, below: bool, part: str, use: str, height: float | None
) -> tuple[FarEntry | None, bool]:
    """(the city's entry that holds, whether one that counts more could hold if the storey height were known)."""
    waiting: list[FarEntry] = []
    for entry in city.far:
        if not entry.fits(below=below, part=part, use=use, says=element.counts_far):
            continue
        if entry.holds_at(height):
            return entry, any(one.multiplier > entry.multiplier for one in waiting)
        if height is None:
            waiting.append(entry)
    return None, bool(waiting)
