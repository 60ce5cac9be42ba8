"""What runs in a line, told from the kind code of CJJ 61-2017 (annex B), the network's name or the material."""

from __future__ import annotations

import re

#: Kind codes of CJJ 61-2017: major and minor kinds, and those common in surveys.
_CODES = {
    "reclaimed": "ZS",
    "water": "JS JY SS JP JZ XS LS JH",
    "rain": "YS",
    "sewage": "WS",
    "combined": "HS",
    "drainage": "PS",
    "gas": "RQ MQ YH TR",
    "hot_water": "RS",
    "steam": "ZQ",
    "heat": "RL",
    "power": "DL GD LD XH DC",
    "telecom": "TX DH DS XX GB DX",
    "industrial": "GY QQ YQ GQ YX BQ LQ DQ EY AQ JB",
}
_BY_CODE = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
#: Words in names of networks, the more particular first.
_WORDS = (
    ("reclaimed", "reclaimed 中水 再生水"),
    ("steam", "steam 蒸汽"),
    ("hot_water", "hot_water 热水"),
    ("heat", "heat 热力 供热"),
    ("combined", "combined 合流"),
    ("sewage", "sewage sewer 污水"),
    ("rain", "rain storm 雨水"),
    ("drainage", "drain 排水"),
    ("gas", "gas 燃气 天然气 煤气"),
    ("water", "water 给水 供水 自来水"),
    ("power", "power electric 电力 供电 电缆"),
    ("telecom", "telecom communication 通信 电信 通讯"),
    ("industrial", "industr 工业"),
)
#: Colours of CJJ 61-2017 annex B.
_COLOURS = {
    "water": (0, 255, 255), "reclaimed": (0, 255, 255), "rain": (76, 57, 38), "sewage": (76, 57, 38),
    "combined": (76, 57, 38), "drainage": (76, 57, 38), "gas": (255, 0, 255), "hot_water": (255, 128, 0),
    "steam": (255, 128, 0), "heat": (255, 128, 0), "power": (255, 0, 0), "telecom": (0, 255, 0),
    "industrial": (0, 0, 0), "unknown": (102, 0, 204),
}  # fmt: skip
#: English names, message ids of the catalogue.
NAMES = {
    "water": "Water supply", "reclaimed": "Reclaimed water", "rain": "Rainwater", "sewage": "Sewage",
    "combined": "Combined sewer", "drainage": "Drainage", "gas": "Natural gas", "hot_water": "Hot-water heating",
    "steam": "Steam", "heat": "District heating", "power": "Power cable", "telecom": "Telecom cable",
    "industrial": "Industrial pipe", "unknown": "Unknown line",
}  # fmt: skip
HEAT = frozenset({"heat", "hot_water", "steam"})
CABLES = frozenset({"power", "telecom"})
_KV = re.compile(r"(\d+(?:\.\d+)?)\s*(k?)V", re.IGNORECASE)


def line_kind(kind_code: str, network: str = "") -> str:
    """What runs in a line: one of :data:`NAMES`; ``heat`` and ``drainage`` where it is not said which."""
    found = _BY_CODE.get(kind_code.strip().upper(), "")
    if found and found not in ("heat", "drainage"):
        return found
    words = network.casefold()
    named = next((kind for kind, names in _WORDS if any(name in words for name in names.split())), "")
    if found == "heat":
        return named if named in ("hot_water", "steam") else found
    if found == "drainage":
        return named if named in ("rain", "sewage", "combined") else found
    return named or "unknown"


def colour(kind: str) -> tuple[int, int, int]:
    """The standard's colour of a kind of line."""
    return _COLOURS.get(kind, _COLOURS["unknown"])


def voltage_kv(rating: str) -> float | None:
    """Voltage in a rating (``110 kV``, ``64/110kV`` → 110, ``380 V`` → 0.38); None if it states none."""
    found = _KV.findall(rating)
    if not found:
        return None
    value, kilo = found[-1]
    return float(value) if kilo else float(value) / 1000
