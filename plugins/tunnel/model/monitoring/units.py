"""Units of sensors: what is another way to write one, and how values and limits get from one to another."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.rule import Rule

#: Units that a kind of sensor sends in unless it says otherwise.
USUAL = {
    "o2": "%", "ch4": "%LEL", "h2s": "mg/m³", "co": "mg/m³", "temp": "℃", "cable_temp": "℃", "rh": "%", "level": "m",
    "settlement": "mm", "power": "kW", "smoke": "", "flow": "l/s", "co2": "ppm",
}  # fmt: skip
#: Unit → (quantity, factor, offset) to the quantity's first unit. Gases: 5 % vol of methane are 100 %LEL (GB 50838
#: 7.5.8 commentary: 20 %LEL = 1.0 % vol); mg/m³ of a gas at 20 °C and 101.325 kPa: molar mass ÷ 24.055 l/mol × ppm.
_UNITS: dict[str, tuple[str, float, float]] = {
    "c": ("temperature", 1.0, 0.0), "f": ("temperature", 5 / 9, -160 / 9), "k": ("temperature", 1.0, -273.15),
    "%": ("share", 1.0, 0.0), "ppm": ("share", 1e-4, 0.0), "ppb": ("share", 1e-7, 0.0),
    "%lel": ("lel", 1.0, 0.0), "mg/m3": ("mass", 1.0, 0.0), "ug/m3": ("mass", 1e-3, 0.0), "g/m3": ("mass", 1e3, 0.0),
    "mg/l": ("mass", 1e3, 0.0),
    "m": ("length", 1.0, 0.0), "cm": ("length", 0.01, 0.0), "mm": ("length", 0.001, 0.0),
    "kw": ("power", 1.0, 0.0), "w": ("power", 1e-3, 0.0), "mw": ("power", 1e3, 0.0),
    "l/s": ("flow", 1.0, 0.0), "l/min": ("flow", 1 / 60, 0.0), "m3/h": ("flow", 1 / 3.6, 0.0),
    "m3/s": ("flow", 1e3, 0.0),
}  # fmt: skip
_ALIASES = {
    "℃": "c", "°c": "c", "degc": "c", "摄氏度": "c", "℉": "f", "°f": "f", "degf": "f", "华氏度": "f", "°k": "k",
    "%vol": "%", "vol%": "%", "%v/v": "%", "v%": "%", "%rh": "%", "rh%": "%", "%o2": "%", "%ch4": "%", "百分比": "%",
    "lel%": "%lel", "lel": "%lel", "米": "m", "厘米": "cm", "毫米": "mm", "μg/m3": "ug/m3", "µg/m3": "ug/m3",
    "mg/nm3": "mg/m3", "lps": "l/s", "cmh": "m3/h", "升/秒": "l/s", "立方米/小时": "m3/h",
}  # fmt: skip
#: Between quantities of one gas: kind → (from, to) → factor of their first units.
_GASES = {"h2s": 34.08, "co": 28.01, "co2": 44.01, "ch4": 16.04, "o2": 32.0}
#: Parameters of a rule that are values, and those that are differences of values.
_VALUES, _DIFFERENCES = ("low", "high"), ("hysteresis", "span", "per_hour", "more_than", "least")
_BRACKET = re.compile(r"[（(\[【]([^（()）\[\]【】]{1,12})[）)\]】]")


def unit_of(text: str) -> str:
    """A unit as this module names it, empty if it is not known."""
    plain = (
        unicodedata.normalize("NFKC", text.strip().replace("℃", "°c").replace("℉", "°f")).replace(" ", "").casefold()
    )
    plain = plain.replace("³", "3").replace("^3", "3")
    return plain if plain in _UNITS else _ALIASES.get(plain, "")


def unit_in(head: str) -> str:
    """The unit that the head of a column states in brackets or as its last word, as it is written there; empty if none
    is known. A last letter alone is no unit (``sensor_c``)."""
    bracketed = next((one.strip() for one in _BRACKET.findall(head) if unit_of(one)), "")
    *before, last = re.split(r"[\s_]+", head.strip())
    return bracketed or (last if before and (len(last) > 1 or not last.isalpha()) and unit_of(last) else "")


def unknown_unit_in(head: str) -> str:
    """What stands in brackets in the head of a column and looks like a unit (it has a stroke or per cent), but is none
    that is known."""
    return next(
        (one.strip() for one in _BRACKET.findall(head) if re.search(r"[/%％‰℃℉°]", one) and not unit_of(one)), ""
    )


def conversion(kind: str, unit: str, other: str) -> tuple[float, float] | None:
    """(factor, offset) from one unit of a kind of sensor to another; None if there is no way between them."""
    if unit.strip() == other.strip():
        return 1.0, 0.0
    if not unit_of(unit) or not unit_of(other):
        return None
    if kind == "ch4" and "%" in (unit.strip(), other.strip()):  # of volume or of the explosive limit?
        return None
    (quantity, factor, offset), (wanted, its, shift) = _UNITS[unit_of(unit)], _UNITS[unit_of(other)]
    between = _between(kind, quantity, wanted)
    return None if between is None else (factor * between / its, (offset * between - shift) / its)


def _between(kind: str, quantity: str, wanted: str) -> float | None:
    if quantity == wanted:
        return 1.0
    if kind == "ch4" and {quantity, wanted} == {"share", "lel"}:
        return 20.0 if wanted == "lel" else 1 / 20.0
    if kind in _GASES and {quantity, wanted} == {"share", "mass"}:
        of_percent = _GASES[kind] / 24.055 * 1e4
        return of_percent if wanted == "mass" else 1 / of_percent
    if kind == "ch4" and {quantity, wanted} == {"mass", "lel"}:
        return (_between(kind, quantity, "share") or 0.0) * (_between(kind, "share", wanted) or 0.0)
    return None


def need_conversion(kind: str, unit: str, other: str) -> tuple[float, float]:
    """As :func:`conversion`.

    Raises:
        PlannerError: ``tunnel.unit_other``.
    """
    found = conversion(kind, unit, other)
    if found is None:
        raise PlannerError("tunnel.unit_other", unit=unit, other=other or "–", kind=kind or "–")
    return found


def in_unit(rule: Rule, kind: str, unit: str) -> Rule | None:
    """A rule with its limits in a sensor's unit (the kind's usual one where the rule states none); None if there is no
    way from the one to the other."""
    its = rule.unit or USUAL.get(kind, "")
    if not unit or not its or unit == its or not any(name in rule.params for name in (*_VALUES, *_DIFFERENCES)):
        return rule
    way = conversion(kind, its, unit)
    if way is None or way == (1.0, 0.0):
        return None if way is None else rule
    factor, offset = way
    params: dict[str, Any] = dict(rule.params)
    params |= {name: params[name] * factor + offset for name in _VALUES if name in params}
    params |= {name: params[name] * factor for name in _DIFFERENCES if name in params}
    return replace(rule, params=params)
