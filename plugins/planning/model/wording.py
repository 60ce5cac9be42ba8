"""The planning plugin's words for codes, for reports and panels: causes, decisions, standards, gates."""

from __future__ import annotations

from planner_app.i18n import language, tr
from planner_app.report.findings import verdict_word
from plugins.planning.model.crosswalk import standard

_CAUSES = {
    "true_conflict": "True conflict",
    "boundary_sliver": "Boundary sliver",
    "class_difference": "Class difference only",
    "outdated_version": "Outdated version",
    "same_class": "Same class",
}
_DECISIONS = {
    "": "Undecided",
    "a_yields": "A yields",
    "b_yields": "B yields",
    "no_conflict": "No conflict",
    "pending": "Pending",
}
_KINDS = {
    "master": "Master plan",
    "land_use": "Land-use plan",
    "detailed": "Detailed plan",
    "ecological_red_line": "Ecological red line",
    "farmland": "Permanent farmland",
    "growth_boundary": "Urban growth boundary",
    "forestry": "Forestry",
    "water": "Water",
    "transport": "Transport",
    "municipal": "Municipal utilities",
    "other": "Other",
}
_SEVERITIES = {"high": "High", "medium": "Medium", "low": "Low", "": ""}


def cause_word(cause: str) -> str:
    """真实冲突, 边界碎屑, 仅分类差异, 版本过期."""
    return tr(_CAUSES[str(cause)])


def decision_word(decision: str | None) -> str:
    """甲让, 乙让, 无冲突, 待定, 未处理."""
    return tr(_DECISIONS[decision or ""])


def kind_word(kind: str) -> str:
    """The name of a kind of plan."""
    return tr(_KINDS[str(kind)])


def severity_word(severity: str) -> str:
    """高, 中, 低."""
    return tr(_SEVERITIES[severity])


def standard_word(name: str) -> str:
    """The title of a class standard."""
    found = standard(name)
    return found.title_zh if language() == "zh_CN" else found.title


__all__ = ["cause_word", "decision_word", "kind_word", "severity_word", "standard_word", "verdict_word"]
