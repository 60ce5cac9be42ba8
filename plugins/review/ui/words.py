"""How the review's window parts word and write things: verdicts, states, numbers, dates."""

from __future__ import annotations

from datetime import date, datetime

from planner_app.domain.finding import Finding
from planner_app.domain.rule import Rule
from planner_app.i18n import language, tr, word
from planner_app.report.findings import verdict_word
from plugins.review.model.drawing.types import Note

#: Status of an issue → theme token of its pill.
ISSUE_TOKENS = {"open": "fail", "needs_drawing": "needs_certificate", "answered": "pass", "closed": "cannot_judge"}
#: Verdicts in the order findings are listed.
VERDICTS = ("fail", "needs_certificate", "cannot_judge", "pass")
NONE = "—"


def issue_status(status: str) -> str:
    """待回复, 待补图, 已答复, 已关闭."""
    return {
        "open": tr("Awaiting reply"),
        "needs_drawing": tr("Awaiting drawing"),
        "answered": tr("Answered"),
        "closed": tr("Closed"),
    }[status]


def case_status(status: str) -> str:
    """Where a case stands."""
    return {
        "open": tr("Under review"),
        "returned": tr("Returned"),
        "approved": tr("Approved"),
        "rejected": tr("Rejected"),
        "built": tr("As-built accepted"),
    }[status]


def drawing_kind(kind: str) -> str:
    """What a drawing is for."""
    return {"site_plan": tr("Site plan"), "as_built": tr("As-built survey")}.get(kind, tr("Other drawing"))


def role(key: str) -> str:
    """What a layer of a drawing holds."""
    return {
        "site": tr("Site boundary"),
        "road_line": tr("Road line"),
        "build_to": tr("Build-to line"),
        "footprint": tr("Footprint"),
        "basement": tr("Basement outline"),
        "floor_area": tr("Floor area"),
        "height": tr("Height"),
        "green": tr("Green"),
        "parking": tr("Parking"),
        "declared": tr("Declared table"),
        "road": tr("Internal road"),
        "vegetation": tr("Vegetation"),
        "control_point": tr("Control point"),
        "balcony": tr("Balcony"),
        "pipe": tr("Pipe or cable"),
        "other": tr("Read, not measured"),
    }.get(key, key)


def pill(finding: Finding) -> tuple[str, str]:
    """(token, text) of a finding: its verdict, or 临界，人工复核 near the limit."""
    if finding.borderline:
        return "needs_certificate", tr("borderline, check by hand")
    return finding.verdict.value, verdict_word(finding.verdict.value)


def confidence(level: str) -> str:
    """How sure it is that the clause says so; Chinese in one piece, never wrapped between its characters."""
    text = {
        "high": tr("confidence high"),
        "medium": tr("confidence medium"),
        "low": tr("confidence low"),
    }.get(level, level)
    return "\u2060".join(text) if language() == "zh_CN" else text


def clause(standard: str, place: str, edition: str) -> str:
    """Standard, clause and edition in one line."""
    return " ".join(text for text in (standard, place, edition) if text)


def note(told: Note) -> str:
    """A coded note as a sentence; a parameter ``x_zh`` stands in for ``x`` in Chinese."""
    code, params = told[0], dict(told[1])
    if language() == "zh_CN":
        params |= {key.removesuffix("_zh"): value for key, value in params.items() if key.endswith("_zh") and value}
    return word(code, params)


def rule_title(rule: Rule | None, fallback: str) -> str:
    """A rule's title in the language shown."""
    if rule is None:
        return fallback
    first, second = (rule.title_zh, rule.title) if language() == "zh_CN" else (rule.title, rule.title_zh)
    return first or second or fallback


def is_share(key: str) -> bool:
    """True for ratios that people read in percent."""
    return key in ("density", "green_ratio", "compatible_share")


def number(value: float | None, digits: int = 2) -> str:
    """With thousands separators; a dash where there is none."""
    return NONE if value is None else f"{value:,.{digits}f}"


def day(text: str) -> str:
    """``11-18``, with the year if it is another one; "" for nothing. Takes ISO dates and times (UTC → local)."""
    moment = _moment(text)
    if moment is None:
        return text
    return moment.strftime("%m-%d" if moment.year == date.today().year else "%Y-%m-%d")


def day_time(text: str) -> str:
    """``11-18 14:02``."""
    moment = _moment(text)
    return text if moment is None else f"{day(text)} {moment:%H:%M}"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone() if moment.tzinfo is not None else moment


def file_size(size: int) -> str:
    """Bytes as KB or MB."""
    return f"{size / 1024:,.0f} KB" if size < 1024 * 1024 else f"{size / 1024 / 1024:,.1f} MB"
