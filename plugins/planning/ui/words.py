"""What the planner's panels call things: causes, verdicts, decisions, kinds of plan, and how they write numbers."""

from __future__ import annotations

from planner_app.i18n import language, tr
from plugins.planning.model.causes import Cause

#: Colours of causes on the bar, in the table and on the map, the same in both themes (map colours never darken).
CAUSE_COLOURS = {
    Cause.TRUE_CONFLICT.value: "#C0322B",
    Cause.BOUNDARY_SLIVER.value: "#D98A2B",
    Cause.CLASS_DIFFERENCE.value: "#8A94A3",
    Cause.OUTDATED_VERSION.value: "#5B8DD6",
    Cause.SAME_CLASS.value: "#4FA36B",
}

#: Decision → theme token of its pill.
DECISION_TOKENS = {
    "": "fail",
    "pending": "needs_certificate",
    "a_yields": "pass",
    "b_yields": "pass",
    "no_conflict": "pass",
}


def cause(key: str) -> str:
    """Title of a cause."""
    return {
        "true_conflict": tr("True conflict"),
        "boundary_sliver": tr("Boundary sliver"),
        "class_difference": tr("Class difference only"),
        "outdated_version": tr("Outdated version"),
        "same_class": tr("Same class"),
    }.get(key, key)


def verdict(key: str) -> str:
    """A verdict in words."""
    return {
        "pass": tr("Pass"),
        "fail": tr("Fail"),
        "needs_certificate": tr("Needs certificate"),
        "cannot_judge": tr("Cannot judge"),
    }.get(key, key)


def decision(key: str) -> str:
    """A decision in words; none yet is one too."""
    return {
        "": tr("Undecided"),
        "a_yields": tr("A yields"),
        "b_yields": tr("B yields"),
        "no_conflict": tr("No conflict"),
        "pending": tr("Pending"),
    }.get(key, key)


def plan_kind(key: str) -> str:
    """A kind of plan in words; ``*`` is any."""
    return {
        "*": tr("Any plan"),
        "master": tr("Master plan"),
        "land_use": tr("Land-use plan"),
        "detailed": tr("Detailed zoning"),
        "ecological_red_line": tr("Ecological red line"),
        "farmland": tr("Permanent farmland"),
        "growth_boundary": tr("Growth boundary"),
        "forestry": tr("Forestry"),
        "water": tr("Water protection"),
        "transport": tr("Transport"),
        "municipal": tr("Municipal utilities"),
        "other": tr("Other"),
    }.get(key, key)


def number(value: float, digits: int = 1) -> str:
    """With thousands separators."""
    return f"{value:,.{digits}f}"


def hectares(square_metres: float) -> str:
    """m² as hectares, with as many digits as the size deserves."""
    value = square_metres / 10_000
    return f"{value:,.1f}" if value >= 10 else f"{value:,.2f}" if value >= 0.1 else f"{value:,.4f}"


def either(chinese: str, english: str) -> str:
    """The name in the language shown, the other one where it is missing."""
    first, second = (chinese, english) if language() == "zh_CN" else (english, chinese)
    return first or second
