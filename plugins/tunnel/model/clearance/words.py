"""How pipes and columns are recognised: ``rules/words/pipes.toml``, and numbers out of what tables hold."""

from __future__ import annotations

import math
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_VOLTS = re.compile(r"(\d+(?:\.\d+)?)\s*(k?)V", re.IGNORECASE)
_MPA = re.compile(r"(\d+(?:\.\d+)?)\s*([kM]?)Pa", re.IGNORECASE)


class Profile(NamedTuple):
    """What decides which limit applies to one side of a pair; None: not known.

    ``kind``: a kind of the words file, ``tunnel``, ``building`` or ``structure``. ``method`` and ``outer_m`` (outer
    width) belong to tunnels.
    """

    kind: str
    pressure: str | None = None
    laying: str | None = None
    kv: float | None = None
    dn: float | None = None
    method: str | None = None
    outer_m: float | None = None


@cache
def words() -> dict[str, Any]:
    """The words file."""
    file = Path(__file__).parents[2] / "rules" / "words" / "pipes.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def kind_of(code: str, network: str) -> str:
    """Kind of a pipe by its kind code (letters or numbers of CJJ 61, or a name), else by its network's name."""
    kinds = words()["kind"]
    text = code.strip().upper()
    if text.isdigit():
        digits = text[1:4] if len(text) >= 7 and text[0] == "5" else text
        for kind, about in kinds.items():
            if digits in about.get("numbers", ()) or (len(digits) == 3 and digits[0] == about.get("major")):
                return str(kind)
    for kind, about in kinds.items():
        if text in about["codes"]:
            return str(kind)
    for name in (code.casefold(), network.casefold()):
        for kind, about in kinds.items():
            if name and any(word in name for word in about["words"]):
                return str(kind)
    return "unknown"


@cache
def pressure_of(rating: str) -> str | None:
    """Pressure class of a gas pipe by its words (中压A), else by its design pressure (0.4 MPa)."""
    folded = rating.replace(" ", "").upper()
    for one in words()["pressure"]:
        if folded == one["id"].upper() or any(word in folded for word in one["words"]):
            return None if one["id"] == "high" and "次高" in folded else str(one["id"])
    found = _MPA.search(rating)
    if found is None:
        return None
    mpa = float(found[1]) * {"K": 1e-3, "M": 1.0, "": 1e-6}[found[2].upper()]
    return next(str(one["id"]) for one in sorted(words()["pressure"], key=lambda one: one["mpa"]) if mpa <= one["mpa"])


@cache
def kv_of(rating: str) -> float | None:
    """Voltage in kV as written (10 kV, 380 V, a bare number is kV)."""
    found = _VOLTS.search(rating)
    if found:
        return float(found[1]) * (1.0 if found[2] else 1e-3)
    bare = rating.strip()
    return float(bare) if re.fullmatch(r"\d+(\.\d+)?", bare) else None


@cache
def word_of(table: str, text: str) -> str | None:
    """The entry of a table of words (``laying``, ``z_ref``, ``method``) that a text names."""
    folded = text.strip().casefold()
    if not folded:
        return None
    entries = words()[table].items()
    exact = next((key for key, names in entries if folded in (name.casefold() for name in names)), None)
    return exact or next(
        (key for key, names in entries if any(len(n) > 1 and n.casefold() in folded for n in names)), None
    )


@cache
def outer_factor(material: str) -> float:
    """Outer over nominal diameter; 1 for a pipe of no known material."""
    table = words()["outer"]
    folded = material.strip().casefold()
    if not folded:
        return 1.0
    for about in (one for one in table.values() if isinstance(one, dict)):
        if any(word.casefold() in folded for word in about["words"]):
            return float(about["factor"])
    return float(table["default"])


def number(value: Any) -> float:
    """A number out of a cell (1.2, "DN200", "1000×800": the largest), NaN where there is none."""
    if value is None or isinstance(value, bool):
        return math.nan
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip()
    try:
        return float(text)
    except ValueError:
        return max((float(one) for one in _NUMBER.findall(text)), default=math.nan)
