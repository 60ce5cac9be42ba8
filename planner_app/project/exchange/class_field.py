"""Which field of a foreign layer holds its land classes or zones, and which code list they speak."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from planner_app.domain.land_classes import class_entry
from planner_app.domain.layer import ClassStandard, FieldInfo
from planner_app.project.exchange.source import SourceLayer

#: Names of fields that usually hold the land class or zone, most telling first.
_NAMES = (
    "dlbm", "yddm", "ghydyhfldm", "ghfldm", "gyddm", "用地代码", "地类编码", "规划用地代码", "class_code", "land_class",
    "zone_type", "zoning", "dldm", "ydxzdm", "yddl", "ydxz", "用地性质", "用地类型", "地类名称", "dlmc", "ydmc",
    "landuse", "land_use", "fclass", "class", "用地类别",
)  # fmt: skip
#: Share of the values that a code list must know to be taken for theirs.
_KNOWN_SHARE = 0.6


def with_class(layer: SourceLayer) -> SourceLayer:
    """The layer with its class field and standard as far as name and first rows tell."""
    name = guess_class_field(layer.fields)
    if not name:
        return layer
    at = [info.name for info in layer.fields].index(name)
    values = {str(row[at]) for row in layer.sample if row[at] not in (None, "")}
    return replace(layer, class_field=name, class_standard=guess_standard(name, values))


def guess_class_field(fields: Iterable[FieldInfo]) -> str:
    """The field whose name says that it holds land classes or zones; empty if none does."""
    folded = {info.name.casefold(): info.name for info in fields}
    return next((folded[name] for name in _NAMES if name in folded), "")


def guess_standard(name: str, values: Iterable[str]) -> str:
    """The code list that knows at least six of ten values; ``text`` if none does, empty without values.

    0702 is in two of them, so a field named DLBM, as the third national land survey does, speaks that survey's.
    """
    found = {value for value in values if value}
    if not found:
        return ""
    if name.casefold() == "dlbm":
        return ClassStandard.DLTB
    shares = {standard: _share(standard, found) for standard in ("mnr2023", "gb50137", "dltb")}
    best = max(shares, key=lambda standard: shares[standard])
    return best if shares[best] >= _KNOWN_SHARE else ClassStandard.TEXT


def _share(standard: str, values: set[str]) -> float:
    """Share of the values that are codes of a list."""
    return sum(_is_code(standard, value) for value in values) / len(values)


def _is_code(standard: str, value: str) -> bool:
    """True if a value is a code of the list, or a finer one in the list's form (pairs of digits, letter and digits)."""
    code = value.strip().split(" ", 1)[0]
    entry = class_entry(standard, code)
    if entry is None:
        return False
    letters = standard == ClassStandard.GB50137
    form = re.fullmatch(r"[A-Z]\d{1,3}" if letters else r"(\d\d){2,4}[A-Z]?", code)
    return entry.code == code or (form is not None and len(entry.code) >= (1 if letters else 2))
