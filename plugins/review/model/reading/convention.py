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
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from planner_app.domain.errors import PlannerError
from plugins.review.model.reading import layer_pattern
from plugins.review.model.reading.matching import Convention, LayerMatch, LayerRule, best_convention
from plugins.review.model.reading.types import Role

__all__ = [
    "Convention", "LayerMatch", "LayerRule", "best_convention", "convention_text", "delete_convention",
    "load_conventions", "parse_convention", "save_convention", "with_alias",
]  # fmt: skip

CONVENTIONS = Path(__file__).resolve().parent.parent.parent / "conventions"
_SETTING = "review.convention."
_NAMES = "review.conventions"


class Settings(Protocol):
    """Named texts kept in the project file."""

    def setting(self, key: str, default: str = "") -> str: ...
    def set_setting(self, key: str, value: str) -> None: ...


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
        bare = (*texts.get("not_height", ()), *texts.get("height_dimension", ()))
        if "value" not in re.compile(pattern).groupindex and pattern not in bare:
            raise ValueError(f"(?P<value>…): {pattern}")
    return Convention(
        name=str(head.get("name", "")) or Path(where).stem,
        extends=str(head.get("extends", "")),
        title=str(head.get("title", "")),
        title_zh=str(head.get("title_zh", "")),
        building_name=str(head.get("building_name", "")),
        also=tuple(map(str, head.get("also", ()))),
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
    if convention.also:
        lines.append(f"also = {_list(convention.also)}")
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
        seen = (*waiting, name)
        others = [link(other, seen) if other in read and other not in seen else known.get(other) for other in one.also]
        done[name] = replace(one, base=base, extends=above, others=tuple(other for other in others if other))
        return done[name]

    for name in read:
        link(name, ())
    return done


def load_conventions(project: Settings | None) -> dict[str, Convention]:
    """Conventions by name: the shipped ones, and the project's own on top of them.

    Raises:
        PlannerError: ``review.convention_broken``: one of the project's own cannot be read.
    """
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
