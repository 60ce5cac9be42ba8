"""What a layer convention says of a layer, and which convention explains a drawing best."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from plugins.review.model.reading import layer_pattern
from plugins.review.model.reading.types import Role

#: What a drawing must have some of before a convention is taken for its own, and how much each tells.
_WEIGHTS = {
    Role.SITE: 4, Role.FOOTPRINT: 4, Role.FLOOR_AREA: 3, Role.GREEN: 2, Role.BUILD_TO: 2, Role.DECLARED: 2,
    Role.VEGETATION: 2, Role.HEIGHT: 1, Role.PARKING: 1, Role.ROAD_LINE: 1, Role.BASEMENT: 1, Role.CONTROL_POINT: 1,
    Role.ROAD: 1,
}  # fmt: skip
_TELLING = {Role.SITE, Role.FOOTPRINT, Role.FLOOR_AREA, Role.GREEN, Role.DECLARED}
_MOST_SEEN = 20_000
_KEPT_KINDS = {Role.GREEN, Role.VEGETATION}


@dataclass(frozen=True, slots=True)
class LayerRule:
    """Layers of one role. ``contains``: name of a word list of which the layer's name must have one.

    ``fallback``: counts only for a building (or a drawing) that has no other element of the role.
    """

    role: Role
    patterns: tuple[str, ...]
    kind: str = ""
    contains: str = ""
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class LayerMatch:
    """What a layer's name says of what stands on it; the fields are those of ``Element``."""

    role: Role
    building: str = ""
    floor: int | None = None
    floors: int = 1
    coefficient: float | None = None
    counts_far: bool | None = None
    kind: str = ""
    fallback: bool = False


@dataclass(frozen=True, eq=False)
class Convention:
    """A layer convention. What it does not say itself is that of the one it ``extends`` (``base``).

    Attributes:
        layers: rules in the order in which they are tried; aliases: layer name → role, tried first.
        words, kinds, texts, declared, columns: as in ``base.toml``.
        also: conventions whose layers are understood too, where its own rules know none (not looked at when the best
            match is sought); others: those.
        ground_floor: number of the ground floor in ``{level}``; building_name: how a building is called, ``BLK_{}``.
        own: kept in the project.
    """

    name: str
    extends: str = ""
    title: str = ""
    title_zh: str = ""
    layers: tuple[LayerRule, ...] = ()
    aliases: Mapping[str, Role] = field(default_factory=dict)
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    kinds: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ground_floor: int | None = None
    building_name: str = ""
    also: tuple[str, ...] = ()
    own: bool = False
    base: Convention | None = None
    others: tuple[Convention, ...] = ()

    def words_of(self, table: str, key: str) -> tuple[str, ...]:
        """Entries of a table (``words``, ``texts``, ``declared``, ``columns``), its own before the base's."""
        mine: tuple[str, ...] = getattr(self, table).get(key, ())
        return mine + self.base.words_of(table, key) if self.base else mine

    def keys_of(self, table: str) -> list[str]:
        """Keys of a table, its own before the base's."""
        mine = list(getattr(self, table))
        return mine + [key for key in self.base.keys_of(table) if key not in mine] if self.base else mine

    def kinds_of(self, role: str) -> dict[str, tuple[str, ...]]:
        """Kind → words of a role, in the order in which they are tried."""
        mine = dict(self.kinds.get(role, {}))
        return {**mine, **{k: v for k, v in self.base.kinds_of(role).items() if k not in mine}} if self.base else mine

    @functools.cached_property
    def _rules(self) -> list[tuple[LayerRule, str, re.Pattern[str]]]:
        words = {key: self.words_of("words", key) for key in self.keys_of("words")}
        own = [
            (rule, layer_pattern.literal_start(text), layer_pattern.compile_pattern(text, words))
            for rule in self.layers
            for text in rule.patterns
        ]
        return own + (self.base._rules if self.base else [])

    @functools.cached_property
    def _aliases(self) -> dict[str, Role]:
        inherited = self.base._aliases if self.base else {}
        return {**inherited, **{layer_pattern.normalise(name): role for name, role in self.aliases.items()}}

    @functools.cached_property
    def _tongue(self) -> tuple[int, str]:
        ground, named = self.base._tongue if self.base else (1, "{}")
        return (ground if self.ground_floor is None else self.ground_floor), self.building_name or named

    def match(self, layer: str) -> LayerMatch | None:
        """What the layer holds, or None if the convention does not know it."""
        if layer not in self._seen:
            if len(self._seen) > _MOST_SEEN:
                self._seen.clear()
            known = (one._match(layer) for one in (self, *self._others))
            self._seen[layer] = next((match for match in known if match), None)
        return self._seen[layer]

    @property
    def _others(self) -> tuple[Convention, ...]:
        return self.others + (self.base._others if self.base else ())

    @functools.cached_property
    def _seen(self) -> dict[str, LayerMatch | None]:
        return {}

    def _match(self, layer: str) -> LayerMatch | None:
        name = layer_pattern.normalise(layer)
        alias = self._aliases.get(name)
        if alias is not None:
            known = self._match_rules(name)
            return known if known and known.role == alias else LayerMatch(alias, kind=self.kind_of(alias, name))
        return self._match_rules(name)

    def _match_rules(self, name: str) -> LayerMatch | None:
        for rule, start, pattern in self._rules:
            if not name.startswith(start):
                continue
            if rule.contains and not any(word in name for word in self._words.get(rule.contains, ())):
                continue
            found = pattern.fullmatch(name)
            if found:
                return self._matched(rule, layer_pattern.parts_of(found), name)
        return None

    def _matched(self, rule: LayerRule, parts: dict[str, str], name: str) -> LayerMatch:
        floor, floors = layer_pattern.read_floors(parts["floor"]) if "floor" in parts else (None, 1)
        if "level" in parts:
            floor = self.floor_of(int(parts["level"]))
        rates = {"full": 1.0, "half": 0.5, "none": 0.0}
        rate = self._word(parts.get("coefficient", ""), tuple(rates))
        counts = self._word(parts.get("counts", ""), ("counts", "not_counts"))
        return LayerMatch(
            role=rule.role,
            building=self._tongue[1].format(parts["building"]) if parts.get("building") else "",
            floor=floor,
            floors=floors,
            coefficient=rates.get(rate),
            counts_far={"counts": True, "not_counts": False}.get(counts),
            kind=rule.kind or self.kind_of(rule.role, name if rule.role == Role.PARKING else parts.get("kind", "")),
            fallback=rule.fallback,
        )

    def floor_of(self, level: int) -> int:
        """The floor (1 is the ground floor, −1 the first below) of a level as the convention counts."""
        ground = self._tongue[0]
        return level + 1 - ground if level >= ground else level

    def kind_of(self, role: Role, text: str) -> str:
        """The kind a name speaks of; its own words (of green) or "" where it is none of the known ones."""
        for kind, words in self._kinds.get(role.value, ()):
            if text and any(word in text for word in words):
                return kind
        return text if role in _KEPT_KINDS else ""

    def _word(self, text: str, keys: Sequence[str]) -> str:
        return next((key for key in keys if text and text in self._words[key]), "")

    @functools.cached_property
    def _words(self) -> dict[str, frozenset[str]]:
        keys = self.keys_of("words")
        return {key: frozenset(map(layer_pattern.normalise_literal, self.words_of("words", key))) for key in keys}

    @functools.cached_property
    def _kinds(self) -> dict[str, list[tuple[str, list[str]]]]:
        roles = set(self.kinds) | (set(self.base._kinds) if self.base else set())
        return {
            role: [(k, [layer_pattern.normalise_literal(w) for w in words]) for k, words in self.kinds_of(role).items()]
            for role in roles
        }

    @functools.cached_property
    def patterns(self) -> dict[str, tuple[re.Pattern[str], ...]]:
        """The regular expressions on texts by name, compiled."""
        return {key: tuple(map(re.compile, self.words_of("texts", key))) for key in self.keys_of("texts")}

    def score(self, layers: Mapping[str, int]) -> float:
        """How well it explains a drawing's layers (name → entities): weight of the roles found, then of the layers."""
        matches = [match for match in map(self._match, layers) if match and match.role != Role.OTHER]
        roles = {match.role for match in matches}
        if not roles & _TELLING:
            return 0.0
        return sum(_WEIGHTS.get(role, 0) for role in roles) + len(matches) / (len(layers) + 1)


def best_convention(conventions: Mapping[str, Convention], layers: Mapping[str, int]) -> Convention | None:
    """The convention that explains a drawing's layers (name → visible entities) best; None if none knows any."""
    ranked = [(one.score(layers), one.own, one) for one in conventions.values()]
    ranked = [entry for entry in ranked if entry[0] > 0]
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None
