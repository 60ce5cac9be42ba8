"""What a replay says: a timeline, zones, equipment, ways out, and everything that was assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner_app.domain.rule import Rule

Note = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens ``t`` seconds after the beginning. ``code``: of the wording files; ``spaces``: ids of the
    compartments it happens in; ``level``: info | warning | danger."""

    t: float
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    spaces: tuple[str, ...] = ()
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Zone:
    """A compartment concerned. ``state``: source | adjoining | gas | flooded | dark; ``since``: seconds from the
    beginning; ``figures``: numbers about it by name (SI units in the names)."""

    id: str
    state: str
    since: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Device:
    """A piece of equipment and what it does: stop | start | close | open | dead. ``known``: from the project's tables;
    else only that the compartment must have it is known."""

    id: str
    kind: str
    zone: str
    action: str
    t: float = 0.0
    known: bool = True
    xy: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class WayOut:
    """The shortest way from the middle of a compartment to an exit; ``exit`` is empty where there is none.

    Attributes:
        rooms: compartments it leads through. path: places in the project's CRS. length: m; seconds: walking.
    """

    zone: str
    exit: str
    kind: str
    m: float
    rooms: tuple[str, ...]
    path: tuple[tuple[float, float], ...]
    length: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Scene:
    """The whole answer.

    Attributes:
        closed: compartments nobody may pass; duration: seconds followed.
        curve: (s, value) of a leak: share of gas in the compartment; of a flood: m of water where it is deepest.
    """

    kind: str
    at: str
    timeline: Sequence[Event]
    zones: Sequence[Zone]
    equipment: Sequence[Device]
    exits: Sequence[WayOut]
    assumptions: Sequence[Note]
    values: Sequence[Rule]
    notes: Sequence[Note]
    closed: tuple[str, ...] = ()
    duration: float = 0.0
    curve: Sequence[tuple[float, float]] = ()


class Values:
    """The values that replays work with; remembers which were used, so that the result can list them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        # A city's own come after the national ones and win.
        mine = sorted((one for one in rules if one.kind == "tunnel.emergency_value"), key=lambda one: bool(one.city))
        self._rules = {one.id.partition(".")[2]: one for one in mine}
        self.used: dict[str, Rule] = {}
        self.assumed: list[Note] = []

    def __call__(self, name: str) -> float:
        """A value by its rule's id behind the dot."""
        rule = self.used[name] = self._rules[name]
        return float(rule.params["value"])

    def assume(self, code: str, **params: Any) -> None:
        """Put down something that is not known and was taken."""
        if (code, params) not in self.assumed:
            self.assumed.append((code, params))
