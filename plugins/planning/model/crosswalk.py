"""Crosswalk between class standards: what a plan's class value means in the 2023 classification guide.

A code needs its standard as namespace: 0702 is 城镇社区服务设施用地 in the 2023 guide and 农村宅基地 in 三调.
Tables are data (``resources/crosswalks/*.toml``); a project keeps its own mapping table in the setting
``planning.mapping``, which goes before them. A value that nothing explains is *unmapped*: it is listed and never
counts as equal to another value.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import planner_app
from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import ClassStandard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CROSSWALKS = Path(planner_app.__file__).resolve().parent.parent / "resources" / "crosswalks"
MAPPING_SETTING = "planning.mapping"

#: How a code of each standard is written. Prefix fallback applies to values of this form only, so that a word such as
#: "Road" never becomes class R.
_CODE = {
    "mnr2023": re.compile(r"\d{2,8}[A-Z]?"),
    "gb50137": re.compile(r"[ABEGHMRSUW]\d{0,3}[A-Z]?"),
    "dltb": re.compile(r"\d{2,4}(?:[A-Z]\d?)?K?"),
}
_MIXED = re.compile(r"[/+、,，;；&]")
_CHINESE = re.compile(r"[一-鿿（(]")
#: Field names that 三调 databases use for class code and class name.
_DLTB_FIELDS = ("DLBM", "DLMC", "GHDLBM")

SAME, RELATED, DIFFERENT, UNKNOWN = range(4)
"""How two classes relate after the crosswalk: equal, a difference of classification only, different, not comparable."""


@dataclass(frozen=True, slots=True)
class Standard:
    """One code list. ``classes``: code → {zh, en, to, approximate, confidence}; ``groups``: group → code prefixes."""

    id: str
    title: str
    title_zh: str
    edition: str
    classes: Mapping[str, Mapping[str, Any]]
    groups: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class LandClass:
    """A class value and what it means.

    Attributes:
        raw: the value as the layer has it; None where it has none.
        standard: its namespace.
        codes: codes of the 2023 guide; several where it is one of them; empty if unmapped.
        approximate: the classes overlap but do not coincide.
        how: ``exact`` | ``prefix`` | ``mixed`` | ``name`` | ``word`` | ``table`` (the project's) | ``unmapped`` |
            ``no_class``.
        confidence: ``high`` | ``medium`` | ``low`` of the table line.
        zh, en: the class's name in its own standard, empty if unmapped.
    """

    raw: str | None
    standard: str
    codes: tuple[str, ...] = ()
    approximate: bool = False
    how: str = "unmapped"
    confidence: str = ""
    zh: str = ""
    en: str = ""

    @property
    def mapped(self) -> bool:
        """True if the value has a meaning in the 2023 guide."""
        return bool(self.codes)

    def name(self, language: str = "en") -> str:
        """The class's name in its own standard; the raw value where there is none."""
        return (self.zh if language.startswith("zh") else self.en) or self.raw or ""

    def label(self, language: str = "en") -> str:
        """Code and name, ``R2 二类居住用地``; ``(no class)`` for a missing value."""
        if self.raw is None:
            return "（无分类）" if language.startswith("zh") else "(no class)"
        name = self.name(language)
        return self.raw if name == self.raw or _CHINESE.search(self.raw) else f"{self.raw} {name}"


@cache
def standard(name: str) -> Standard:
    """The code list of that name.

    Raises:
        PlannerError: ``planning.standard_unknown``, naming the known ones.
    """
    path = CROSSWALKS / f"{name}.toml"
    if not path.is_file():
        known = sorted(file.stem for file in CROSSWALKS.glob("*.toml"))
        raise PlannerError("planning.standard_unknown", standard=name, known=", ".join(known))
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    head = data["standard"]
    return Standard(
        head["id"], head["title"], head["title_zh"], head["edition"], data.get("classes", {}), data.get("groups", {})
    )


@cache
def _words() -> dict[str, str]:
    data = tomllib.loads((CROSSWALKS / "text.toml").read_text(encoding="utf-8"))
    return {_folded(word): code for code, words in data["words"].items() for word in words}


@cache
def _names() -> dict[str, tuple[str, str]]:
    """Folded class name → (standard, code); a name of the 2023 guide goes before the same name elsewhere."""
    found: dict[str, tuple[str, str]] = {}
    for name in ("mnr2023", "dltb", "gb50137"):
        for code, line in standard(name).classes.items():
            for text in (line["zh"], line["zh"].removesuffix("用地"), line["en"]):
                found.setdefault(_folded(text), (name, code))
    return found


def _folded(text: str) -> str:
    return re.sub(r"[\s_]+", "", text).casefold()


@cache
def group_of(code: str) -> str:
    """The group of a code of the 2023 guide: two classes of one group differ in classification only."""
    for group, prefixes in standard("mnr2023").groups.items():
        if any(code.startswith(prefix) for prefix in prefixes):
            return group
    return code[:2]


class Crosswalk:
    """Carries class values over to the 2023 guide.

    Args:
        mapping: the project's own table, {standard: {value: code of the 2023 guide, or "" for "has none"}}.
    """

    def __init__(self, mapping: Mapping[str, Mapping[str, str]] | None = None) -> None:
        self._mapping = {name: {_folded(k): v for k, v in table.items()} for name, table in (mapping or {}).items()}

    def classify(self, value: object, name: str = ClassStandard.TEXT) -> LandClass:
        """The meaning of one value of the standard ``name``."""
        raw = _as_text(value)
        if raw is None:
            return LandClass(None, name, how="no_class")
        own = self._mapping.get(name, {}).get(_folded(raw))
        if own is not None:
            shown = standard(name).classes.get(raw, {})
            codes = (own,) if own else ()
            return LandClass(raw, name, codes, False, "table", "high", shown.get("zh", ""), shown.get("en", ""))
        found = _by_code(raw, name) or _by_mixed_code(raw, name)
        return found or _by_name(raw, name) or LandClass(raw, name)

    def classify_all(self, values: Iterable[object], name: str) -> tuple[list[LandClass], list[int]]:
        """The distinct classes of a column, and for each row the index of its class."""
        classes: list[LandClass] = []
        index: dict[str | None, int] = {}
        rows: list[int] = []
        for value in values:
            raw = _as_text(value)
            if raw not in index:
                index[raw] = len(classes)
                classes.append(self.classify(raw, name))
            rows.append(index[raw])
        return classes, rows


def _as_text(value: object) -> str | None:
    if value is None or (isinstance(value, float) and value != value):
        return None
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text.strip() or None


def _line(raw: str, name: str, code: str, how: str) -> LandClass:
    line = standard(name).classes[code]
    codes = (code,) if name == "mnr2023" else tuple(line["to"])
    approximate = bool(line.get("approximate")) or len(codes) > 1 or how != "exact"
    return LandClass(raw, name, codes, approximate, how, line.get("confidence", "high"), line["zh"], line["en"])


def _by_code(raw: str, name: str) -> LandClass | None:
    """Exact code, code with its name behind it (``R2 二类居住用地``), or the longest listed prefix of a longer code."""
    form = _CODE.get(name)
    if form is None:
        return None
    classes = standard(name).classes
    code = raw.upper()
    start = form.match(code)
    if start and start.end() < len(code) and _CHINESE.match(code[start.end() :].lstrip()):
        code = start.group()
    if code in classes:
        return _line(raw, name, code, "exact")
    if form.fullmatch(code):
        shortest = 1 if name == "gb50137" else 2
        for length in range(len(code) - 1, shortest - 1, -1):
            if code[:length] in classes:
                return _line(raw, name, code[:length], "prefix")
    return None


def _by_mixed_code(raw: str, name: str) -> LandClass | None:
    """Mixed use such as ``R2/B1``: one of its parts, never equal to a single class."""
    parts = [part.strip() for part in _MIXED.split(raw) if part.strip()]
    if len(parts) < 2 or name not in _CODE:
        return None
    found = [_by_code(part, name) for part in parts]
    if any(part is None or not part.mapped for part in found):
        return None
    codes = tuple(dict.fromkeys(code for part in found if part for code in part.codes))
    zh = "、".join(part.zh for part in found if part)
    en = " / ".join(part.en for part in found if part)
    return LandClass(raw, name, codes, True, "mixed", "medium", zh, en)


def _by_name(raw: str, name: str) -> LandClass | None:
    """A class's name in any standard (its own first), then the words of ``text.toml``."""
    folded = _folded(raw)
    if folded in _names():
        where, code = _names()[folded]
        if name in _CODE and name != where:
            lines = standard(name).classes.items()
            own = [c for c, line in lines if folded in (_folded(line["zh"]), _folded(line["en"]))]
            where, code = (name, own[0]) if own else (where, code)
        found = _line(raw, where, code, "exact")
        return replace(found, standard=name, how="name")
    if folded in _words():
        code = _words()[folded]
        line = standard("mnr2023").classes[code]
        return LandClass(raw, name, (code,), True, "word", "low", line["zh"], line["en"])
    return None


def relate(a: LandClass, b: LandClass) -> int:
    """How two classes relate: ``SAME``, ``RELATED``, ``DIFFERENT`` or ``UNKNOWN``.

    Equal are two exact counterparts of one code, and one value of one standard with itself. Related are classes where
    one contains the other (0804 and 080403), which share a group (:func:`group_of`), or which an approximate line of
    the crosswalk calls equal. A missing class is equal to nothing, not even to another missing one.
    """
    if a.raw is None or b.raw is None:
        return UNKNOWN
    if a.standard == b.standard and _folded(a.raw) == _folded(b.raw):
        return SAME
    if not a.mapped or not b.mapped:
        return UNKNOWN
    if a.codes == b.codes and len(a.codes) == 1 and not a.approximate and not b.approximate:
        return SAME
    for one in a.codes:
        for other in b.codes:
            if one.startswith(other) or other.startswith(one) or group_of(one) == group_of(other):
                return RELATED
    return DIFFERENT


def relate_all(a: Sequence[LandClass], b: Sequence[LandClass]) -> NDArray[np.int8]:
    """:func:`relate` for every pair, shape (len(a), len(b)); fast for long lists of values nobody mapped."""
    import numpy as np

    relations = np.full((len(a), len(b)), UNKNOWN, dtype=np.int8)
    mapped = [(column, land) for column, land in enumerate(b) if land.mapped]
    columns = np.array([column for column, _ in mapped], dtype=np.int64)
    lines: dict[tuple[tuple[str, ...], bool], NDArray[np.int8]] = {}
    for row, land in enumerate(a):
        if not land.mapped:
            continue
        key = (land.codes, land.approximate)
        if key not in lines:
            plain = replace(land, standard="")  # equality of the raw text is looked up below
            lines[key] = np.array([relate(plain, other) for _, other in mapped], dtype=np.int8)
        relations[row, columns] = lines[key]
    where = {(land.standard, _folded(land.raw)): column for column, land in enumerate(b) if land.raw is not None}
    for row, land in enumerate(a):
        same = where.get((land.standard, _folded(land.raw))) if land.raw is not None else None
        if same is not None:
            relations[row, same] = SAME
    return relations


def guess_standard(field: str, values: Iterable[object]) -> str:
    """The standard a column most likely speaks: the one that knows most of its distinct values as codes.

    A column named as 三调 names it is 三调. Under six of ten known values it is free text.
    """
    if field.upper() in _DLTB_FIELDS:
        return ClassStandard.DLTB.value
    distinct = {text for text in map(_as_text, values) if text}
    if not distinct:
        return ClassStandard.TEXT.value
    shares = []
    for name in ("mnr2023", "gb50137", "dltb"):
        known = [found for value in distinct if (found := _by_code(value, name) or _by_mixed_code(value, name))]
        exact = sum(1 for found in known if found.how == "exact")
        shares.append((len(known), exact, name))
    known_count, _, best = max(shares, key=lambda share: share[:2])
    return best if known_count >= 0.6 * len(distinct) else ClassStandard.TEXT.value


def read_mapping(text: str) -> dict[str, dict[str, str]]:
    """The project's mapping table from its setting's JSON.

    Raises:
        PlannerError: ``planning.mapping_broken`` (no such JSON), ``planning.mapping_code`` (a code the guide has not).
    """
    if not text:
        return {}
    try:
        table = json.loads(text)
        mapping = {str(name): {str(k): str(v) for k, v in lines.items()} for name, lines in table.items()}
    except (ValueError, AttributeError) as error:
        raise PlannerError("planning.mapping_broken", detail=str(error)) from error
    for lines in mapping.values():
        for value, code in lines.items():
            if code and code not in standard("mnr2023").classes:
                raise PlannerError("planning.mapping_code", value=value, land_class=code)
    return mapping


def write_mapping(mapping: Mapping[str, Mapping[str, str]]) -> str:
    """The setting's text for a mapping table; checked as :func:`read_mapping` does."""
    text = json.dumps(mapping, ensure_ascii=False, sort_keys=True)
    read_mapping(text)
    return text
