"""Site check: what of a site lies in each control line and in each land class of each plan, and what the rules say."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.layer import LayerInfo
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.planning.model.control_rules import (
    STAY_WITHIN,
    LineEvidence,
    Spot,
    judge_line,
    judge_without_rule,
    line_rules,
    passes_gates,
    rule_named,
    rule_of_layer,
    shipped_rules,
)
from plugins.planning.model.crosswalk import MAPPING_SETTING, Crosswalk, LandClass, guess_standard, read_mapping
from plugins.planning.model.plan_side import LayerField, plan_of
from plugins.planning.model.site import Site

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

#: Ground around the site that the report's sketch shows, as a part of the site's longer side.
SURROUNDINGS = 0.6


@dataclass(frozen=True, slots=True)
class AreaRow:
    """Part of a site in one control line (no class) or one land class of a plan; m² planar and ellipsoidal.

    ``land`` is None for control lines and for what no feature of a plan covers (``covered`` False).
    """

    layer: str
    kind: str
    land: LandClass | None
    area: float
    area_ellipsoidal: float
    covered: bool = True


@dataclass(frozen=True, slots=True)
class LineCheck:
    """One control line: its finding, what was measured, and the pieces that the gates left out."""

    finding: Finding
    rule: Rule | None
    layer: LayerInfo | None
    inside: float
    inside_ellipsoidal: float
    breach_ellipsoidal: float
    counted: tuple[Spot, ...]
    dropped: tuple[Spot, ...]


@dataclass(slots=True)
class SiteCheck:
    """The answer of a site check.

    Attributes:
        on: ISO day whose rules were applied; purpose: what the project declared itself to be.
        areas: parts of the site, control lines first.
        unmapped: class values per plan layer that no crosswalk explains.
        surroundings: features of the first plan in and around the site, for the report's sketch.
    """

    site: Site
    crs: str
    on: str
    purpose: str
    site_area: float
    site_area_ellipsoidal: float
    lines: list[LineCheck]
    areas: list[AreaRow]
    unmapped: dict[str, list[str]] = field(default_factory=dict)
    surroundings: list[BaseGeometry] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def findings(self) -> list[Finding]:
        """One finding per line, in the order of the rules."""
        return [line.finding for line in self.lines]

    def verdict(self) -> Verdict:
        """The gravest verdict of all lines."""
        order = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE, Verdict.PASS)
        return min((finding.verdict for finding in self.findings), key=order.index, default=Verdict.CANNOT_JUDGE)


def check_site(
    project: Project,
    site: Site,
    *,
    lines: Sequence[str] | None = None,
    plans: Sequence[LayerField] = (),
    rules: Sequence[Rule] | None = None,
    on: str = "",
    purpose: str = "",
    city: str = "",
    progress: Progress | None = None,
) -> SiteCheck:
    """Check one site.

    Every rule of the standard set gets a finding: a line without a layer is "cannot judge", never a pass.

    Args:
        project: the open project; nothing is written.
        site: what is checked.
        lines: control-line layers (ids or names); None: every layer that is one by its name or plan.
        plans: plan layers whose land classes are summed up.
        rules: rules from the host; None: those shipped with the plugin.
        on: ISO day whose rules apply; empty: today.
        purpose: what the project declares itself to be (an entry of a rule's ``exceptions``).
        city: whose own rules go before the national ones.

    Raises:
        PlannerError: ``layer.unknown`` or ``planning.field_missing`` for a plan that is not there,
            ``planning.purpose_unknown``.
        Cancelled: the person asked to stop.
    """
    progress = progress or NoProgress()
    started = time.perf_counter()
    on = on or date.today().isoformat()
    every_rule = list(rules) if rules is not None else shipped_rules()
    in_force = line_rules(every_rule, date.fromisoformat(on), city)
    known = sorted({name for rule in in_force for name in rule.params.get("exceptions", [])})
    if purpose and purpose not in known:
        raise PlannerError("planning.purpose_unknown", purpose=purpose, known=", ".join(known))
    work = _Work(project, site, in_force, purpose)
    progress.update(0.0, "stage.control_lines")
    named = _find_lines(project, in_force, lines)
    checked: list[LineCheck] = []
    for number, (rule, layer, state, name) in enumerate(named):
        check(progress)
        checked.append(work.check_line(rule, layer, state, name))
        progress.update(0.6 * (number + 1) / len(named), "stage.control_lines")
    measured = [line for line in checked if line.layer is not None and line.finding.measured is not None]
    areas = [
        AreaRow(line.layer.name, "line", None, line.inside, line.inside_ellipsoidal) for line in measured if line.layer
    ]
    unmapped: dict[str, list[str]] = {}
    for number, plan in enumerate(plans):
        check(progress)
        rows, unknown = work.class_areas(plan)
        areas += rows
        if unknown:
            unmapped[rows[0].layer] = unknown
        progress.update(0.6 + 0.4 * (number + 1) / len(plans), "stage.control_plans")
    planar, ellipsoidal = work.areas_of([site.geometry])[0]
    seconds = time.perf_counter() - started
    around = work.surroundings
    return SiteCheck(site, project.crs, on, purpose, planar, ellipsoidal, checked, areas, unmapped, around, seconds)


_Line = tuple[Rule | None, LayerInfo | None, str, str]


def _find_lines(project: Project, rules: Sequence[Rule], wanted: Sequence[str] | None) -> list[_Line]:
    """(rule, layer, state, name) of every line to report: the standard set in its order, then layers no rule knows."""
    found: list[_Line] = []
    present = [(rule_of_layer(layer, plan_of(project, layer), rules), layer) for layer in project.layers()]
    present = [(rule, layer) for rule, layer in present if not layer.role and layer.geometry in ("polygon", "line")]
    if wanted is None:
        found = [(rule, layer, "measured", layer.name) for rule, layer in present if rule is not None]
    else:
        for name in dict.fromkeys(wanted):
            try:
                layer = project.layer(name)
            except PlannerError as error:
                if error.code != "layer.unknown":
                    raise
                found.append((rule_named(name, rules), None, "unknown", name))
                continue
            found.append((rule_of_layer(layer, plan_of(project, layer), rules), layer, "measured", layer.name))
    for rule in rules:
        if not any(rule == one for one, *_ in found):
            others = [layer.name for one, layer in present if one == rule]
            found.append((rule, None, "not_named" if others else "missing", ", ".join(others)))
    order = {rule.id: number for number, rule in enumerate(rules)}
    return sorted(found, key=lambda line: order.get(line[0].id, len(order)) if line[0] else len(order))


class _Work:
    """Reads layers around one site and measures them."""

    def __init__(self, project: Project, site: Site, rules: Sequence[Rule], purpose: str) -> None:
        self._project, self._site, self._purpose = project, site, purpose
        self._bbox = west, south, east, north = site.geometry.bounds
        margin = SURROUNDINGS * max(east - west, north - south)
        self._around = (west - margin, south - margin, east + margin, north + margin)
        self.surroundings: list[BaseGeometry] = []

    def areas_of(self, shapes: Sequence[BaseGeometry]) -> list[tuple[float, float]]:
        """(planar, ellipsoidal) m² of each shape."""
        from planner_app.domain.area import ellipsoidal

        areas = zip(shapely.area(list(shapes)), ellipsoidal(list(shapes), self._project.crs), strict=True)
        return [(float(planar), float(other)) for planar, other in areas]

    def check_line(self, rule: Rule | None, layer: LayerInfo | None, state: str, name: str) -> LineCheck:
        """Measure and judge one line."""
        site = self._site
        inside: Any = shapely.Polygon()
        spots: list[Spot] = []
        crossing = 0.0
        if layer is not None:
            state, shapes, strict, lines = self._read_line(layer, rule)
            if state == "measured":
                inside = _polygonal(shapely.intersection(site.geometry, shapely.union_all(shapes)))
                breach = inside
                if rule is not None and rule.kind == STAY_WITHIN:
                    breach = _polygonal(shapely.difference(site.geometry, shapely.union_all(shapes)))
                spots = _spots(breach, shapely.union_all(shapes[strict]) if strict.any() else None)
            elif state == "open_lines":
                crossing = float(shapely.length(shapely.intersection(site.geometry, shapely.union_all(lines))))
        seen = LineEvidence(site.name, name, state, tuple(spots), crossing, self._purpose)
        finding = judge_line(rule, seen)[0] if rule else judge_without_rule(seen)
        counted = tuple(spot for spot in spots if passes_gates(rule, spot))
        dropped = tuple(spot for spot in spots if not passes_gates(rule, spot))
        planar, ellipsoidal = self.areas_of([inside])[0]
        breach_ellipsoidal = sum(area for _, area in self.areas_of([spot.geometry for spot in counted]))
        return LineCheck(finding, rule, layer, planar, ellipsoidal, breach_ellipsoidal, counted, dropped)

    def _read_line(self, layer: LayerInfo, rule: Rule | None) -> tuple[str, Any, Any, Any]:
        """(state, polygons near the site, which of them are strict zones, lines near the site)."""
        from planner_app.compute import repair

        none = np.zeros(0, dtype=object)
        nothing = np.zeros(0, dtype=bool)
        if self._project.count(layer.id) == 0:
            return "empty", none, nothing, none
        columns = [layer.class_field] if layer.class_field else []
        table = self._project.read(layer.id, columns=columns, bbox=self._bbox)
        shapes = shapely.from_wkb(table.geometry)
        if layer.geometry == "line":
            lines = shapely.force_2d(shapes[~shapely.is_missing(shapes)])
            drawn = (
                lines
                if len(lines)
                else shapely.from_wkb(self._project.read(layer.id, columns=[], limit=1_000).geometry)
            )
            if not shapely.is_closed(drawn[~shapely.is_missing(drawn)]).all():
                return "open_lines", none, nothing, lines
            polygons = shapely.get_parts(shapely.polygonize(lines)) if len(lines) else none
            return "measured", polygons, np.zeros(len(polygons), dtype=bool), none
        words = [str(word).casefold() for word in (rule.params.get("strict_values", []) if rule else [])]
        values = table.columns[layer.class_field] if layer.class_field else [None] * len(shapes)
        strict = np.array([any(word in str(value).casefold() for word in words) for value in values], dtype=bool)
        repaired = repair(shapes).geoms
        there = ~shapely.is_missing(repaired)
        return "measured", repaired[there], strict[there], none

    def class_areas(self, plan: LayerField) -> tuple[list[AreaRow], list[str]]:
        """Parts of the site per land class of a plan, largest first, and the class values nobody mapped."""
        from planner_app.compute import repair

        layer = self._project.layer(plan.layer)
        chosen = layer.field(plan.field or layer.class_field) if plan.field or layer.class_field else None
        if chosen is None:
            known = ", ".join(one.name for one in layer.fields)
            raise PlannerError("planning.field_missing", layer=layer.name, field=plan.field or "?", known=known)
        if layer.geometry != "polygon":
            raise PlannerError("planning.not_polygons", layer=layer.name, geometry=layer.geometry)
        table = self._project.read(layer.id, columns=[chosen.name], bbox=self._around)
        values = table.columns[chosen.name]
        registered = layer.class_standard if chosen.name == layer.class_field else ""
        name = plan.standard or registered or guess_standard(chosen.name, values)
        classes, rows = Crosswalk(read_mapping(self._project.setting(MAPPING_SETTING, ""))).classify_all(values, name)
        shapes = repair(shapely.from_wkb(table.geometry)).geoms
        self.surroundings = self.surroundings or [shape for shape in shapes if shape is not None]
        pieces = shapely.intersection(shapes, self._site.geometry)
        index = np.asarray(rows, dtype=np.int64)
        there = ~shapely.is_missing(pieces)
        parts = [_polygonal(shapely.union_all(pieces[there & (index == number)])) for number in range(len(classes))]
        rest = _polygonal(shapely.difference(self._site.geometry, shapely.union_all(parts)))
        found = [
            AreaRow(layer.name, "plan", land, planar, ellipsoidal)
            for land, (planar, ellipsoidal) in zip(classes, self.areas_of(parts), strict=True)
            if planar > 0
        ]
        found.sort(key=lambda row: -row.area)
        planar, ellipsoidal = self.areas_of([rest])[0]
        if planar > 1e-6 * self._site.geometry.area or not found:
            found.append(AreaRow(layer.name, "plan", None, planar, ellipsoidal, covered=False))
        there_classes = {row.land.raw for row in found if row.land}
        unknown = sorted(c.raw for c in classes if c.raw is not None and not c.mapped and c.raw in there_classes)
        return found, unknown


def _polygonal(shape: Any) -> Any:
    """What of a shape has an area; an empty polygon where nothing has."""
    from planner_app.compute import polygonal_part

    array = np.empty(1, dtype=object)
    array[0] = shape
    part = polygonal_part(array)[0]
    return shapely.Polygon() if part is None else part


def _spots(breach: Any, strict: Any) -> list[Spot]:
    """Contiguous pieces, largest first; a piece that meets a strict zone in more than a line is strict."""
    spots = []
    for part in shapely.get_parts(breach):
        area, length = float(shapely.area(part)), float(shapely.length(part))
        if area <= 0:
            continue
        in_strict = strict is not None and float(shapely.area(shapely.intersection(part, strict))) > 1.0
        spots.append(Spot(part, area, 2.0 * area / length if length else 0.0, in_strict))
    return sorted(spots, key=lambda spot: -spot.area)
