"""Land classes by code list: names and display colours.

Names: ``resources/crosswalks/<standard>.toml``. Colours: ``resources/styles/colours.toml``. A code without an entry
takes that of the longest listed prefix (R21 → R2), a code of an older list without a colour that of its counterpart of
2023.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

RESOURCES = Path(__file__).resolve().parent.parent.parent / "resources"
_SPARE = ("#9CC3E6", "#F3C99F", "#B8D8A8", "#D9B8DA", "#F2DF8C", "#A9D5CF", "#E3AFAF", "#C4C1E0", "#D6C7A8", "#B6C2CE")


@dataclass(frozen=True, slots=True)
class LandClassEntry:
    """A class of a code list: code, names, ``#RRGGBB``."""

    code: str
    zh: str
    en: str
    colour: str

    def name(self, language: str) -> str:
        """The name in a language, the other one where it is missing."""
        first, second = (self.zh, self.en) if language.startswith("zh") else (self.en, self.zh)
        return first or second


def spare_colour(number: int) -> str:
    """A calm colour for a class no standard knows."""
    return _SPARE[number % len(_SPARE)]


@cache
def _classes(standard: str) -> Mapping[str, Mapping[str, Any]]:
    file = RESOURCES / "crosswalks" / f"{standard}.toml"
    if not file.is_file():
        return {}
    found: Mapping[str, Mapping[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8")).get("classes", {})
    return found


@cache
def _colours() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((RESOURCES / "styles" / "colours.toml").read_text(encoding="utf-8"))


@cache
def class_table(standard: str) -> Mapping[str, LandClassEntry]:
    """All classes of a code list (``mnr2023``, ``gb50137``, ``dltb``); empty for one nobody knows."""
    return {
        code: LandClassEntry(code, line.get("zh", ""), line.get("en", ""), _colour(standard, code))
        for code, line in _classes(standard).items()
    }


@cache
def class_entry(standard: str, value: str) -> LandClassEntry | None:
    """The class a value stands for: its code exactly, or the longest listed prefix of it; None if there is none."""
    table = class_table(standard)
    code = value.strip().split(" ", 1)[0].upper()
    for length in range(len(code), 0, -1):
        if code[:length] in table:
            return table[code[:length]]
    return None


def _colour(standard: str, code: str) -> str:
    own = _colours().get(standard, {})
    for length in range(len(code), 0, -1):
        if code[:length] in own:
            return own[code[:length]]
    counterpart = _classes(standard).get(code, {}).get("to") or [""]
    return _colour("mnr2023", counterpart[0]) if standard != "mnr2023" and counterpart[0] else "#D9DCE1"
