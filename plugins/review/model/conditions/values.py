"""Values of planning conditions as plans and people write them: ``≤2.0``, ``30%``, ``1.0 车位/户``, ``东 8；南 10``."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from plugins.review.model.conditions.types import EdgeSetback

_WIDE = str.maketrans("０１２３４５６７８９．，－～％（）：；＜＞＝　", "0123456789.,-~%():;<>= ")
_NUMBER = re.compile(r"(?<![\d.])\d+(?:,\d{3})+(?:\.\d+)?|(?<![\d.])\d+(?:\.\d+)?")
_NOTHING = {"", "-", "—", "--", "——", "/", "\\", "无", "none", "null", "n/a", "nan", "不限", "未规定"}
_RANGE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|~|–|—|至|到|to)\s*(\d+(?:\.\d+)?)", re.IGNORECASE)
#: Sides as people name them; the longest first.
SIDES = {
    "东北": "NE", "东南": "SE", "西北": "NW", "西南": "SW", "东": "E", "南": "S", "西": "W", "北": "N",
    "northeast": "NE", "southeast": "SE", "northwest": "NW", "southwest": "SW",
    "north": "N", "east": "E", "south": "S", "west": "W",
    "ne": "NE", "se": "SE", "nw": "NW", "sw": "SW", "n": "N", "e": "E", "s": "S", "w": "W",
    "道路": "road", "临路": "road", "临街": "road", "沿路": "road", "road": "road",
    "各侧": "", "四周": "", "其余": "", "其他": "", "all": "", "others": "",
}  # fmt: skip
_SIDE = "|".join(sorted(map(re.escape, SIDES), key=len, reverse=True))
_SETBACK = re.compile(
    rf"^(?:(?P<side>{_SIDE})(?:侧|面|边|界|红线|side)?)?\s*(?:退界|退让|退)?\s*(?:≥|>=|>|不小于|不少于|:|=)?\s*"
    r"(?P<metres>\d+(?:\.\d+)?)\s*(?:m|米)?"
    r"(?:\s*(?:above|over|以上|高度超过|高于|超过|>|@)\s*(?P<above>\d+(?:\.\d+)?)\s*(?:m|米)?(?:以上)?(?:部分)?)?$",
    re.IGNORECASE,
)
_HOUSEHOLD = re.compile(
    r"/\s*(?:户|household|dwelling|unit|apartment)|per\s+(?:household|dwelling|unit|apartment)", re.I
)
_AREA = re.compile(r"(?:/|per)\s*(100)?\s*(?:m²|m2|㎡|平方米|平米|sq\s*m)", re.IGNORECASE)
_TOTAL = re.compile(
    r"^(?:≥|>=|不少于|不小于|at least)?\s*\d+(?:\.\d+)?\s*(?:个|辆|车位|泊位|places|spaces)?$", re.IGNORECASE
)


def plain(value: Any) -> str:
    """A value as text with half-width digits and signs."""
    return "" if value is None else str(value).translate(_WIDE).strip()


def number(value: Any) -> float | None:
    """The number of a value (of a text: its first), None where it says nothing."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if value != value else float(value)
    text = plain(value)
    if text.casefold() in _NOTHING:
        return None
    hit = _NUMBER.search(text)
    return float(hit[0].replace(",", "")) if hit else None


def span(value: Any) -> tuple[float | None, float | None]:
    """(least, most) of a floor area ratio: ``1.0-2.5``, ``1.0＜FAR≤2.5``, ``≥1.2``; a bare number is the most."""
    if isinstance(value, int | float):
        return None, number(value)
    text = plain(value)
    if hit := _RANGE.search(text):
        return float(hit[1]), float(hit[2])
    numbers = [float(one.replace(",", "")) for one in _NUMBER.findall(text)]
    if len(numbers) == 2:
        return min(numbers), max(numbers)
    if len(numbers) != 1:
        return None, None
    least = re.match(r"\s*(?:≥|>=|>|不小于|不低于|at least)", text) is not None
    return (numbers[0], None) if least else (None, numbers[0])


def parking(value: Any) -> tuple[float, str] | None:
    """(places, per ``household`` | ``100m2`` | ``total``) of ``1.0 车位/户``; None for what counts otherwise (beds)."""
    text, rate = plain(value), number(value)
    if rate is None:
        return None
    if _HOUSEHOLD.search(text):
        return rate, "household"
    if hit := _AREA.search(text):
        return (rate, "100m2") if hit[1] else (rate * 100.0, "100m2")
    return (rate, "total") if _TOTAL.match(text) else None


def setbacks(value: Any) -> tuple[tuple[EdgeSetback, ...], tuple[str, ...]]:
    """Setbacks of ``8``, ``东 8；南 10；道路 15``, ``8; 12 above 24``, and the parts that cannot be understood."""
    if isinstance(value, int | float):
        metres = number(value)
        return ((EdgeSetback("", metres),) if metres is not None else ()), ()
    found, rest = [], []
    for part in re.split(r"[;,；，、\n]+", plain(value)):
        text = part.strip()
        if text.casefold() in _NOTHING:
            continue
        if hit := _SETBACK.match(text):
            side = SIDES[hit["side"].casefold()] if hit["side"] else ""
            found.append(EdgeSetback(side, float(hit["metres"]), float(hit["above"] or 0.0)))
        else:
            rest.append(text)
    return tuple(found), tuple(rest)


def day(value: Any) -> str:
    """An ISO date of ``2024-03-12``, ``2024/3/12``, ``2024年3月12日``, ``20240312``; "" if it is none."""
    text = plain(value)
    hit = re.match(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})", text) or re.match(
        r"(\d{4})(\d{2})(\d{2})$", text
    )
    try:
        return date(int(hit[1]), int(hit[2]), int(hit[3])).isoformat() if hit else ""
    except ValueError:
        return ""


def classes(value: Any) -> tuple[str, ...]:
    """Land classes of a list: ``B1/B2``, ``商业、办公``."""
    parts = re.split(r"[;,；，、/+|\n]+|\s{2,}", plain(value))
    return tuple(part.strip() for part in parts if part.strip().casefold() not in _NOTHING)
