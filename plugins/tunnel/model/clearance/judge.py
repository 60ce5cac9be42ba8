"""Limits of a pair by its rules, and the verdict on what was measured."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner_app.domain.finding import Verdict
from planner_app.domain.rule import Rule
from plugins.tunnel.model.clearance.words import Profile

PIPES = frozenset({"water", "reclaimed", "drain", "gas", "heat"})
LINES = PIPES | {"power", "telecom", "industrial", "unknown"}
#: Worst first.
_ORDER = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE, Verdict.PASS)


@dataclass(frozen=True, slots=True)
class Limit:
    """Least distance (m): ``low`` where what is not known were favourable, else ``high``, with the rule of ``high``."""

    low: float
    high: float
    rule: Rule


@dataclass(frozen=True, slots=True)
class Check:
    """One distance against its limit. ``message`` is a code of the wording files."""

    direction: str
    verdict: Verdict
    message: str
    measured: float | None = None
    required: float | None = None
    rule: Rule | None = None
    borderline: bool = False

    @property
    def blocking(self) -> bool:
        """A fail of a rule that may block."""
        return self.verdict is Verdict.FAIL and self.rule is not None and self.rule.may_block


@dataclass(frozen=True, slots=True)
class Settings:
    """How distances are measured; see ``rules/clearance.toml``."""

    borderline_m: float = 0.05
    noise_m: float = 0.0005
    along_degrees: float = 15.0
    wall_m: float = 0.35
    fitting_m: float = 2.0

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> Settings:
        """Those of the rules; a city's own come after the national ones and win."""
        params: dict[str, Any] = {}
        for rule in rules:
            if rule.kind == "tunnel.clearance_settings":
                params |= rule.params
        return cls(**params)


@dataclass(slots=True)
class Limits:
    """Limits for pairs of profiles; each pair of profiles is looked up once."""

    rules: Sequence[Rule]
    settings: Settings
    collision: Rule | None = None
    _known: dict[tuple[str, Profile, Profile], Limit | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Sequence[Rule]) -> Limits:
        """Of the rules in force; where a city has rules of its own for a pair, they stand in place of the national."""
        mine = [rule for rule in rules if rule.kind == "tunnel.clearance"]
        collision = next((rule for rule in rules if rule.kind == "tunnel.clearance_collision"), None)
        return cls(mine, Settings.of(rules), collision)

    def limit(self, direction: str, a: Profile, b: Profile) -> Limit | None:
        """The limit in a direction; None where no rule speaks of the pair."""
        key = (direction, a, b)
        if key not in self._known:
            self._known[key] = self._find(direction, a, b)
        return self._known[key]

    def _find(self, direction: str, a: Profile, b: Profile) -> Limit | None:
        levels: dict[tuple[bool, int], list[tuple[float, bool, Rule]]] = {}
        for rule in self.rules:
            params = rule.params
            if params["direction"] != direction:
                continue
            for one, two in ((a, b), (b, a)):
                rank = _rank(params["a"], one.kind), _rank(params["b"], two.kind)
                if min(rank) < 0:
                    continue
                # Reclaimed pipes among themselves are no "reclaimed and (drinking) water".
                if one.kind == two.kind and rank[0] != rank[1] and {params["a"], params["b"]} <= LINES:
                    continue
                found = [(m, sure, rule) for m, sure in _cases(params["cases"], one, two)]
                if found:
                    levels.setdefault((bool(rule.city), sum(rank)), []).extend(found)
                if params["a"] == params["b"] and a == b:
                    break
        if not levels:
            return None
        best = levels[max(levels)]
        sure = [m for m, certain, _ in best if certain]
        high = max(best, key=lambda one: one[0])
        return Limit(max(sure) if sure else min(m for m, _, _ in best), high[0], high[2])

    def widest(self, profiles: Collection[Profile]) -> tuple[float, Rule] | None:
        """The largest distance in plan, m, that a rule may ask for between any of these, and that rule."""
        found = [
            (float(case["m"]), rule)
            for rule in self.rules
            if rule.params["direction"] == "horizontal"
            for case in rule.params["cases"]
            if case["m"] != "a_outer" and all(_any_fits(rule, case, side, profiles) for side in "ab")
        ]
        return max(found, key=lambda one: one[0], default=None)

    def check(self, direction: str, a: Profile, b: Profile, measured: float, *, sized: bool = True) -> Check:
        """Judge one distance (m; NaN: not known).

        Args:
            sized: False where a diameter is not known and was taken as 0, so that the distance is too long.
        """
        limit = self.limit(direction, a, b)
        if limit is None and math.isnan(measured):
            return Check(direction, Verdict.CANNOT_JUDGE, "tunnel.clearance_height_open")
        if limit is None:
            worked_on = "structure" in (a.kind, b.kind)
            verdict = Verdict.NEEDS_CERTIFICATE if worked_on else Verdict.CANNOT_JUDGE
            message = "tunnel.clearance_to_prove" if worked_on else "tunnel.clearance_no_rule"
            return Check(direction, verdict, message, measured)
        if math.isnan(measured):
            return Check(direction, Verdict.CANNOT_JUDGE, "tunnel.clearance_height", None, limit.high, limit.rule)
        settings = self.settings
        near = abs(measured - limit.high) <= settings.borderline_m
        if measured < limit.low - settings.noise_m:
            return Check(direction, Verdict.FAIL, "tunnel.clearance_fail", measured, limit.low, limit.rule, near)
        if measured < limit.high - settings.noise_m:
            verdict, message = Verdict.CANNOT_JUDGE, "tunnel.clearance_class"
        elif not sized:
            verdict, message = Verdict.CANNOT_JUDGE, "tunnel.clearance_size"
        else:
            verdict, message = Verdict.PASS, "tunnel.clearance_pass"
        return Check(direction, verdict, message, measured, limit.high, limit.rule, near)

    def hit(self, true: float) -> Check | None:
        """A fail if outer surfaces meet (``true`` in m, negative: within each other)."""
        if math.isnan(true) or true >= -self.settings.noise_m or self.collision is None:
            return None
        return Check("true", Verdict.FAIL, "tunnel.clearance_hit", true, 0.0, self.collision)


def worst(checks: Sequence[Check]) -> Check:
    """The check that decides: the worst verdict; of several fails one that blocks, else the one most short of its
    limit."""
    return min(
        checks,
        key=lambda one: (
            _ORDER.index(one.verdict),
            not one.blocking,
            one.direction != "true",
            (one.measured or 0.0) - (one.required or 0.0),
        ),
    )


def _rank(wanted: str, kind: str) -> int:
    """How closely a rule's word means a kind; −1: not at all."""
    if wanted == kind:
        return 4
    if wanted == "water" and kind == "reclaimed":
        return 3
    if wanted == "pipe" and kind in PIPES:
        return 2
    if wanted == "line" and kind in LINES:
        return 1
    return 0 if wanted == "any" else -1


def _cases(cases: Sequence[Mapping[str, Any]], a: Profile, b: Profile) -> list[tuple[float, bool]]:
    """Distances of the cases that fit or may fit, each with whether it surely does; the first sure one ends."""
    found: list[tuple[float, bool]] = []
    for case in cases:
        fits: bool | None = True
        for key, wanted in case.items():
            if key == "m":
                continue
            side, _, what = key.partition("_")
            one = _fits(what, wanted, a if side == "a" else b)
            fits = False if fits is False or one is False else None if fits is None or one is None else True
        if fits is False:
            continue
        m = (a.outer_m or math.nan) if case["m"] == "a_outer" else float(case["m"])
        found.append((m, fits is True and not found))
        if fits:
            break
    return found


def _any_fits(rule: Rule, case: Mapping[str, Any], side: str, profiles: Collection[Profile]) -> bool:
    wanted = {key[2:]: value for key, value in case.items() if key.startswith(f"{side}_")}
    return any(
        _rank(rule.params[side], one.kind) >= 0
        and not any(_fits(what, value, one) is False for what, value in wanted.items())
        for one in profiles
    )


def _fits(what: str, wanted: Any, one: Profile) -> bool | None:
    values = {"pressure": one.pressure, "laying": one.laying, "method": one.method}
    if what in values:
        value = values[what]
        return None if value is None else value in wanted
    measured = one.kv if what.startswith("kv") else one.dn
    if measured is None:
        return None
    answers: dict[str, bool] = {
        "dn_max": measured <= wanted,
        "dn_over": measured > wanted,
        "kv_under": measured < wanted,
        "kv_from": measured >= wanted,
    }
    return answers[what]
