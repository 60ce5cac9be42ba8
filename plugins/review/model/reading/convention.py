"""Layer conventions: which layers of a drawing hold what, and how its texts are worded. Data, edited per project.

Shipped ones are ``plugins/review/conventions/*.toml`` (``bureau.toml`` explains the format). A project keeps its own in
the settings ``review.convention.NAME`` (TOML text) with the names in ``review.conventions``; one of a shipped name
stands on top of the shipped one.
"""

from __future__ import annotations

import functools
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from planner_app.domain.errors import PlannerError
from plugins.review.model.reading import layer_pattern
from plugins.review.model.reading.types import Role

CONVENTIONS = Path(__file__).resolve().parent.parent.parent / "conventions"
_SETTING = "review.convention."
_NAMES = "review.conventions"
#: What a drawing must have some of before a convention is taken for its own, and how much each tells.
_WEIGHTS = {
    Role.SITE: 4, Role.FOOTPRINT: 4, Role.FLOOR_AREA: 3, Role.GREEN: 2, Role.BUILD_TO: 2, Role.DECLARED: 2,
    Role.VEGETATION: 2, Role.HEIGHT: 1, Role.PARKING: 1, Role.ROAD_LINE: 1, Role.BASEMENT: 1, Role.CONTROL_POINT: 1,
    Role.ROAD: 1,
}  # fmt: skip
_TELLING = {Role.SITE, Role.FOOTPRINT, Role.FLOOR_AREA, Role.GREEN, Role.DECLARED}
_MOST_SEEN = 20_000
_KEPT_KINDS = {Role.GREEN, Role.VEGETATION}


class Settings(Protocol):
    """Named texts kept in the project file."""

    def setting(self, key: str, default: str = "") -> str: ...
    def set_setting(self, key: str, value: str) -> None: ...


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
    own: bool = False
    base: Convention | None = None

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
            self._seen[layer] = self._match(layer)
        return self._seen[layer]

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
        matches = [match for match in map(self.match, layers) if match and match.role != Role.OTHER]
        roles = {match.role for match in matches}
        if not roles & _TELLING:
            return 0.0
        return sum(_WEIGHTS.get(role, 0) for role in roles) + len(matches) / (len(layers) + 1)


def best_convention(conventions: Mapping[str, Convention], layers: Mapping[str, int]) -> Convention | None:
    """The convention that explains a drawing's layers (name → visible entities) best; None if none knows any."""
    ranked = [(one.score(layers), one.own, one) for one in conventions.values()]
    ranked = [entry for entry in ranked if entry[0] > 0]
    return max(ranked, key=lambda entry: entry[:2])[2] if ranked else None


def parse_convention(text: str, where: str) -> Convention:
    """Read a convention from TOML text; ``where`` names it in errors. What it extends is not looked up.

    Raises:
        PlannerError: ``review.convention_broken`` naming what is wrong.
    """
    try:
        return _parse(tomllib.loads(text), where)
    except (tomllib.TOMLDecodeError, ValueError, KeyError, TypeError, AttributeError, re.error) as error:
        raise PlannerError("review.convention_broken", file=where, detail=str(error)) from error


def _parse(data: dict[str, Any], where: str) -> Convention:
    head: dict[str, Any] = data.get("convention", {})
    unknown = set(data) - {"convention", "layer", "aliases", "words", "kinds", "texts", "declared", "columns"}
    if unknown:
        raise ValueError(", ".join(sorted(unknown)))
    rules = []
    for line in data.get("layer", []):
        role, patterns = Role(line.pop("role")), tuple(map(str, line.pop("patterns")))
        for pattern in patterns:
            layer_pattern.compile_pattern(pattern, {})
        rules.append(LayerRule(role, patterns, **line))
    texts = _strings(data.get("texts", {}))
    for pattern in (one for many in texts.values() for one in many):
        if "value" not in re.compile(pattern).groupindex and pattern not in texts.get("not_height", ()):
            raise ValueError(f"(?P<value>…): {pattern}")
    return Convention(
        name=str(head.get("name", "")) or Path(where).stem,
        extends=str(head.get("extends", "")),
        title=str(head.get("title", "")),
        title_zh=str(head.get("title_zh", "")),
        building_name=str(head.get("building_name", "")),
        layers=tuple(rules),
        aliases={str(name): Role(role) for name, role in data.get("aliases", {}).items()},
        words=_strings(data.get("words", {})),
        kinds={str(role): _strings(kinds) for role, kinds in data.get("kinds", {}).items()},
        texts=texts,
        declared=_strings(data.get("declared", {})),
        columns=_strings(data.get("columns", {})),
        ground_floor=int(head["ground_floor"]) if "ground_floor" in head else None,
    )


def _strings(table: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    for key, words in table.items():
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError(f"{key} = {words!r}")
    return {str(key): tuple(words) for key, words in table.items()}


def convention_text(convention: Convention) -> str:
    """The convention's own part as TOML that :func:`parse_convention` reads back."""
    lines = ["[convention]"]
    for key in ("name", "extends", "title", "title_zh", "building_name"):
        if getattr(convention, key):
            lines.append(f"{key} = {_quoted(getattr(convention, key))}")
    if convention.ground_floor is not None:
        lines.append(f"ground_floor = {convention.ground_floor}")
    for rule in convention.layers:
        lines += ["", "[[layer]]", f"role = {_quoted(rule.role.value)}", f"patterns = {_list(rule.patterns)}"]
        lines += [f"{key} = {_quoted(getattr(rule, key))}" for key in ("kind", "contains") if getattr(rule, key)]
        lines += ["fallback = true"] if rule.fallback else []
    tables: dict[str, Mapping[str, tuple[str, ...]]] = {
        "words": convention.words, "texts": convention.texts, "declared": convention.declared,
        "columns": convention.columns, **{f"kinds.{role}": kinds for role, kinds in convention.kinds.items()},
    }  # fmt: skip
    if convention.aliases:
        lines += ["", "[aliases]", *(f"{_quoted(k)} = {_quoted(role.value)}" for k, role in convention.aliases.items())]
    for title, table in tables.items():
        if table:
            lines += ["", f"[{title}]", *(f"{_quoted(key)} = {_list(words)}" for key, words in table.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML basic string


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, texts)) + "]"


@functools.cache
def _shipped() -> dict[str, Convention]:
    read = {
        path.stem: parse_convention(path.read_text("utf-8"), path.name) for path in sorted(CONVENTIONS.glob("*.toml"))
    }
    return _linked(read, {})


def _linked(read: Mapping[str, Convention], known: Mapping[str, Convention]) -> dict[str, Convention]:
    """The conventions with their bases in place; a base may be among ``read`` or already ``known``."""
    from dataclasses import replace

    done: dict[str, Convention] = dict(known)

    def link(name: str, waiting: tuple[str, ...]) -> Convention:
        one = read[name]
        above = one.extends or ("base" if name != "base" else "")
        if above in waiting:
            raise PlannerError("review.convention_broken", file=name, detail=f"extends = {above!r}")
        if above in read and above != name:
            base: Convention | None = link(above, (*waiting, name))
        else:
            base = known.get(above)
            if base is None and above:
                raise PlannerError("review.convention_broken", file=name, detail=f"extends = {above!r}")
        done[name] = replace(one, base=base, extends=above)
        return done[name]

    for name in read:
        link(name, ())
    return done


def load_conventions(project: Settings | None) -> dict[str, Convention]:
    """Conventions by name: the shipped ones, and the project's own on top of them.

    Raises:
        PlannerError: ``review.convention_broken``: one of the project's own cannot be read.
    """
    from dataclasses import replace

    shipped = dict(_shipped())
    names: list[str] = json.loads(project.setting(_NAMES, "[]")) if project else []
    own = {
        name: replace(parse_convention(project.setting(_SETTING + name), name), own=True) for name in names if project
    }
    found = _linked(own, shipped) if own else shipped
    return {name: one for name, one in found.items() if name != "base"}


def save_convention(project: Settings, convention: Convention) -> None:
    """Keep a convention in the project under its name, on top of a shipped one of that name if there is one.

    Raises:
        PlannerError: ``review.convention_broken``: it could not be read back.
    """
    text = convention_text(convention)
    parse_convention(text, convention.name)
    names: list[str] = json.loads(project.setting(_NAMES, "[]"))
    project.set_setting(_SETTING + convention.name, text)
    if convention.name not in names:
        project.set_setting(_NAMES, json.dumps([*names, convention.name], ensure_ascii=False))


def delete_convention(project: Settings, name: str) -> None:
    """Forget the project's own convention of that name; a shipped one of that name shows again."""
    names: list[str] = json.loads(project.setting(_NAMES, "[]"))
    project.set_setting(_SETTING + name, "")
    project.set_setting(_NAMES, json.dumps([other for other in names if other != name], ensure_ascii=False))


def with_alias(convention: Convention, layer: str, role: Role | None) -> Convention:
    """The project's edit of a convention by one alias (None takes it away); a shipped one gets an own on top."""
    from dataclasses import replace

    mine = convention if convention.own else Convention(
        convention.name, extends=convention.name, title=convention.title, title_zh=convention.title_zh,
        base=convention, own=True,
    )  # fmt: skip
    kept = {
        name: one
        for name, one in mine.aliases.items()
        if layer_pattern.normalise(name) != layer_pattern.normalise(layer)
    }
    return replace(mine, aliases=kept if role is None else {**kept, layer: role})
