"""A conflict check as a report shows it, from a fresh result or from a result layer with people's decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr
from planner_app.plugin_api.model import Project
from plugins.planning.model.causes import CAUSES, Cause
from plugins.planning.model.conflict_result import GRAVITY, NO_CLASS, ConflictResult
from plugins.planning.model.crosswalk import MAPPING_SETTING, Crosswalk, read_mapping
from plugins.planning.model.matrix import OUTSIDE
from plugins.planning.model.result_layer import FIELDS, metadata, patch_columns, read_metadata

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


@dataclass(slots=True)
class ConflictReport:
    """All that a report shows.

    Attributes:
        project: the project's name; run: what was compared (``result_layer.metadata``).
        columns: the patches, fields of ``result_layer.FIELDS``; geometry: their shapes, same order, largest first.
        backdrop: outlines of the first plan for the sketch map, may be empty.
    """

    project: str
    run: dict[str, Any]
    columns: dict[str, list[Any]]
    geometry: NDArray[np.object_]
    crosswalk: Crosswalk
    backdrop: NDArray[np.object_]
    _labels: dict[tuple[str, str | None, str], str] = field(default_factory=dict)

    @classmethod
    def of_result(cls, project: Project, result: ConflictResult) -> ConflictReport:
        """From a result that may not have been saved."""
        columns = patch_columns(result, language())
        return cls(
            project.name, metadata(result), columns, result.patches.geometry, _crosswalk(project), result.a.geometry
        )

    @classmethod
    def of_layer(cls, project: Project, layer_id: str) -> ConflictReport:
        """From a saved result, with its decisions.

        Raises:
            PlannerError: ``planning.not_conflicts``.
        """
        run = read_metadata(project, layer_id)
        layer = project.layer(layer_id)
        table = project.read(layer.id, columns=[info.name for info in FIELDS])
        shapes = shapely.from_wkb(table.geometry)
        order = np.argsort(-np.asarray(table.columns["area_m2"], dtype=float), kind="stable")
        columns = {name: [values[row] for row in order] for name, values in table.columns.items()}
        backdrop = np.zeros(0, dtype=object)
        if any(one.id == run["a"]["layer"] for one in project.layers()):
            backdrop = shapely.from_wkb(project.read(run["a"]["layer"], columns=[]).geometry)
        return cls(project.name, run, columns, shapes[order], _crosswalk(project), backdrop)

    def label(self, key: str, raw: str | None) -> str:
        """A class of side ``a`` or ``b`` with its name in the chosen language."""
        if raw == OUTSIDE:
            return tr("outside the boundary")
        known = (key, raw, language())
        if known not in self._labels:
            land = self.crosswalk.classify(None if raw == NO_CLASS else raw, self.run[key]["standard"])
            self._labels[known] = land.label(language())
        return self._labels[known]

    def reason(self, row: int) -> str:
        """Why a patch has its verdict, in the chosen language whatever the layer was saved in."""
        kept = self.columns["reason"][row] or ""
        chinese = language() == "zh_CN"
        return next((str(pair[chinese]) for pair in self.run["reasons"] if kept in pair), kept)

    def order(self) -> list[int]:
        """Rows as a reader wants them: true conflicts first, gravest verdicts first, largest first."""
        causes, verdicts, areas = self.columns["cause"], self.columns["verdict"], self.areas()
        rank = [cause.value for cause in (Cause.TRUE_CONFLICT, Cause.OUTDATED_VERSION, *CAUSES)]
        return sorted(
            range(len(areas)), key=lambda row: (rank.index(causes[row]), GRAVITY.index(verdicts[row]), -areas[row])
        )

    def areas(self) -> list[float]:
        """Area of each patch on the run's basis, m²."""
        planar = self.run["options"]["basis"] == "planar"
        return self.columns["area_m2" if planar else "area_ellipsoidal_m2"]


def _crosswalk(project: Project) -> Crosswalk:
    return Crosswalk(read_mapping(project.setting(MAPPING_SETTING, "")))


def write_conflict_report(report: ConflictReport, path: Path, map_png: bytes | None = None) -> None:
    """Write the report as .pdf, .html or .xlsx.

    Args:
        report: what to print.
        path: where to; the suffix decides.
        map_png: a map picture by the engine; without it a sketch of the patches is drawn.

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written``.
    """
    from planner_app.report.document import render_html, write_html, write_pdf

    suffix = path.suffix.casefold()
    if suffix == ".xlsx":
        from plugins.planning.model.conflict_workbook import write_conflict_workbook

        write_conflict_workbook(report, path)
    elif suffix in (".pdf", ".html"):
        from plugins.planning.model.conflict_print import template_values

        html = render_html("conflicts.html", template_values(report, map_png), [TEMPLATES])
        (write_pdf if suffix == ".pdf" else write_html)(html, path)
    else:
        raise PlannerError("report.format_unknown", file=path.name, known=".pdf, .html, .xlsx")
