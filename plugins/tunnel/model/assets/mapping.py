"""Which column of a survey's table or a layer means what: recognised by its heads, edited by a person, kept.

A mapping is kept in the project under the heads it was made for, so that the next file of the same surveyor needs none.
As a file it is TOML or JSON::

    crs = "EPSG:4549"          # where the file is not in the project's
    xy = "north_east"          # X is north (auto | north_east | east_north)
    dn_unit = "mm"             # auto | mm | cm | m
    depth_unit = "m"           # auto | m | cm | mm
    z_ref = "auto"             # auto | top | invert | axis
    [[table]]
    sheet = "给水管点"          # empty: the only one
    role = "points"            # points | lines | joined
    kind = "JS"                # where no column says it
    [table.columns]
    code = "物探点号"
    x = "X坐标"
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project

_SETTING = "tunnel.import_mappings"
ROLES = ("points", "lines", "joined")
#: Meaning → heads, as surveys write them (compared without blanks and units); the first meaning that fits wins.
HEADS: dict[str, str] = {
    "line_code": "管线编号 管段编号 管线编码 管段号 管段编码 line_no line_id pipe_id pipe_no link_id",
    "start": "起点点号 起始点号 起点号 起点编号 起点物探点号 起始物探点号 管线起点 本点号 起点 s_point start_point "
             "startpoint from from_node start_no start start_node 上游井号",
    "end": "连接点号 连接方向 连接点 连接物探点号 相连点号 连向点号 终点点号 终止点号 终点号 终点编号 终点物探点号 "
           "终止物探点号 管线终点 终点 e_point end_point endpoint to to_node end_no end end_node 连接点编号 下游井号",
    "code": "物探点号 管线点号 管点编号 管点号 测点编号 点号 探测点号 管线点编号 exp_no point_no pt_no point_id code "
            "图上点号 编号 点名 井号 井编号 管点编码 测点号 node_id node_no node_code manhole_id node manhole id",
    "x": "x x坐标 纵坐标 纵坐标x 北坐标 northing north 平面坐标x 坐标x x_coord 纬度 latitude lat",
    "y": "y y坐标 横坐标 横坐标y 东坐标 easting east 平面坐标y 坐标y y_coord 经度 longitude lon lng long",
    "depth1": "起点埋深 起始埋深 起点管线埋深 起点管顶埋深 起点管底埋深 起点中心埋深 s_deep depth1 start_depth",
    "depth2": "终点埋深 终止埋深 终点管线埋深 终点管顶埋深 终点管底埋深 终点中心埋深 e_deep depth2 end_depth",
    "z1": "起点高程 起点管线高程 起点管顶高程 起点管底高程 起点管内底高程 s_h z1",
    "z2": "终点高程 终点管线高程 终点管顶高程 终点管底高程 终点管内底高程 e_h z2",
    "ground_z": "地面高程 地面标高 高程地面 地面 surf_h ground_z 井盖高程 ground_level ground_elevation",
    "z": "管线高程 管顶高程 管底高程 管内底高程 管顶标高 管底标高 高程管顶 高程管底 管线点高程 管中高程 中心高程 z "
         "管顶(底)高程 管顶底高程 管线顶底高程",
    "depth": "埋深 管线埋深 埋设深度 管顶埋深 管底埋深 中心埋深 管内底埋深 depth deep",
    "feature": "特征 点特征 特征点 特征类型 feature",
    "appurtenance": "附属物 附属设施 点附属物 附属物名称 附属物类型 adjunct subsid appurtenance",
    "dn": "管径或断面尺寸 管径及断面尺寸 管径断面尺寸 管径 断面尺寸 管径或断面 规格 直径 口径 公称直径 管径(宽x高) "
          "d_s psize dn dn_mm diameter",
    "material": "材质 管材 材料 管线材料 管线材质 material",
    "kind": "管线类型 管类 管线种类 管线性质 管线类别 管线代码 管类代码 类别 种类 小类 kind_code kind type",
    "laying": "埋设方式 埋设类型 敷设方式 埋设形式 embed d_type laying",
    "pressure": "压力 压力等级 压力值 pressure",
    "voltage": "电压 电压值 电压等级 voltage",
    "rating": "压力或电压 压力/电压 压力电压 电压压力 电压/压力 压力(电压) rating",
    "cables": "电缆条数 电缆根数 线缆条数 条数 根数 光缆条数 电缆数 cab_count cables",
    "holes": "孔数 总孔数 管孔数 hole_count holes",
    "owner": "权属单位 权属 产权单位 权属单位名称 管理单位 belong owner",
    "year": "建设年代 埋设年代 埋设日期 建设日期 敷设年份 敷设年代 建成年份 埋设年份 mdate year",
    "status": "使用状态 使用情况 状态 使用状况 status",
}  # fmt: skip
#: What a table needs to be one of points, lines, or both in one.
_NEEDED = (
    ("joined", ("code", "end", "x", "y")), ("joined", ("start", "end", "x", "y")), ("points", ("code", "x", "y")),
    ("lines", ("start", "end")), ("lines", ("code", "end")),
)  # fmt: skip
_UNIT = re.compile(
    r"[（(\[【](?:m|mm|cm|米|毫米|厘米|kv|kpa|mpa|千伏|年|条|个|孔|单位.*?)[）)\]】]|/(?:m|mm|cm|kv)$", re.IGNORECASE
)
_BLANK = re.compile(r"[\s　_:：*※]+")
_KNOWN = {
    written: (known, rank)
    for known, heads in HEADS.items()
    for rank, head in enumerate(heads.split())
    for written in (head, _BLANK.sub("", head))
}


@dataclass(frozen=True, slots=True)
class TableMapping:
    """One table: its sheet or layer, what it holds, its kind of line where no column says it, meaning → head."""

    columns: MappingType[str, str]
    role: str = "joined"
    sheet: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """How a file is read."""

    tables: tuple[TableMapping, ...] = ()
    crs: str = ""
    xy: str = "auto"
    dn_unit: str = "auto"
    depth_unit: str = "auto"
    z_ref: str = "auto"

    def table(self, sheet: str) -> TableMapping | None:
        """The mapping of a sheet; one without a name stands for all."""
        named = next((one for one in self.tables if one.sheet == sheet), None)
        return named or next((one for one in self.tables if not one.sheet), None)

    def to_dict(self) -> dict[str, Any]:
        """As kept and as written to a file."""
        data = asdict(self)
        data["table"] = [{**one, "columns": dict(one["columns"])} for one in data.pop("tables")]
        return data

    @classmethod
    def from_dict(cls, data: MappingType[str, Any], name: str = "") -> Mapping:
        """The inverse of :meth:`to_dict`; what is missing takes its default.

        Raises:
            PlannerError: ``tunnel.mapping_wrong``.
        """
        try:
            tables = tuple(TableMapping(**one) for one in data.get("table", ()))
            rest = {key: str(value) for key, value in data.items() if key != "table"}
            made = cls(tables, **rest)
        except (TypeError, AttributeError) as error:
            raise PlannerError("tunnel.mapping_wrong", file=name, detail=str(error)) from error
        choices = {"xy": ("auto", "north_east", "east_north"), "dn_unit": ("auto", "mm", "cm", "m"),
                   "depth_unit": ("auto", "mm", "cm", "m"), "z_ref": ("auto", "top", "invert", "axis")}  # fmt: skip
        for key, known in choices.items():
            if getattr(made, key) not in known:
                raise PlannerError("tunnel.mapping_wrong", file=name, detail=f"{key} = {getattr(made, key)}")
        for table in made.tables:
            unknown = sorted(set(table.columns) - set(HEADS))
            if table.role not in ROLES or unknown:
                detail = f"role = {table.role}" if table.role not in ROLES else ", ".join(unknown)
                raise PlannerError("tunnel.mapping_wrong", file=name, detail=detail)
        return made


def read_mapping(path: Path) -> Mapping:
    """A mapping from a TOML or JSON file.

    Raises:
        PlannerError: ``tunnel.mapping_wrong``.
    """
    try:
        text = path.read_text("utf-8-sig")
        data = json.loads(text) if path.suffix.casefold() == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise PlannerError("tunnel.mapping_wrong", file=path.name, detail=str(error)) from error
    return Mapping.from_dict(data, path.name)


def plain(head: str) -> str:
    """A head without blanks, units and marks, for comparing."""
    return _UNIT.sub("", _BLANK.sub("", head)).casefold()


def meaning(*heads: str) -> str:
    """What the first known of several readings of a head means; empty if none is known."""
    return _ranked(heads)[0]


def _ranked(readings: Sequence[str]) -> tuple[str, int]:
    for head in readings:
        for written in (plain(head), _BLANK.sub("", head).casefold(), head.strip().casefold()):
            if written in _KNOWN:
                return _KNOWN[written]
    return "", 0


def recognise(heads: Sequence[str], readings: Sequence[Sequence[str]] = ()) -> dict[str, str]:
    """Meaning → head of the heads that are known; of two with one meaning the more usual name (物探点号, not 图上点号).

    Args:
        heads: as the table names its columns.
        readings: other ways to read each head (from a head of two rows), tried in turn.
    """
    found: dict[str, tuple[int, str]] = {}
    for at, head in enumerate(heads):
        known, rank = _ranked(readings[at] if readings else (head,))
        if known and (known not in found or rank < found[known][0]):
            found[known] = (rank, head)
    return {known: head for known, (_, head) in found.items()}


def role_of(columns: MappingType[str, str]) -> str:
    """What a table with these columns holds: joined, points, lines, or empty."""
    return next((role for role, needed in _NEEDED if set(needed) <= set(columns)), "")


def signature(tables: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Under what a mapping is kept: the heads of all tables, whatever they are called."""
    text = json.dumps(sorted([plain(head) for head in heads] for _, heads in tables), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def kept_mapping(project: Project, tables: Sequence[tuple[str, Sequence[str]]]) -> Mapping | None:
    """The mapping that was used for tables with these heads before; sheets may have got other names meanwhile."""
    data = json.loads(project.setting(_SETTING, "{}")).get(signature(tables))
    if data is None:
        return None
    found = Mapping.from_dict(data)
    made = []
    for sheet, heads in tables:
        there = {plain(one) for one in heads}
        same = next((one for one in found.tables if one.sheet == sheet), None)
        like = next((one for one in found.tables if {plain(c) for c in one.columns.values()} <= there), None)
        if same is not None:
            made.append(same)
        elif like is not None:
            made.append(replace(like, sheet=sheet, kind=""))
    return replace(found, tables=tuple(made))


def keep_mapping(project: Project, tables: Sequence[tuple[str, Sequence[str]]], mapping: Mapping) -> None:
    """Remember a mapping for tables with these heads."""
    every = json.loads(project.setting(_SETTING, "{}"))
    every[signature(tables)] = mapping.to_dict()
    project.set_setting(_SETTING, json.dumps(every, ensure_ascii=False))
