"""The columns of the tables that this role makes, and what a Chinese window calls each: one name per column, with its
unit; where a table means something of its own by a column, ``table.column``."""

from __future__ import annotations

from typing import get_args

from planner_app.domain.layer import FieldInfo, FieldType

_ALIASES = {
    # identity and place
    "code": "编号", "name": "名称", "number": "编号", "kind": "类型", "type": "类型", "title": "标题", "text": "描述",
    "tunnel": "管廊编号", "section": "区段编号", "compartment": "舱室类型", "compartments": "舱室类型", "side": "侧",
    "line": "管段编号", "node": "管点编号", "support": "支架编号", "network": "管线类别", "m": "里程（m）",
    "from_m": "起点里程（m）", "to_m": "终点里程（m）", "x": "x（m）", "y": "y（m）", "position": "部位",
    # tunnels
    "method": "工法", "profile": "断面", "built_edition": "设计标准", "built_year": "建成年份", "wall_m": "壁厚（m）",
    "outline": "断面轮廓（m）", "area_m2": "净断面积（m²）", "length_m": "长度（m）", "capacity_kg": "承载（kg）",
    "clear_size": "净尺寸（m）", "flood_sill_z": "挡水门槛高程（m）", "outer_d": "外径（m）",
    "sump_pump_m3h": "排水泵（m³/h）", "air_changes": "正常换气（次/h）", "via": "连通方式", "a": "一侧分区",
    "b": "另一侧分区", "rating_h": "耐火极限（h）", "openable": "可开启", "sill_z": "门槛高程（m）",
    "fed_by": "供电来源", "rated_m3h": "额定流量（m³/h）",
    # pipes and cables
    "feature_code": "特征代码", "ground_z": "地面高程（m）", "demand": "需水量", "kind_code": "管类代码",
    "from_node": "起点", "to_node": "终点", "shape": "截面", "dn_mm": "公称直径（mm）", "material": "材质",
    "laying": "埋设方式", "z_ref": "高程基准", "z1": "起点高程（m）", "z2": "终点高程（m）", "depth1": "起点埋深（m）",
    "depth2": "终点埋深（m）", "rating": "压力/电压", "cables": "根数", "year": "敷设年份", "closed": "关闭",
    "owner": "权属单位", "source": "来源", "deviation_m": "与设计偏差（m）", "normally_open": "常开",
    "is_open": "当前开启", "operable": "可操作", "last_exercised": "最近启闭", "customer_count": "用户数",
    "critical": "重要用户",
    # states, times and people
    "status": "状态", "asset_table": "资产表", "asset": "资产标识", "was": "原状态", "now": "现状态", "note": "说明",
    "by": "经办人", "time": "时间", "remark": "备注", "photo": "照片", "responsible": "负责人", "started": "开始时间",
    "ended": "结束时间", "starts": "开始日期", "ends": "结束日期", "created_by": "创建人", "created_at": "创建时间",
    # sensors, alarms, shifts
    "sensor_id": "传感器号", "sensor": "传感器编号", "unit": "单位", "range_min": "量程下限", "range_max": "量程上限",
    "calibrated_on": "检定日期", "due": "期限", "rule": "规则", "level": "级别", "raised": "报警时间",
    "cleared": "解除时间", "value": "报警值", "worst": "极值", "standard": "标准", "clause": "条文", "edition": "版本",
    "confidence": "可信度", "ack_by": "确认人", "ack_at": "确认时间", "ack_remark": "确认备注", "at": "时间",
    "author": "记录人", "since": "接班时间", "giver": "交班人", "taker": "接班人", "alarms": "在报警",
    "orders": "未结工单", "figures": "班次数据",
    # rounds, defects, work orders
    "every_days": "周期（天）", "look_at": "检查内容", "plan_id": "计划标识", "inspection_id": "巡检标识",
    "observation_id": "所见标识", "defect_id": "缺陷标识", "grade": "等级", "first_seen": "首次发现",
    "last_seen": "最近复查", "closed_at": "销号时间", "closed_by": "销号人", "event": "事件", "subject": "对象",
    "steps": "作业步骤", "permit": "作业许可", "gas_tests": "气体检测", "result": "处理结果", "life": "流转记录",
    "package": "外业包", "table_name": "表", "row": "记录标识", "column_name": "字段", "base": "原值", "ours": "内业值",
    "theirs": "外业值", "found_at": "发现时间", "decided": "裁定", "decided_by": "裁定人", "decided_at": "裁定时间",
    "taken": "已合并内容",
    # planned works
    "depth_m": "开挖深度（m）", "applicant": "申请单位",
}  # fmt: skip
_OWN = {
    "tunnel": {"code": "管廊编号", "name": "管廊名称"},
    "tunnel_section": {"code": "区段编号"},
    "compartment": {"code": "舱室编号", "kind": "舱室类型"},
    "support": {"code": "支架编号", "level": "层"},
    "tunnel_node": {"code": "节点编号", "kind": "节点类型"},
    "fire_zone": {"code": "防火分区编号"},
    "compartment_link": {"code": "连通编号"},
    "equipment": {"code": "设施编号", "kind": "设施类型"},
    "net_node": {"code": "管点编号", "source": "水源/气源"},
    "net_line": {"code": "管段编号"},
    "valve": {"code": "阀门编号"},
    "service_point": {"code": "用户点编号", "name": "用户"},
    "asset_event": {"code": "资产编号"},
    "sensor": {"due": "检定到期"},
    "external_work": {"code": "作业编号", "name": "作业名称", "method": "施工方法"},
    "tunnel_alarm": {"sensor": "传感器号", "code": "传感器编号"},
    "tunnel_shift_entry": {"text": "内容"},
    "tunnel_handover": {"at": "交班时间"},
    "inspection_plan": {
        "number": "计划编号", "name": "计划名称", "start": "开始日期", "ended": "结束日期"
    },
    "inspection": {"number": "巡检编号", "by": "巡检人"},
    "observation": {"code": "缺陷类别", "by": "记录人"},
    "defect": {"number": "缺陷编号", "code": "缺陷类别"},
    "defect_examination": {"by": "记录人"},
    "work_order": {"number": "工单编号"},
}  # fmt: skip
_TYPES = frozenset(get_args(FieldType))


def alias_of(table: str, column: str) -> str:
    """What a Chinese window calls a column of a table; empty for one that is not this role's."""
    return _OWN.get(table, {}).get(column) or _ALIASES.get(column, "")


def field_of(table: str, column: str, kind: FieldType = "text") -> FieldInfo:
    """A column of a table, with its Chinese name.

    Raises:
        KeyError: nobody has named it yet.
    """
    named = alias_of(table, column)
    if not named:
        raise KeyError(f"{table}.{column} has no name in {__name__}")
    return FieldInfo(column, kind, named)


def fields_of(table: str, text: str) -> tuple[FieldInfo, ...]:
    """``code dn_mm:integer`` as the columns of a table; those without a type are text."""
    made = []
    for part in text.split():
        column, _, kind = part.partition(":")
        if (kind or "text") not in _TYPES:
            raise KeyError(f"{table}.{part}")
        made.append(field_of(table, column, kind or "text"))  # type: ignore[arg-type]
    return tuple(made)
