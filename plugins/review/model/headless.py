"""The role's work without a window: the drawings beside the project are reviewed and their opinions written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import word_error
from planner_app.plugin_api.model import Project, VerbContext

_SUFFIXES = (".dxf", ".dwg", ".pdf", ".ifc")
#: A file named so is the as-built survey of the one that ends in ``_approved``.
_APPROVED, _SURVEY = "_approved", "_asbuilt"


def run_headless(context: VerbContext, project: Project, folder: Path) -> dict[str, Any]:
    """Import the drawings in ``<project>_drawings``, check each, write opinions and figures into a folder.

    A drawing that cannot be read is named with the reason, and the others are done.

    Returns:
        Verdicts by file and the files written; empty lists where there are no drawings.
    """
    from planner_app.report.findings import finding_json
    from plugins.review.model.answers import checked_json, imported_json
    from plugins.review.model.asbuilt.compare import as_built_json, compare_as_built
    from plugins.review.model.cases.workflow import check_drawing, import_drawing
    from plugins.review.model.opinion.write import export_opinion

    rules, as_built_rules = context.rules("review."), context.rules("asbuilt.")
    summary: dict[str, Any] = {"files": [], "drawings": [], "failed": []}

    def keep(name: str, data: dict[str, Any]) -> None:
        path = folder / name
        path.write_text(json.dumps(data, ensure_ascii=False, indent=1, default=str), encoding="utf-8")
        summary["files"].append(str(path))

    beside = project.path.with_name(f"{project.path.stem}_drawings")
    numbers: dict[str, str] = {}
    for path in sorted(one for one in beside.glob("*") if one.suffix.casefold() in _SUFFIXES):
        try:
            is_survey = path.stem.endswith(_SURVEY)
            approved = numbers.get(path.stem.removesuffix(_SURVEY) + _APPROVED, "") if is_survey else ""
            imported = import_drawing(project, path, kind="as_built" if is_survey else "")
            number = numbers[path.stem] = imported.record.number
            keep(f"review_{path.stem}.json", imported_json(imported))
            if approved:
                found = compare_as_built(project, approved, number, rules=as_built_rules)
                findings = [finding_json(one) for one in found.findings]
                verdict = found.verdict.value
                answer = {"verdict": verdict, "findings": findings, **as_built_json(found)}
                keep(f"review_{path.stem}_asbuilt.json", answer)
            else:
                checked = check_drawing(project, number, rules=rules)
                verdict = checked.check.verdict.value
                keep(f"review_{path.stem}_check.json", checked_json(checked))
            opinions = [folder / f"opinion_{path.stem}{suffix}" for suffix in (".pdf", ".docx", ".json")]
            export_opinion(
                project,
                number,
                *opinions,
                rules=[*rules, *as_built_rules],
                render_map=context.render_map,
                approved=approved,
            )
            summary["files"] += map(str, opinions)
            summary["drawings"].append({"file": path.name, "drawing": number, "verdict": verdict})
        except PlannerError as error:
            summary["failed"].append({"file": path.name, "error": " ".join(word_error(error))})
    return summary
