"""What the verbs answer: drawings, indicators, differences and cases as JSON, numbers unrounded, notes worded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner_app.i18n import tr, word
from plugins.review.model.cases.records import Case, DrawingRecord, Issue
from plugins.review.model.drawing.types import Note
from plugins.review.model.indicators.types import KEYS, Indicators

if TYPE_CHECKING:
    from plugins.review.model.cases.workflow import CheckedDrawing, Imported
    from plugins.review.model.revisions.compare import Comparison
    from plugins.review.model.revisions.diff import Change


def notes_json(notes: Iterable[Note]) -> list[dict[str, Any]]:
    """Notes with their sentences."""
    return [{"code": code, "message": word(code, params)} for code, params in notes]


def indicators_json(found: Indicators) -> dict[str, Any]:
    """Every key, None where it cannot be measured, and the buildings."""
    buildings = [
        {
            "name": one.name,
            "footprint_m2": one.footprint_m2,
            "storeys": one.storeys,
            "height_m": one.height_m,
            "height_source": one.height_source,
            "gfa_m2": one.gfa_m2,
            "far_area_m2": one.far_area_m2,
            "stated_storeys": one.stated_storeys,
            "stated_height_m": one.stated_height_m,
            "handles": list(one.handles),
        }
        for one in found.buildings
    ]
    setbacks = [
        {"building": one.building, "to": one.to, "edge": one.edge, "bearing": one.bearing, "distance_m": one.distance_m}
        for one in found.setbacks
    ]
    spacings = [{"a": one.a, "b": one.b, "distance_m": one.distance_m} for one in found.spacings]
    values: dict[str, Any] = {key: found.value(key) for key in KEYS}
    return values | {
        "buildings": buildings, "setbacks": setbacks, "spacings": spacings, "green_by_kind": dict(found.green_by_kind),
        "area_rules": found.area_rules, "far_rules": found.far_rules,
    }  # fmt: skip


def reasons_json(found: Indicators) -> dict[str, list[str]]:
    """Why a figure is missing, or what it leaves out."""
    return {key: [word(code, params) for code, params in one.notes] for key, one in found.values.items() if one.notes}


def drawing_json(record: DrawingRecord, case: Case | None = None) -> dict[str, Any]:
    """A drawing in a list."""
    return {
        "drawing": record.number,
        "id": record.id,
        "case": case.number if case is not None else None,
        "file": record.file_name,
        "format": record.format,
        "kind": record.kind,
        "revision": record.revision,
        "placed": record.placement.method,
        "imported": record.imported_at,
        "sha256": record.sha256,
    }


def case_json(case: Case, drawings: Sequence[DrawingRecord], issues: Sequence[Issue]) -> dict[str, Any]:
    """A case in a list."""
    return {
        "case": case.number,
        "id": case.id,
        "title": case.title,
        "parcel": case.parcel,
        "status": case.status.value,
        "city": case.city,
        "permit_date": case.permit_date,
        "drawings": len(drawings),
        "issues": len(issues),
        "open_issues": sum(one.status.value != "closed" for one in issues),
    }


def issue_json(issue: Issue, case: Case | None, drawing: str) -> dict[str, Any]:
    """An issue in a list."""
    return {
        "case": case.number if case is not None else None,
        "issue": issue.number,
        "id": issue.id,
        "title": issue.title,
        "status": issue.status.value,
        "priority": issue.priority,
        "assignee": issue.assignee,
        "due": issue.due,
        "drawing": drawing,
        "anchor": issue.anchor_state,
        "rule": issue.rule,
        "handles": list(issue.anchors.handles),
    }


def imported_json(found: Imported) -> dict[str, Any]:
    """``planner review import``."""
    opened, plan = found.opened, found.opened.plan
    declared: dict[str, Any] = {key: plan.declared.get(key) for key in KEYS}
    declared |= {key: value for key, value in plan.declared.items() if key not in declared}
    repairs = [
        {"kind": one.kind, "handle": one.handle, "layer": one.layer, "detail": word(*one.detail), "undone": one.undone}
        for one in plan.repairs
    ]
    return {
        **drawing_json(found.record, found.case),
        "again": found.again,
        "entities": entity_count(opened.drawing),
        "layers": {str(role): list(names) for role, names in plan.roles.items()},
        "unread_layers": dict(plan.unread),
        "repairs": repairs,
        "warnings": notes_json(found.all_notes()),
        "indicators": indicators_json(found.indicators),
        "reasons": reasons_json(found.indicators),
        "declared": declared,
        "convention": plan.convention,
        "units": {"metres_per_unit": plan.units.metres_per_unit, "source": plan.units.source,
                  "header": plan.units.header},
        "region": list(plan.region) if plan.region else None,
        "placement": {"method": opened.placement.method, "crs": opened.placement.crs or None,
                      "rms_m": opened.placement.rms, "scale": opened.placement.scale,
                      "points": [{"name": one.name, "residual_m": one.residual, "used": one.used}
                                 for one in opened.placement.points]},
        "issues": [{"issue": one.issue.number, "anchor": one.state} for one in found.carried],
    }  # fmt: skip


def entity_count(drawing: Any) -> int:
    """Entities of a drawing as its file holds them: parts of blocks count with their insert."""
    return int(getattr(drawing, "count", 0) or len(drawing.entities))


def checked_json(found: CheckedDrawing) -> dict[str, Any]:
    """``planner review check``."""
    from planner_app.report.findings import finding_json

    check = found.check
    conditions = found.conditions
    rows = [
        {
            "key": row.key, "title": tr(row.title), "feature": row.feature,
            "declared": row.declared, "measured": row.measured,
            "limit": row.limit, "relation": row.relation, "unit": row.unit, "verdict": row.verdict.value,
            "borderline": row.borderline, "clause": row.clause,
        }
        for row in check.rows
    ]  # fmt: skip
    return {
        "verdict": check.verdict.value,
        "findings": [finding_json(one) for one in check.findings],
        "drawing": found.opened.record.number,
        "case": found.case.number if found.case is not None else None,
        "parcel": conditions.parcel if conditions is not None else None,
        "date": check.on.isoformat(),
        "rows": rows,
        "indicators": indicators_json(found.indicators),
        "warnings": notes_json((*found.notes, *check.notes)),
    }


def changes_text(change: Change) -> str:
    """What changed, as one sentence."""
    return "; ".join(word(code, params) for code, params in change.what)


def comparison_json(found: Comparison) -> dict[str, Any]:
    """``planner review diff``."""
    diff = found.diff
    return {
        "added": [one.handle for one in diff.added],
        "removed": [one.handle for one in diff.removed],
        "changed": [
            {"handle": one.handle, "what": changes_text(one), "kinds": list(one.kinds)} for one in diff.changed
        ],
        "unchanged": diff.unchanged,
        "shift_m": list(diff.shift) if diff.shift else None,
        "renumbered": diff.renumbered,
        "elements": [
            {"role": one.role, "name": one.name, "before": one.size_before, "after": one.size_after, "moved": one.moved}
            for one in found.elements
        ],
        "indicators": [{"key": key, "before": before, "after": after} for key, before, after in found.indicators],
        "issues": [{"issue": one.issue.number, "anchor": one.state} for one in found.issues],
    }


def conditions_answer(conditions: Any) -> Mapping[str, Any]:
    """Conditions without the parcel's shape, which nobody reads."""
    from plugins.review.model.conditions.types import conditions_json

    return {key: value for key, value in conditions_json(conditions).items() if key != "wkb"}
