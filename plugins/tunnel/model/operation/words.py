"""Words of operation: statuses and kinds of defects, in the chosen language."""

from __future__ import annotations

from planner_app.i18n import language, tr, word
from plugins.tunnel.model.operation.records import DefectStatus, OrderStatus

#: Kinds of defects: (group, English, Chinese).
DEFECT_CODES: dict[str, tuple[str, str, str]] = {
    "crack": ("structure", "Crack", "结构裂缝"),
    "seepage": ("structure", "Seepage", "渗漏水"),
    "spalling": ("structure", "Spalling, bare steel", "混凝土剥落露筋"),
    "joint": ("structure", "Damaged expansion joint", "变形缝损坏"),
    "settlement": ("structure", "Settlement, step", "沉降错台"),
    "ponding": ("structure", "Ponding", "积水"),
    "sealing": ("structure", "Fire stopping missing", "防火封堵缺失"),
    "corrosion": ("pipe", "Corrosion", "锈蚀"),
    "support": ("pipe", "Support loose or bent", "支架松动变形"),
    "sheath": ("pipe", "Cable sheath damaged", "电缆护套破损"),
    "leak": ("pipe", "Leaking pipe", "管道泄漏"),
    "insulation": ("pipe", "Insulation damaged", "保温层破损"),
    "lighting": ("equipment", "Lighting fails", "照明故障"),
    "fan": ("equipment", "Fan fails", "风机故障"),
    "pump": ("equipment", "Pump fails", "排水泵故障"),
    "door": ("equipment", "Fire door fails", "防火门故障"),
    "sensor": ("equipment", "Sensor fails", "监测设备故障"),
    "cover": ("equipment", "Cover broken or missing", "井盖缺损"),
    "sign": ("equipment", "Sign missing", "标识缺失"),
    "litter": ("other", "Litter, obstacles", "杂物堆放"),
    "other": ("other", "Other", "其他"),
}
GRADE_WORDS = {
    1: ("slight", "轻微"),
    2: ("moderate", "一般"),
    3: ("serious", "较重"),
    4: ("dangerous", "危急"),
}


def defect_word(code: str) -> str:
    """A kind of defect; a code of somebody else's stands for itself."""
    found = DEFECT_CODES.get(code)
    return code if found is None else found[2 if language() == "zh_CN" else 1]


def grade_word(grade: int) -> str:
    """``3 serious``, ``3 级（较重）``."""
    en, zh = GRADE_WORDS.get(grade, ("", ""))
    return f"{grade} 级（{zh}）" if language() == "zh_CN" else f"{grade} {en}".strip()


def status_word(status: OrderStatus) -> str:
    """Where a work order stands."""
    return word("tunnel.order_is_closed" if status is OrderStatus.CLOSED else f"tunnel.order_{status.value}")


#: English message ids of the catalogue.
_STATES = {"done": "done", "due": "due", "overdue": "overdue", "missed": "missed", "coming": "to come"}
_KINDS = {
    "repair": "Repair work", "isolation": "Isolation", "alarm": "Alarm", "inspection": "Inspection",
    "other": "Other work",
}  # fmt: skip
_LATE = {"round": "Round", "defect": "Defect", "order": "Work order", "permit": "Permit"}
_EVENTS = {"found": "Discovered", "seen": "Seen again", "repaired": "Put right", "reopened": "Came back"}


def state_word(state: str) -> str:
    """Where a round stands."""
    return tr(_STATES[str(state)])


def order_kind_word(kind: str) -> str:
    """A kind of work order."""
    return tr(_KINDS.get(kind, kind))


def late_word(kind: str) -> str:
    """What is overdue."""
    return tr(_LATE[kind])


def event_word(event: str) -> str:
    """What happened to a defect."""
    return tr(_EVENTS.get(event, event))


def defect_status_word(status: DefectStatus) -> str:
    """Where a defect stands."""
    return tr("Closed out") if status is DefectStatus.CLOSED else tr("Open")
