"""Dated floor-area rule sets and city rules as data (``plugins/review/rules/floor_area``, ``rules/cities``)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from planner_app.plugin_api.model import PlannerError, Project

RULES = Path(__file__).resolve().parents[2] / "rules"
#: Setting of a project that keeps its city's own sets: a JSON list of TOML texts.
SETTING = "review.rule_sets"
OUTLINES = ("wall", "projections", "share")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """How one kind of floor area counts; see the head of ``gbt50353_2013.toml``.

    Attributes:
        bands: (height in m below which it holds or None, coefficient), ascending; empty: ``coefficient`` holds.
    """

    kind: str
    by: str = ""
    bands: tuple[tuple[float | None, float], ...] = ()
    coefficient: float = 1.0
    inside: float | None = None
    enclosed: float | None = None
    clause: str = ""
    may_block: bool = False

    def at(self, height: float | None) -> float:
        """The coefficient at a height; without one, that of the highest band."""
        if not self.bands:
            return self.coefficient
        if height is None:
            return self.bands[-1][1]
        return next(value for below, value in self.bands if below is None or height < below)


@dataclass(frozen=True, slots=True)
class AreaRules:
    """A dated set of floor-area rules."""

    id: str
    title: str
    title_zh: str
    standard: str
    edition: str
    valid_from: date | None
    valid_to: date | None
    parts: Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class FarEntry:
    """What a floor area counts in the floor area ratio; see the head of ``cities/default.toml``."""

    multiplier: float
    where: str = "any"
    parts: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    storey_above: float | None = None
    storey_upto: float | None = None
    says: bool | None = None
    assumed: bool = False
    clause: str = ""
    may_block: bool = False

    @property
    def by_height(self) -> bool:
        """True if it asks for the storey height."""
        return self.storey_above is not None or self.storey_upto is not None

    def fits(self, *, below: bool, part: str, use: str, says: bool | None) -> bool:
        """True if it may speak of such a floor area, heights aside."""
        return (
            self.where in ("any", "below" if below else "above")
            and (not self.parts or part in self.parts)
            and (not self.uses or use in self.uses)
            and (self.says is None or self.says is says)
        )

    def holds_at(self, height: float | None) -> bool:
        """True if it holds at a storey height (m)."""
        if not self.by_height:
            return True
        if height is None:
            return False
        low, high = self.storey_above, self.storey_upto
        return (low is None or height > low) and (high is None or height <= high)


@dataclass(frozen=True, slots=True)
class CityRules:
    """A city's own decisions.

    Attributes:
        climate_zone: Ⅰ … Ⅶ of GB 50178, "" where not said; population: of the city, None where not said.
        green: coefficient by kind of green; a kind without one counts whole.
        outline: what of a building distances are measured from: wall | projections | share.
    """

    id: str
    name: str = ""
    title: str = ""
    title_zh: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    climate_zone: str = ""
    population: int | None = None
    far: tuple[FarEntry, ...] = ()
    green: Mapping[str, float] = field(default_factory=dict)
    outline: str = "wall"

    def green_coefficient(self, kind: str) -> float:
        """What a kind of green counts; the longest word of the table that stands in it decides."""
        hits = [word for word in self.green if word in kind]
        return self.green[max(hits, key=len)] if hits else 1.0


Dated = TypeVar("Dated", AreaRules, CityRules)


@dataclass(frozen=True, slots=True)
class RuleSets:
    """Every set there is."""

    area: tuple[AreaRules, ...]
    cities: tuple[CityRules, ...]

    def area_on(self, on: date) -> AreaRules | None:
        """The floor-area rules in force on a day, the newest if several are."""
        return _on(self.area, on)

    def city(self, name: str, on: date) -> CityRules | None:
        """A city's rules in force on a day, by its name or id; the default set for ""; None if it has none."""
        return _on([one for one in self.cities if name in ({one.name, one.id} if name else {one.name})], on)


def _on(sets: Iterable[Dated], on: date) -> Dated | None:
    there = [
        one
        for one in sets
        if (one.valid_from is None or one.valid_from <= on) and (one.valid_to is None or on <= one.valid_to)
    ]
    return max(there, key=lambda one: one.valid_from or date.min, default=None)


def parse_rule_set(text: str, where: str) -> AreaRules | CityRules:
    """Read one set: a ``[floor_area]`` or a ``[city]`` table with its entries.

    Raises:
        PlannerError: ``review.rule_set_broken`` naming the file and what is wrong.
    """
    try:
        data = tomllib.loads(text)
        return _area_rules(data) if "floor_area" in data else _city_rules(data)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        detail = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise PlannerError("review.rule_set_broken", file=where, detail=detail) from error


def _area_rules(data: Mapping[str, Any]) -> AreaRules:
    head = data["floor_area"]
    parts = {}
    for table in data["part"]:
        bands = tuple((band.get("below"), float(band["coefficient"])) for band in table.get("bands", []))
        if bands and (any(below is None for below, _ in bands[:-1]) or bands[-1][0] is not None):
            raise ValueError(f'{table["kind"]}: every band but the last needs "below"')
        known = {key: value for key, value in table.items() if key not in ("bands", "confidence", "evidence")}
        parts[table["kind"]] = Part(**known, bands=bands, may_block=_may_block(table))
    if "storey" not in parts:
        raise ValueError('a part "storey" is needed')
    return AreaRules(
        **{key: head[key] for key in ("id", "title", "title_zh", "standard", "edition")},
        valid_from=_day(head, "valid_from"), valid_to=_day(head, "valid_to"), parts=parts,
    )  # fmt: skip


def _city_rules(data: Mapping[str, Any]) -> CityRules:
    head = dict(data["city"])
    confirmed = bool(head.pop("confirmed", False))
    entries = []
    for table in data.get("far", []):
        known = {key: value for key, value in table.items() if key not in ("confidence", "evidence", "parts", "uses")}
        entry = FarEntry(
            **known, parts=tuple(table.get("parts", ())), uses=tuple(table.get("uses", ())),
            may_block=confirmed or _may_block(table),
        )  # fmt: skip
        if entry.where not in ("any", "above", "below"):
            raise ValueError(f"where: {entry.where}")
        entries.append(entry)
    outline = str(data.get("distances", {}).get("outline", "wall"))
    if outline not in OUTLINES:
        raise ValueError(f"outline: {outline} is none of {', '.join(OUTLINES)}")
    green = {str(kind): float(value) for kind, value in data.get("green", {}).items()}
    head["valid_from"], head["valid_to"] = _day(head, "valid_from"), _day(head, "valid_to")
    return CityRules(**head, far=tuple(entries), green=green, outline=outline)


def _day(table: Mapping[str, Any], key: str) -> date | None:
    value = table.get(key)
    if value is not None and not isinstance(value, date):
        raise ValueError(f"{key}: not a date: {value!r}")
    return value


def _may_block(table: Mapping[str, Any]) -> bool:
    return table.get("confidence") == "high" and table.get("evidence") in ("found", "computed")


def load_rule_sets(project: Project | None = None) -> RuleSets:
    """The shipped sets and those the project keeps; one of the project's replaces the shipped one of its id.

    Raises:
        PlannerError: ``review.rule_set_broken``.
    """
    found = list(_shipped())
    if project is not None:
        own = [parse_rule_set(text, project.path.name) for text in json.loads(project.setting(SETTING, "[]"))]
        found = [one for one in found if one.id not in {other.id for other in own}] + own
    return RuleSets(
        tuple(one for one in found if isinstance(one, AreaRules)),
        tuple(one for one in found if isinstance(one, CityRules)),
    )


@cache
def _shipped() -> tuple[AreaRules | CityRules, ...]:
    files = [*sorted((RULES / "floor_area").glob("*.toml")), *sorted((RULES / "cities").glob("*.toml"))]
    return tuple(parse_rule_set(file.read_text(encoding="utf-8"), file.name) for file in files)


def keep_rule_set(project: Project, text: str) -> AreaRules | CityRules:
    """Keep a city's set in the project, in place of the one of its id. Returns what was read.

    Raises:
        PlannerError: ``review.rule_set_broken``.
    """
    made = parse_rule_set(text, project.path.name)
    kept = [one for one in json.loads(project.setting(SETTING, "[]")) if parse_rule_set(one, "").id != made.id]
    project.set_setting(SETTING, json.dumps([*kept, text], ensure_ascii=False))
    return made


@cache
def words(name: str) -> Mapping[str, Any]:
    """A table of words (``rules/words/<name>.toml``)."""
    return tomllib.loads((RULES / "words" / f"{name}.toml").read_text(encoding="utf-8"))


def first_word(texts: Iterable[str], table: Mapping[str, T], of: Callable[[T], Iterable[str]]) -> str:
    """The first key of a table one of whose words stands in one of the texts (case aside), "" if none does."""
    folded = " ".join(texts).casefold()
    return next((key for key, value in table.items() if any(word.casefold() in folded for word in of(value))), "")
