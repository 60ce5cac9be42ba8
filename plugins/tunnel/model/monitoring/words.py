"""Words for alarms and readings, in the language shown: for the window, the hand-over and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from planner_app.domain.rule import Rule
from planner_app.i18n import language, tr, word
from plugins.tunnel.model.monitoring.engine import Alarm

#: Theme token of a level.
TOKENS = {"alarm": "fail", "warning": "needs_certificate", "fault": "cannot_judge"}


def level_word(level: str) -> str:
    """``alarm`` as people say it."""
    return word(f"tunnel.level_{level}")


def kind_word(kind: str) -> str:
    """A kind of sensor as people say it; a kind nobody knows stands for itself."""
    names = {
        "o2": tr("oxygen"), "ch4": tr("methane"), "h2s": tr("hydrogen sulphide"), "co": tr("carbon monoxide"),
        "temp": tr("air temperature"), "cable_temp": tr("cable temperature"), "rh": tr("humidity"),
        "level": tr("water level"), "settlement": tr("settlement"), "power": tr("power"), "smoke": tr("smoke"),
        "flow": tr("flow"), "co2": tr("carbon dioxide"),
    }  # fmt: skip
    return names.get(kind, kind)


def rule_title(rules: Mapping[str, Rule], rule_id: str) -> str:
    """A rule's title in the language shown."""
    rule = rules.get(rule_id)
    return rule_id if rule is None else (rule.title_zh if language() == "zh_CN" else rule.title)


def clause(alarm: Alarm) -> str:
    """The clause an alarm quotes."""
    return source(f"{alarm.standard} {alarm.clause}".strip())


def source(text: str) -> str:
    """Where a limit comes from: a clause, or the design."""
    return tr("design value") if text == "design value" else text


def number(value: float | None, unit: str = "") -> str:
    """A reading with its unit, – for none."""
    if value is None or value != value:
        return "–"
    text = f"{value:,.3f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:.4g}"
    return f"{text} {unit}".strip()


def limit_text(rule: Rule | None, alarm: Alarm) -> str:
    """What the alarm's value was held against."""
    if rule is None:
        return ""
    params, unit = rule.params, alarm.unit or rule.unit
    if rule.kind == "tunnel.limit":
        value = alarm.value if alarm.value is not None else float("inf")
        below = "low" in params and ("high" not in params or value <= float(params["low"]))
        inclusive = bool(params.get("inclusive", True))
        sign = ("≤" if inclusive else "<") if below else ("≥" if inclusive else ">")
        return f"{sign} {number(float(params['low' if below else 'high']), unit)}"
    if rule.kind == "tunnel.rise":
        rate = float(params.get("per_hour", 0))
        return f"{'≥' if rate > 0 else '≤'} {number(rate, unit)}/h"
    if rule.kind == "tunnel.missing":
        return tr("silent for over {hours} h", hours=number(float(params.get("after_s", 0)) / 3600))
    if rule.kind == "tunnel.flatline":
        return tr("unchanged for {hours} h", hours=number(float(params.get("hours", 0))))
    if rule.kind == "tunnel.neighbours":
        return tr("over {value} from its neighbours", value=number(float(params.get("more_than", 0)), unit))
    if rule.kind == "tunnel.outlier":
        return tr("over {times} times the usual spread", times=number(float(params.get("times", 6))))
    if rule.kind == "tunnel.drift":
        return tr("drifts away from what is usual")
    return ""


def chainage(m: float | None) -> str:
    """K1+234.5."""
    if m is None:
        return ""
    return f"K{int(m // 1000)}+{m % 1000:05.1f}" if m >= 0 else f"{m:.1f} m"


def clock(ts: int | None, here: tzinfo, *, seconds: bool = False) -> str:
    """A moment at the desk: 2024-10-17 02:10."""
    if ts is None:
        return "–"
    return datetime.fromtimestamp(ts / 1000, here).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def duration(ms: int) -> str:
    """How long something lasts or lasted: 35 min, 5.2 h, 12 d."""
    minutes = max(ms, 0) / 60_000
    if minutes < 90:
        return tr("{n} min", n=f"{minutes:.0f}")
    if minutes < 48 * 60:
        return tr("{n} h", n=f"{minutes / 60:.1f}")
    return tr("{n} days", n=f"{minutes / 1440:,.0f}")
