"""The role's work without a window: the conflict check and a site check on a project, with their reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner_app.domain.layer import LayerInfo, PlanKind
from planner_app.i18n import language, tr
from planner_app.plugin_api.model import Project, RenderMap, VerbContext

#: Pixels of a report's map.
MAP_SIZE = (1800, 1100)


def run_headless(context: VerbContext, project: Project, folder: Path) -> dict[str, Any]:
    """Compare the master plan with the land-use plan, check one site, and write all reports into a folder.

    Returns:
        Figures of both checks and the files written; a part whose layers the project has not is left out.
    """
    from plugins.planning.model.conflict_report import ConflictReport, write_conflict_report
    from plugins.planning.model.conflicts import run_conflicts
    from plugins.planning.model.control import check_site
    from plugins.planning.model.plan_side import LayerField
    from plugins.planning.model.result_layer import save_result
    from plugins.planning.model.site import read_site
    from plugins.planning.model.site_report import write_site_report

    summary: dict[str, Any] = {"files": []}
    master, land_use = _plan_layer(project, PlanKind.MASTER), _plan_layer(project, PlanKind.LAND_USE)
    if master and land_use:
        result = run_conflicts(project, LayerField(master.id), LayerField(land_use.id))
        layer = save_result(project, result, tr("Conflict patches"), language=language())
        report = ConflictReport.of_layer(project, layer.id)
        picture = conflict_map(project, layer.id, context.render_map)
        for suffix in (".pdf", ".html", ".xlsx"):
            path = folder / f"conflicts{suffix}"
            write_conflict_report(report, path, picture)
            summary["files"].append(str(path))
        found = result.as_json()
        summary["conflicts"] = {key: found[key] for key in ("pairs", "patches", "area_m2", "by_cause", "seconds")}
    site = _site(project)
    if site:
        check = check_site(
            project,
            read_site(project, site),
            plans=[LayerField(layer.id) for layer in (master, land_use) if layer],
        )
        for suffix in (".pdf", ".xlsx"):
            path = folder / f"site_check{suffix}"
            write_site_report(check, path, project.name)
            summary["files"].append(str(path))
        summary["site"] = {
            "verdict": check.verdict().value,
            "site_area_m2": check.site_area,
            "lines": {finding.rule: finding.verdict.value for finding in check.findings},
        }
    return summary


def conflict_map(project: Project, layer_id: str, render_map: RenderMap) -> bytes | None:
    """A map picture of a saved result for its report; None where there is no engine."""
    extent = project.extent(layer_id)
    return (render_map(project, extent, MAP_SIZE) or None) if extent is not None else None


def _plan_layer(project: Project, kind: PlanKind) -> LayerInfo | None:
    plans = {plan.id for plan in project.plans() if plan.kind is kind}
    layers = [layer for layer in project.layers() if layer.plan_id in plans and layer.class_field]
    return next((layer for layer in layers if layer.geometry == "polygon"), None)


def _site(project: Project) -> str:
    """The first site plan in the folder of drawings beside the project, else the detailed plan's largest parcel."""
    drawings = sorted(project.path.with_name(f"{project.path.stem}_drawings").glob("*.dxf"))
    if drawings:
        return str(drawings[0])
    detailed = _plan_layer(project, PlanKind.DETAILED)
    if detailed is None:
        return ""
    import shapely

    table = project.read(detailed.id, columns=[])
    areas = shapely.area(shapely.from_wkb(table.geometry))
    return f"{detailed.id}#{int(table.fids[areas.argmax()])}" if len(areas) else ""
