"""How the planner's panels write numbers and colour causes; the words are ``plugins.planning.model.wording``."""

from __future__ import annotations

from planner_app.i18n import language
from plugins.planning.model.wording import cause_word as cause
from plugins.planning.model.wording import decision_word as decision
from plugins.planning.model.wording import verdict_word as verdict

__all__ = [
    "DECISION_TOKENS",
    "cause",
    "cause_colours",
    "decision",
    "either",
    "hectares",
    "number",
    "percent",
    "verdict",
]

#: Decision → theme token of its pill.
DECISION_TOKENS = {
    "": "fail",
    "pending": "needs_certificate",
    "a_yields": "pass",
    "b_yields": "pass",
    "no_conflict": "pass",
}


def cause_colours() -> dict[str, str]:
    """Colour of each cause, the same as on the map; loads the geometry libraries, so not before there is a result."""
    from plugins.planning.model.result_layer import CAUSE_COLOURS

    return {cause.value: colour for cause, colour in CAUSE_COLOURS.items()}


def number(value: float, digits: int = 1) -> str:
    """With thousands separators."""
    return f"{value:,.{digits}f}"


def hectares(square_metres: float) -> str:
    """m² as hectares, with as many digits as the size deserves."""
    value = square_metres / 10_000
    return f"{value:,.1f}" if value >= 10 else f"{value:,.2f}" if value >= 0.1 else f"{value:,.4f}"


def percent(part: int, whole: int) -> str:
    """A share that says neither none nor all before it is so."""
    if not whole or part in (0, whole):
        return "100%" if part else "0%"
    share = 100 * part / whole
    return "<1%" if share < 1 else ">99%" if share > 99 else f"{share:.0f}%"


def either(chinese: str, english: str) -> str:
    """The name in the language shown, the other one where it is missing."""
    first, second = (chinese, english) if language() == "zh_CN" else (english, chinese)
    return first or second
