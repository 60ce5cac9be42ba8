"""What a rule saw. A list of findings is a report."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """Four verdicts, never two. Missing data is never a pass."""

    PASS = "pass"  # noqa: S105 - 通过, no password
    FAIL = "fail"  # 不通过
    NEEDS_CERTIFICATE = "needs_certificate"  # 需论证
    CANNOT_JUDGE = "cannot_judge"  # 无法判定


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule applied to one feature.

    Attributes:
        rule: rule id.
        feature: what was judged (layer/fid, parcel number, site name).
        measured, limit, declared: unrounded values in ``unit``; None where there is none.
        standard, clause, edition, confidence: where the limit comes from and how sure that is.
        blocking: a fail that stops an approval: the rule's confidence is high and its evidence found, or the city
            has confirmed it. A fail that does not block is shown as a warning.
        borderline: within the rule's tolerance of the limit: 临界，人工复核.
        message: message id in ``resources/i18n/messages``; params: its values.
        evidence: GeoJSON geometry in the project CRS, or None.
    """

    rule: str
    verdict: Verdict
    feature: str = ""
    declared: float | None = None
    measured: float | None = None
    limit: float | None = None
    unit: str = ""
    standard: str = ""
    clause: str = ""
    edition: str = ""
    confidence: str = ""
    blocking: bool = False
    borderline: bool = False
    message: str = ""
    params: dict[str, Any] | None = None
    evidence: dict[str, Any] | None = None


def blocks(findings: list[Finding]) -> bool:
    """True if any finding is a fail that blocks (exit code 1 of a verb that judges)."""
    return any(f.verdict is Verdict.FAIL and f.blocking for f in findings)
