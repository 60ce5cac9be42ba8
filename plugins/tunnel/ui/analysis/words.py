"""Words of analyses that several parts of the window use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from planner_app.i18n import language, tr, word

if TYPE_CHECKING:
    from planner_app.domain.rule import Rule
    from plugins.tunnel.model.clearance.zones import Intrusion


def rule_title(rule: Rule) -> str:
    """A rule's title in the language in use."""
    return rule.title_zh if language() == "zh_CN" else rule.title


def clause(rule: Rule | None) -> str:
    """Standard and clause of a rule."""
    return "" if rule is None else " ".join(part for part in (rule.standard, rule.clause) if part and part != "-")


def zone_sentence(one: Intrusion) -> str:
    """Which work lies in which zone, and how near."""
    name = one.name or one.feature.rpartition("/")[2]
    params = {"work": name, "layer": one.layer, "tunnel": one.tunnel.name, "zone": rule_title(one.rule)}
    if one.distance <= 0:
        return tr("“{work}” ({layer}) lies over {tunnel}: {zone}", **params)
    return tr("“{work}” ({layer}) lies {m} m from {tunnel}: {zone}", m=f"{one.distance:.1f}", **params)


def needs(ones: Iterable[Intrusion]) -> str:
    """The approvals that some works need, each once."""
    ids = dict.fromkeys(need for one in ones for need in one.approvals)
    return tr(", ").join(word(f"tunnel.need_{need}", {}) for need in ids)


def duration(seconds: float) -> str:
    """Minutes and seconds, hours from an hour on: ``2:26``, ``1:04:00``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
