"""What every rule kind needs: findings with their source, comparing with a limit, evidence on the ground, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from plugins.review.model.checking.types import Subject
from plugins.review.model.drawing.types import Note

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: The graver first.
GRAVITY = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE, Verdict.PASS)
#: Relative noise of floating point in areas and ratios.
_NOISE = 1e-9


def finding(
    rule: Rule,
    subject: Subject,
    verdict: Verdict,
    message: str,
    *,
    feature: str = "",
    declared: float | None = None,
    measured: float | None = None,
    limit: float | None = None,
    unit: str | None = None,
    borderline: bool = False,
    sure: bool = True,
    evidence: BaseGeometry | None = None,
    ground: BaseGeometry | None = None,
    **params: Any,
) -> Finding:
    """A finding of a rule.

    Args:
        sure: false where what was measured rests on rules or assumptions that must not block.
        evidence: in the drawing's metres; ground: in the project's CRS. One of them, or neither.
        params: values of the message; ``title`` and ``title_zh`` of the rule are there already.
    """
    standard, clause, edition = source_of(rule, subject)
    return Finding(
        rule=rule.id, verdict=verdict, feature=feature, declared=declared, measured=measured, limit=limit,
        unit=rule.unit if unit is None else unit, standard=standard, clause=clause, edition=edition,
        confidence=rule.confidence, blocking=verdict is Verdict.FAIL and rule.may_block and sure,
        borderline=borderline, message=message,
        params={"title": rule.title, "title_zh": rule.title_zh, "feature": feature} | params,
        evidence=geojson(ground) if ground is not None else placed_json(subject, evidence),
    )  # fmt: skip


def source_of(rule: Rule, subject: Subject) -> tuple[str, str, str]:
    """(standard, clause, edition): of a rule on the parcel's conditions the document itself."""
    conditions = subject.conditions
    if rule.params.get("from") != "conditions" or conditions is None:
        return rule.standard, rule.clause, rule.edition
    title = conditions.number or conditions.extra.get("plan", "") or conditions.parcel
    standard = f"{rule.standard} {title}".strip()
    return standard, rule.clause, conditions.issued


def cannot(rule: Rule, subject: Subject, note: Note, **about: Any) -> Finding:
    """ "Cannot judge" for a reason that is a note (code, params)."""
    code, params = note
    return finding(rule, subject, Verdict.CANNOT_JUDGE, code, **params, **about)


def compare(value: float, limit: float, relation: str, tolerance: float = 0.0, noise: float = 0.0) -> tuple[bool, bool]:
    """(kept, borderline) of an unrounded value; ``noise``: differences that the drawing's grid makes."""
    slack = max(noise, _NOISE * max(abs(value), abs(limit)))
    kept = value <= limit + slack if relation == "<=" else value >= limit - slack
    return kept, abs(value - limit) <= max(tolerance, slack)


def gravest(verdicts: Sequence[Verdict]) -> Verdict:
    """The gravest of several; cannot judge if there are none."""
    return min(verdicts, key=GRAVITY.index, default=Verdict.CANNOT_JUDGE)


def place(subject: Subject, shape: Any) -> Any:
    """A shape of the drawing in the project's CRS; None where the drawing has no place."""
    return None if shape is None or subject.to_project is None else subject.to_project(shape)


def placed_json(subject: Subject, shape: BaseGeometry | None) -> dict[str, Any] | None:
    """GeoJSON in the project's CRS of a shape in the drawing's metres, or None."""
    return geojson(place(subject, shape))


def geojson(shape: Any) -> dict[str, Any] | None:
    """GeoJSON of a shape; None of nothing."""
    if shape is None or shape.is_empty:
        return None
    import shapely

    found: dict[str, Any] = shapely.geometry.mapping(shapely.force_2d(shape))
    return found


def together(
    value: float, limit: float, *, percent: bool = False, digits: int = 2, apart: bool = True
) -> tuple[str, str]:
    """Two numbers as texts; with ``apart`` as many digits as it takes to tell them apart (six at most)."""
    factor = 100.0 if percent else 1.0
    a, b = value * factor, limit * factor
    for places in range(digits, 7 if apart else digits + 1):
        texts = f"{a:,.{places}f}", f"{b:,.{places}f}"
        if texts[0] != texts[1] or abs(a - b) < 1e-5:
            break
    mark = "%" if percent else ""
    return texts[0] + mark, texts[1] + mark


def pieces(shape: Any, rule: Rule) -> tuple[list[Any], list[Any]]:
    """(pieces of an overlap that count, those below the rule's gates). Width of a piece: 2 × area ÷ perimeter."""
    import shapely

    area, width = float(rule.params.get("min_area_m2", 0.0)), float(rule.params.get("min_width_m", 0.0))
    counted: list[Any] = []
    dropped: list[Any] = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and part.area > 0:
            wide = part.area >= area and 2.0 * part.area / part.length >= width
            (counted if wide else dropped).append(part)
    return counted, dropped


def area_of(parts: Sequence[Any]) -> float:
    """Sum of areas (m²)."""
    return float(sum(part.area for part in parts))


def one_shape(parts: Sequence[Any]) -> Any:
    """Several polygons as one geometry."""
    import shapely

    return parts[0] if len(parts) == 1 else shapely.multipolygons(list(parts))
