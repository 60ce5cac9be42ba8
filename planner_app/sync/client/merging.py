"""Three versions of a record made one, cell by cell. Pure: values as SQLite stores them, geometries as blobs or WKB."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from planner_app.domain.land_classes import RESOURCES
from planner_app.project.geometry import to_wkb

_GROUPS: Final = RESOURCES / "sync" / "groups.toml"


@dataclass(frozen=True, slots=True)
class Clash:
    """A cell that both sides changed, or that belongs to a group in which both changed something."""

    column: str
    base: Any
    mine: Any
    theirs: Any
    bundle: int = 0


@dataclass(slots=True)
class Merged:
    """What becomes of a record.

    Attributes:
        take: cells to be written as the server has them.
        settle: cells that both changed to the same value: nothing is left to send.
        keep: cells that stay as they are here and are sent.
        clashes: what a person has to choose; their cells are in ``take``.
    """

    take: dict[str, Any] = field(default_factory=dict)
    settle: list[str] = field(default_factory=list)
    keep: dict[str, Any] = field(default_factory=dict)
    clashes: list[Clash] = field(default_factory=list)


def same(a: Any, b: Any) -> bool:
    """Are two cells equal? 1 and 1.0 are (SQLite stores them alike), 1 and "1" are not."""
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or (a != a and b != b)
    return type(a) is type(b) and a == b


def merge(
    base: Mapping[str, Any],
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    bundles: Sequence[frozenset[str]] = (),
    *,
    known: bool = True,
) -> Merged:
    """Merge what was edited here with what changed there since.

    Args:
        base: the cells edited here as the server last had them.
        mine: cells as they are here: those of ``base``, of ``theirs`` and of their bundles.
        theirs: the cells that changed there, as they are now.
        bundles: columns that only make sense together; a change on both sides clashes for all that changed.
        known: False if both sides made the record, so that there is no base: an empty cell yields to a filled one.
    """
    merged = Merged()
    edited = dict(base) if known else {name: None for name, value in mine.items() if value is not None}
    changed = {name: value for name, value in theirs.items() if not same(value, edited.get(name, mine.get(name)))}
    bundle_of = _clashing(edited, mine, changed, bundles)
    for name in bundle_of:  # the rest of a bundle stays as the server has it
        changed.setdefault(name, edited.get(name, mine.get(name)))
    for name, value in changed.items():
        if name not in edited and name not in bundle_of:
            merged.take[name] = value
        elif same(value, mine.get(name)) and name in edited:
            merged.settle.append(name)
        else:
            merged.take[name] = value
            was = edited.get(name, mine.get(name)) if known else None
            merged.clashes.append(Clash(name, was, mine.get(name), value, bundle_of.get(name, 0)))
    decided = {*merged.take, *merged.settle}
    merged.keep |= {name: mine[name] for name in edited if name in mine and name not in decided}
    return merged


def _clashing(
    edited: Mapping[str, Any], mine: Mapping[str, Any], changed: Mapping[str, Any], bundles: Sequence[frozenset[str]]
) -> dict[str, int]:
    """Columns that clash for their bundle's sake, with the bundle's number."""
    found: dict[str, int] = {}
    for number, bundle in enumerate(bundles, 1):
        here = {name for name in bundle if name in edited and not same(mine.get(name), edited[name])}
        there = bundle & changed.keys()
        if (
            here
            and there
            and any(not same(mine.get(name), changed.get(name, edited.get(name))) for name in here | there)
        ):
            found |= dict.fromkeys(here | there, number)
    return found


@cache
def _named_bundles() -> tuple[frozenset[str], ...]:
    groups = tomllib.loads(_GROUPS.read_text(encoding="utf-8"))
    return tuple(frozenset(name.casefold() for name in group["fields"]) for group in groups.values())


def bundles_of(columns: Iterable[str]) -> tuple[frozenset[str], ...]:
    """The bundles that a layer's columns form, by the names in ``resources/sync/groups.toml``."""
    folded = {name.casefold(): name for name in columns}
    found = (frozenset(folded[name] for name in names & folded.keys()) for names in _named_bundles())
    return tuple(bundle for bundle in found if len(bundle) > 1)


def shown(column: str, value: Any) -> Any:
    """A cell as people and other programs read it: geometries as WKB."""
    return to_wkb(value) if column == "geom" and isinstance(value, bytes) else value
