"""Kinds, materials, laying modes and appurtenances of CJJ 61-2017 (annexes B, C, F), and the words surveys use."""

from __future__ import annotations

import re
from dataclasses import dataclass

Rgb = tuple[int, int, int]
#: Major kinds: abbreviation, name, English name, colour of annex B, minor kinds (name and abbreviation).
_KINDS: tuple[tuple[str, str, str, Rgb, str], ...] = (
    ("JS", "给水", "Water supply", (0, 255, 255),
     "原水JY 输水SS 中水ZS 配水JP 直饮水JZ 消防水XS 绿化水LS 循环水JH"),
    ("PS", "排水", "Drainage", (76, 57, 38), "雨水YS 污水WS 雨污合流HS"),
    ("RQ", "燃气", "Gas", (255, 0, 255), "煤气MQ 液化气YH 天然气TR"),
    ("RL", "热力", "Heating", (255, 128, 0), "热水RS 蒸汽ZQ"),
    ("DL", "电力", "Power", (255, 0, 0), "供电GD 路灯LD 交通信号XH 电车DC 广告GG"),
    ("TX", "通信", "Telecom", (0, 255, 0), "电话DH 有线电视DS 信息网络XX 广播GB"),
    ("GY", "工业", "Industrial", (0, 0, 0), "氢气QQ 氧气YQ 乙炔GQ 乙烯YX 苯BQ 氯气LQ 氮气DQ 二氧化碳EY 氨气AQ 甲苯JB"),
    ("QT", "其他", "Other", (102, 0, 204), "综合管沟ZH 不明管线BM"),
)  # fmt: skip
_ENGLISH = {
    "JY": "Raw water", "SS": "Trunk water", "ZS": "Reclaimed water", "JP": "Water distribution",
    "JZ": "Drinking water", "XS": "Fire water", "LS": "Irrigation water", "JH": "Circulating water",
    "YS": "Rainwater", "WS": "Sewage", "HS": "Combined sewer", "MQ": "Town gas", "YH": "Liquefied gas",
    "TR": "Natural gas", "RS": "Hot-water heating", "ZQ": "Steam", "GD": "Power supply", "LD": "Street lighting",
    "XH": "Traffic signals", "DC": "Trolley power", "GG": "Advertising power", "DH": "Telephone", "DS": "Cable TV",
    "XX": "Data network", "GB": "Broadcast", "QQ": "Hydrogen", "YQ": "Oxygen", "GQ": "Acetylene", "YX": "Ethylene",
    "BQ": "Benzene", "LQ": "Chlorine", "DQ": "Nitrogen", "EY": "Carbon dioxide", "AQ": "Ammonia", "JB": "Toluene",
    "ZH": "Utility tunnel", "BM": "Unknown line",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of line: its abbreviation, names, its major kind's abbreviation and colour."""

    abbr: str
    name: str
    english: str
    major: str
    rgb: Rgb

    @property
    def colour(self) -> str:
        """``#rrggbb``."""
        return "#{:02X}{:02X}{:02X}".format(*self.rgb)


def _kinds() -> dict[str, Kind]:
    found = {}
    for major, name, english, rgb, minor in _KINDS:
        found[major] = Kind(major, name, english, major, rgb)
        for one in minor.split():
            abbr = one[-2:]
            colour = (0, 0, 0) if abbr == "ZH" else rgb
            found[abbr] = Kind(abbr, one[:-2], _ENGLISH[abbr], major, colour)
    return found


#: Every kind by its abbreviation, each major kind before its minor ones.
KINDS = _kinds()
#: Colour of each name that networks of the sample and of other programs have.
NETWORKS = {
    "water": "JS", "reclaimed": "ZS", "gas": "RQ", "power": "DL", "telecom": "TX", "heat": "RL", "rain": "YS",
    "sewage": "WS", "drainage": "PS",
}  # fmt: skip
MATERIALS = (
    "铸铁", "球墨铸铁", "钢", "混凝土", "聚乙烯塑料", "聚氯乙烯塑料", "玻璃钢", "砖石", "砖", "石", "石棉", "陶瓷",
    "铜", "钢芯铝绞线", "光纤",
)  # fmt: skip
LAYING = (
    "直埋", "管埋", "管块", "管沟", "架空", "地面", "上架", "小通道", "综合管廊（沟）", "人防", "井内连线",
    "顶管（非开挖或定向钻）", "水下",
)  # fmt: skip
#: What surveys call the kinds, the more particular first.
_WORDS = tuple(
    (word, abbr)
    for abbr, words in (
        ("ZH", "综合管沟 综合管廊"), ("HS", "雨污合流 合流 combined"), ("WS", "污水 sewage sewer"),
        ("YS", "雨水 rain storm"), ("ZS", "再生水 中水 reclaimed"), ("XS", "消防"), ("LS", "绿化"), ("JY", "原水"),
        ("JP", "配水"), ("JZ", "直饮"), ("SS", "输水"), ("TR", "天然气 natural"), ("YH", "液化"), ("MQ", "煤气"),
        ("ZQ", "蒸汽 steam"), ("RS", "热水"), ("LD", "路灯 lighting"), ("XH", "交通信号 信号 signal"),
        ("GD", "供电"), ("DS", "有线电视 电视"), ("XX", "信息 网络"), ("GB", "广播"), ("DH", "电话"),
        ("GQ", "乙炔"), ("YX", "乙烯"), ("QQ", "氢"), ("YQ", "氧气"), ("LQ", "氯"), ("DQ", "氮"), ("EY", "二氧化碳"),
        ("AQ", "氨"), ("JB", "甲苯"), ("BQ", "苯"),
        ("JS", "给水 供水 自来水 上水 water"), ("PS", "排水 下水 drain"), ("RQ", "燃气 gas oilgas"),
        ("RL", "热力 供热 heat thermal"), ("DL", "电力 电缆 electric power"),
        ("TX", "通信 通讯 电信 移动 联通 铁通 弱电 telecom communication"), ("GY", "工业 industr"), ("BM", "不明"),
    )
    for word in words.split()
)  # fmt: skip
#: Abbreviations outside the standard that surveys use.
_ALIASES = {"DX": "TX", "TV": "DS", "Y": "YS", "W": "WS", "J": "JS", "R": "RL", "D": "DL", "M": "RQ", "T": "TX"}
_LETTERS = re.compile(r"[A-Za-z]+")
#: What follows an abbreviation in the name of a table.
_TABLE_ENDS = frozenset({"", "L", "P", "LN", "PT", "LINE", "LINES", "POINT", "POINTS", "GX", "GXD", "GD"})
#: Appurtenances that close a line; those that feed a network.
_VALVES = re.compile(r"阀|valve", re.IGNORECASE)
_NO_VALVES = re.compile(r"排气|排污|排泥|止回|安全阀|减压")
_SOURCES = re.compile(r"水源井|水厂|净化池|水塔|配水厂|门站|气源|储配站|热源|锅炉房|变电站|发电")


def kind_of(*texts: str) -> str:
    """The kind that a code, a name of a table or a word says; empty if none of them does.

    Each text is tried in turn: as an abbreviation (``JS``), by the words in it, by the letters it starts with.
    """
    for text in texts:
        plain = text.strip()
        if not plain:
            continue
        upper = plain.upper()
        if upper in KINDS:
            return upper
        folded = plain.casefold()
        if named := next((abbr for word, abbr in _WORDS if word in folded), ""):
            return named
        for letters in _LETTERS.findall(upper):
            if letters[:2] in KINDS:
                return str(letters[:2])
            if letters in _ALIASES or letters[:2] in _ALIASES:
                return _ALIASES.get(letters, _ALIASES.get(letters[:2], ""))
    return ""


def kind_of_table(name: str) -> str:
    """The kind that the name of a table or file says, by a word or by an abbreviation that stands alone or before LINE,
    POINT and the like (``JSLINE``): other names begin with the same letters by chance."""
    if named := next((abbr for word, abbr in _WORDS if word in name.casefold()), ""):
        return named
    for letters in _LETTERS.findall(name.upper()):
        kind = letters[:2] if letters[:2] in KINDS else _ALIASES.get(letters[:2], "")
        if len(letters) > 1 and kind and letters[2:] in _TABLE_ENDS:
            return kind
    return ""


def major_of(kind_code: str) -> str:
    """The major kind of a kind (污水 → 排水); unknown lines are one of their own; empty for no kind."""
    kind = KINDS.get(kind_code)
    return "" if kind is None else kind.abbr if kind.major == "QT" else kind.major


def colour_of(kind_code: str, network: str = "") -> str:
    """``#rrggbb`` of a line: by its kind, else by its network's name; unknown lines are violet."""
    abbr = kind_of(kind_code) or NETWORKS.get(network.casefold(), "") or kind_of(network) or "BM"
    return KINDS[abbr].colour


def is_valve(appurtenance: str) -> bool:
    """True if an appurtenance can shut a line off."""
    return bool(_VALVES.search(appurtenance)) and not _NO_VALVES.search(appurtenance)


def is_source(appurtenance: str) -> bool:
    """True if a network is fed there."""
    return bool(_SOURCES.search(appurtenance))


#: States of an asset; CJJ 61 annex C calls them 在用, 废弃, 空管; lines not built yet come from plans and reviews.
_STATES = {
    "in_use": "在用 使用 运行 空管 现状 in_use inuse active existing 0 2",
    "abandoned": "废弃 报废 停用 拆除 abandoned disused 1",
    "planned": "规划 设计 拟建 planned proposed",
    "building": "在建 施工 building construction",
}
_STATE = {word: state for state, words in _STATES.items() for word in words.split()}


def status_of(text: str) -> str:
    """One of planned, building, in_use, abandoned; empty if the word is not known."""
    return _STATE.get(text.strip().casefold(), "")
