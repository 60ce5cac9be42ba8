"""Names of the new town: all invented, in the manner of Chinese coastal districts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

TOWN = "滨海新城"
RIVER = "澜江"
LAKE = "月湖"
RESERVOIR = "凤鸣水库"
SEA = "东湾"

HILLS = ("凤鸣山", "云顶山", "北屏山", "青屏山", "小青山", "塔山", "望海山", "孤屿山")

VILLAGES = (
    "大石村", "上塘村", "南陈村", "后垟村", "沙埠村", "柳岸村", "渡头村", "林家宅村", "凤溪村", "下洋村", "盐灶村",
    "浦口村",
    "前塘村", "岭脚村", "新桥村", "横河村",
)  # fmt: skip

#: Management units of the detailed zoning: letter, name.
UNITS = {
    "A": "月湖中心单元",
    "B": "江北居住单元",
    "C": "北山科教单元",
    "D": "海湾商务单元",
    "E": "江南生活单元",
    "F": "南塘产业单元",
    "G": "盐塘物流单元",
}

_EAST_WEST = (
    "望潮", "听涛", "云帆", "海晏", "锦帆", "观澜", "潮声", "碧波", "清源", "沧浪", "银滩", "长风", "朝晖", "晨曦",
    "海棠", "桂苑", "松涛", "文渊",
    "弘文", "致远", "明德", "思源", "青云", "凌波", "汇丰", "通海", "安澜", "宁澜", "古塘", "金沙", "鹭岛", "白鹭",
    "苇塘", "渔光", "稻香", "南垟",
    "横塘", "新垦", "盐田", "兴业", "启航", "智创", "联创", "宏业", "昌盛", "工贸", "仓前", "港航", "星湖", "揽月",
    "月汀", "芦花", "枫林", "榕荫",
    "茶园", "竹溪", "梅园", "兰汀", "荷塘", "柳堤",
)  # fmt: skip
_NORTH_SOUTH = (
    "凤鸣", "云山", "青屏", "江潮", "湖光", "月桥", "塔山", "岭南", "石埠", "渡口", "前浦", "中浦", "后浦", "翔鸥",
    "飞云", "鸣鹤", "瑞桥", "仁和",
    "永宁", "康宁", "福泽", "乐居", "祥和", "和顺", "平澜", "文昌", "书院", "学海", "博学", "格致", "笃行", "求是",
    "科苑", "创新", "匠心", "精工",
    "锻造", "电子", "材料", "纺城", "物华", "天宝", "商贸", "金融", "会展", "云锦", "霞澜", "虹湾", "星河", "海湾",
    "东堤", "西堰", "北垟", "南渡",
    "新渔", "旧埠", "石塘", "木兰", "紫荆", "银杏",
)  # fmt: skip
_ESTATES_A = (
    "澜",
    "海",
    "月",
    "湖",
    "江",
    "云",
    "锦",
    "翠",
    "听潮",
    "望海",
    "滨江",
    "凤鸣",
    "星湾",
    "碧水",
    "金桂",
    "和风",
    "书香",
    "春晓",
)
_ESTATES_B = (
    "悦府",
    "雅苑",
    "花园",
    "名邸",
    "华庭",
    "家园",
    "嘉园",
    "新村",
    "公馆",
    "里",
    "湾",
    "印象",
    "清园",
    "景苑",
)
_FIRMS_A = (
    "东澜",
    "海峰",
    "瑞科",
    "中恒",
    "华智",
    "凯源",
    "远洲",
    "振海",
    "精锐",
    "博创",
    "联润",
    "启明",
    "天工",
    "恒泰",
    "兴海",
    "正鼎",
)
_FIRMS_B = (
    "智能装备",
    "新材料",
    "精密机械",
    "电子科技",
    "生物医药",
    "汽车部件",
    "海洋工程",
    "食品",
    "纺织",
    "包装",
    "电气",
    "阀门",
)

DIGITS = "一二三四五六七八九十"


class RoadNames:
    """Hands out street names: east-west ones end in 路, north-south ones in 街."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._pools = {
            False: [f"{_EAST_WEST[i]}路" for i in rng.permutation(len(_EAST_WEST))],
            True: [f"{_NORTH_SOUTH[i]}街" for i in rng.permutation(len(_NORTH_SOUTH))],
        }
        self._round = 0

    def next(self, north_south: bool) -> str:
        """A fresh name; when the pool is empty numbered names follow (规划十二路)."""
        pool = self._pools[north_south]
        if pool:
            return pool.pop()
        self._round += 1
        return f"规划{chinese_number(self._round)}{'街' if north_south else '路'}"


def estate_names(rng: np.random.Generator) -> Iterator[str]:
    """Names of housing estates, without end."""
    pairs = [(a, b) for a in _ESTATES_A for b in _ESTATES_B]
    while True:
        for i in rng.permutation(len(pairs)):
            yield "".join(pairs[i])


def firm_names(rng: np.random.Generator) -> Iterator[str]:
    """Names of works, without end."""
    pairs = [(a, b) for a in _FIRMS_A for b in _FIRMS_B]
    while True:
        for i in rng.permutation(len(pairs)):
            yield "".join(pairs[i])


def chinese_number(number: int) -> str:
    """1 to 99 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    if tens == 0:
        return DIGITS[ones - 1]
    return ("" if tens == 1 else DIGITS[tens - 1]) + "十" + (DIGITS[ones - 1] if ones else "")
