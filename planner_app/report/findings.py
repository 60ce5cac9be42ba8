"""Findings as the command line prints them."""

from __future__ import annotations

from typing import Any

from planner_app.domain.finding import Finding
from planner_app.i18n import tr, word

_VERDICTS = {
    "pass": "Pass",
    "fail": "Fail",
    "needs_certificate": "Needs certificate",
    "cannot_judge": "Cannot judge",
}


def verdict_word(verdict: str) -> str:
    """The verdict in the chosen language: 通过, 不通过, 需论证, 无法判定."""
    return tr(_VERDICTS[str(verdict)])


def finding_message(finding: Finding) -> str:
    """The finding's sentence in the chosen language."""
    return word(finding.message, dict(finding.params or {}))


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding with the keys of the command line; numbers unrounded, ``message`` worded, evidence as GeoJSON."""
    return {
        "rule": finding.rule,
        "verdict": finding.verdict.value,
        "feature": finding.feature,
        "declared": finding.declared,
        "measured": finding.measured,
        "limit": finding.limit,
        "unit": finding.unit,
        "standard": finding.standard,
        "clause": finding.clause,
        "edition": finding.edition,
        "confidence": finding.confidence,
        "blocking": finding.blocking,
        "borderline": finding.borderline,
        "message": finding_message(finding),
        "evidence": finding.evidence,
    }
