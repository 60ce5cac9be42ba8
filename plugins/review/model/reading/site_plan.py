"""Reading a site plan: from a drawing's entities to elements with roles, in the order that makes numbers true.

Convention by the layers, declared values, site-plan region, unit; then outline by outline: gaps closed, pieces joined,
hatch rings combined, crossings mended, duplicates dropped, overlaps counted once. Everything is computed in metres near
the origin and given back in the drawing's own axes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from planner_app.domain.errors import PlannerError
from plugins.review.model.drawing.types import Drawing, DrawingFormat, Entity, Note
from plugins.review.model.reading import buildings as houses
from plugins.review.model.reading.convention import Convention, LayerMatch, best_convention
from plugins.review.model.reading.declared import Declared, read_declared
from plugins.review.model.reading.ledger import Frame, Ledger, handle_key
from plugins.review.model.reading.outlines import Item, OpenLine, Outline, is_curve, read_outlines, sound
from plugins.review.model.reading.overlaps import cut_holes, cut_lower, drop_duplicates, merge_overlaps
from plugins.review.model.reading.parking import read_parking
from plugins.review.model.reading.pipes import read_pipes
from plugins.review.model.reading.regions import ON_SITE, Box, boxes, find_regions, rough_rings, within
from plugins.review.model.reading.types import Element, ReadingOptions, Role, SitePlan, UnitCheck
from plugins.review.model.reading.units import UnitClues, check_units

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

_TEXTS = {"TEXT", "MTEXT", "ATTRIB"}
_DEFAULTS = ReadingOptions()
_ROOF = "屋顶"
#: Below this, an elevation is a slip of the pen, m.
_FLAT = 0.0005


def read_site_plan(
    drawing: Drawing,
    options: ReadingOptions = _DEFAULTS,
    *,
    conventions: Mapping[str, Convention],
    parcel_area: float | None = None,
) -> SitePlan:
    """The elements of a site plan, with every repair, doubt and declared value.

    Args:
        conventions: as of :func:`load_conventions`.
        parcel_area: of the parcel under review in m², by which the unit is checked.

    Raises:
        PlannerError: ``review.convention_unknown``, ``review.alias_role``, ``review.unit_wrong``,
            ``review.known_length_missing``: what the options ask for can't be.
    """
    visible = [entity for entity in drawing.entities if entity.visible]
    counts = Counter(entity.layer for entity in visible)
    convention = _choose(options, conventions, counts)
    if convention is None or drawing.format == DrawingFormat.IFC:
        units = check_units(drawing, visible, options, UnitClues(parcel_m2=parcel_area))
        foreign = () if drawing.format == DrawingFormat.IFC else (("review.no_convention", {"layers": len(counts)}),)
        unread = {} if drawing.format == DrawingFormat.IFC else dict(sorted(counts.items()))
        return SitePlan((), "", units, {}, unread, (), {}, {}, notes=foreign)
    # GEOS leaves floating-point flags behind on collapsed rings; what it returns is looked at, not the flags.
    with np.errstate(all="ignore"):
        plan = _Reading(drawing, visible, counts, convention, options, parcel_area).run()
    if convention.base is not None:
        return plan
    return replace(plan, notes=(*plan.notes, ("review.pipes_alone", {"layers": len(plan.roles.get(Role.PIPE, ()))})))


def _choose(
    options: ReadingOptions, conventions: Mapping[str, Convention], counts: Mapping[str, int]
) -> Convention | None:
    if options.convention and options.convention not in conventions:
        raise PlannerError("review.convention_unknown", name=options.convention, known=", ".join(conventions))
    chosen = conventions[options.convention] if options.convention else None
    roles = {}
    for layer, role in options.aliases.items():
        if role not in {one.value for one in Role}:
            raise PlannerError("review.alias_role", layer=layer, role=role, known=", ".join(one.value for one in Role))
        roles[layer] = Role(role)
    if roles:
        on_top = {name: Convention(one.name, aliases=roles, base=one, own=one.own) for name, one in conventions.items()}
        return on_top[chosen.name] if chosen else best_convention(on_top, counts) or next(iter(on_top.values()), None)
    return chosen or best_convention(conventions, counts) or _pipes_alone(conventions, counts)


def _pipes_alone(conventions: Mapping[str, Convention], counts: Mapping[str, int]) -> Convention | None:
    """What all conventions stand on, if the drawing has layers of pipes: those are drawn alike by all."""
    root = next(iter(conventions.values()), None)
    while root is not None and root.base is not None:
        root = root.base
    matches = [root.match(layer) for layer in counts] if root is not None else []
    return root if any(match and match.role is Role.PIPE for match in matches) else None


class _Reading:
    """One reading; the steps of :meth:`run` in their order."""

    def __init__(
        self, drawing: Drawing, visible: Sequence[Entity], counts: Mapping[str, int], convention: Convention,
        options: ReadingOptions, parcel_area: float | None,
    ) -> None:  # fmt: skip
        self.drawing, self.visible, self.convention = drawing, visible, convention
        self.options, self.parcel_area = options, parcel_area
        matched = {layer: convention.match(layer) for layer in counts}
        self.matches: dict[str, LayerMatch] = {layer: match for layer, match in matched.items() if match}
        self.unread = {layer: counts[layer] for layer in sorted(counts) if layer not in self.matches}
        self.items: dict[Role, list[Item]] = defaultdict(list)
        for entity in visible:
            match = self.matches.get(entity.layer)
            if match is not None:
                self.items[match.role].append((entity, match))
        self.texts = [entity for entity in visible if entity.kind in _TEXTS and entity.text]
        self.notes: list[Note] = []

    def run(self) -> SitePlan:
        """Read it."""
        self._drop_fallbacks()
        roles: dict[str, set[str]] = defaultdict(set)
        for role, items in self.items.items():
            if items:
                roles[role.value] = {entity.layer for entity, _ in items}
        declared = self._declared()
        regions, box = self._region()
        units = self._units(declared, box)
        x0, y0, x1, y1 = box or self.drawing.extent or _extent(self.visible)
        scale = units.metres_per_unit
        frame = Frame(scale, (float(np.floor((x0 + x1) / 2 * scale)), float(np.floor((y0 + y1) / 2 * scale))))
        ordered = sorted((entity.handle for entity in self.visible), key=handle_key)
        ranks = {handle: rank for rank, handle in enumerate(ordered)}
        self.ledger = Ledger(frame, frozenset(self.options.undone_repairs), ranks)
        self._flatten()
        elements = self._elements()
        # What was cut near the origin may no longer be sound when rounded to far coordinates.
        moved = [sound(shape) for shape in frame.back_all([element.geometry for element in elements])]
        order = {role: number for number, role in enumerate(Role)}
        made = []
        for element, shape in zip(elements, moved, strict=True):
            if shape.is_empty:
                self.ledger.enter("sliver", element.handles, element.layer, None, area_m2=0.0)
            else:
                made.append(replace(element, geometry=shape))
        made.sort(key=lambda one: (order[one.role], ranks[one.handles[0]], one.geometry.bounds))
        return SitePlan(
            elements=tuple(made),
            convention=self.convention.name if self.convention.base is not None else "",
            units=units,
            roles={role.value: tuple(sorted(roles[role.value])) for role in Role if roles.get(role.value)},
            unread=self.unread,
            repairs=self.ledger.sorted(),
            declared=declared.values,
            declared_handles=declared.handles,
            declared_texts=declared.texts,
            region=box,
            regions=tuple(regions),
            notes=tuple(self.notes),
        )

    def _drop_fallbacks(self) -> None:
        """Layers that stand in for others count only where those are missing."""
        for role, items in self.items.items():
            firm = {match.building for _, match in items if not match.fallback and match.kind != "deduct"}
            self.items[role] = [item for item in items if not item[1].fallback or item[1].building not in firm]

    def _declared(self) -> Declared:
        layered = {entity.handle for entity, _ in self.items[Role.DECLARED]}
        here = [entity for entity in self.texts if entity.handle in layered]
        others = [entity for entity in self.texts if entity.handle not in layered]
        declared = read_declared(here, others, self.convention)
        self.notes += declared.notes
        return declared

    def _region(self) -> tuple[list[Box], Box | None]:
        """Candidate regions and the one to use; what stands outside it is taken out of the roles of the site plan."""
        placed = [item for role in ON_SITE for item in self.items[role]]
        bounds = boxes(placed)
        rings = rough_rings([entity for entity, _ in self.items[Role.SITE]])
        found = find_regions(rings, placed, bounds)
        self.sites = found[0].rings if found else ()
        box = found[0].box if found else None
        if self.options.region is not None:
            box = self.options.region
            frame = shapely.box(*box)
            self.sites = tuple(ring for ring in rings if frame.contains(ring.centroid))
        elif len(found) > 1:
            self.notes.append(("review.several_regions", {"count": len(found)}))
        if box is not None:
            self._leave_out(placed, within(placed, bounds, box))
        return [region.box for region in found], box

    def _leave_out(self, placed: Sequence[Item], inside: Any) -> None:
        outside = {entity.handle for (entity, _), there in zip(placed, inside.tolist(), strict=True) if not there}
        if not outside:
            return
        areas = {Role.SITE, Role.FOOTPRINT, Role.BASEMENT, Role.GREEN}
        layers = sorted({e.layer for e, match in placed if e.handle in outside and match.role in areas})
        if layers:
            count = sum(e.handle in outside and match.role in areas and not e.text for e, match in placed)
            self.notes.append(("review.outside_region", {"count": count, "layers": ", ".join(layers[:8])}))
        for role in ON_SITE:
            self.items[role] = [item for item in self.items[role] if item[0].handle not in outside]

    def _units(self, declared: Declared, box: Box | None) -> UnitCheck:
        edges = [shapely.get_coordinates(ring.exterior) for site in self.sites for ring in shapely.get_parts(site)]
        drawn = {
            role: [
                float(shapely.Polygon(entity.points).area)
                for entity, match in self.items[role][:2000]
                if is_curve(entity) and entity.closed and len(entity.points) > 2 and match.kind != "bicycle"
            ]
            for role in (Role.PARKING, Role.FOOTPRINT)
        }
        clues = UnitClues(
            site_area=float(shapely.union_all(list(self.sites)).area) if self.sites else None,
            site_edges=np.concatenate([np.hstack([xy[:-1], xy[1:]]) for xy in edges]) if edges else np.empty((0, 4)),
            places=drawn[Role.PARKING],
            buildings=drawn[Role.FOOTPRINT],
            declared_m2=declared.values.get("site_area_m2"),
            parcel_m2=self.parcel_area,
        )
        units = check_units(self.drawing, self.visible, self.options, clues)
        self.notes += units.notes
        return units

    def _flatten(self) -> None:
        """Elevations say nothing on a plan: they are left aside with an entry; undone, the entities are left out."""
        scale = self.ledger.frame.metres_per_unit
        raised = sorted(
            (
                entity
                for role, items in self.items.items()
                if role in ON_SITE | {Role.FLOOR_AREA, Role.PARKING}
                for entity, _ in items
                if abs(entity.z) * scale > _FLAT and (is_curve(entity) or entity.rings)
            ),
            key=lambda entity: self.ledger.rank(entity.handle),
        )
        if not raised:
            return
        z = max((entity.z * scale for entity in raised), key=abs)
        layers = sorted({entity.layer for entity in raised})
        params = {"count": len(raised), "z_m": z, "layers": ", ".join(layers[:6])}
        if not self.ledger.enter("flattened", [raised[0].handle], raised[0].layer, None, **params):
            gone = {entity.handle for entity in raised}
            for role in self.items:
                self.items[role] = [item for item in self.items[role] if item[0].handle not in gone]

    # ---------------------------------------------------------------- elements

    def _elements(self) -> list[Element]:
        outlines = self._unique(Role.FOOTPRINT)
        deducts = [one for one in outlines if one.match.kind == "deduct"]
        solid = [one for one in outlines if one.match.kind != "deduct"]
        elsewhere = {entity.handle for entity, _ in self.items[Role.DECLARED]}
        texts = [entity for entity in self.texts if entity.handle not in elsewhere]
        built = houses.read_buildings(solid, texts, self.convention, self.ledger)
        elements, notes = houses.footprints(built, deducts, self.ledger)
        self.notes += notes
        lettered = houses.height_dimensions(self.visible, self.items[Role.HEIGHT], self.convention)
        tall, notes = houses.heights([*self.items[Role.HEIGHT], *lettered], built, self.convention, self.ledger)
        elements += tall
        self.notes += notes
        floors = merge_overlaps(self._unique(Role.FLOOR_AREA), self.ledger, lambda one: one.layer)
        elements += houses.floor_areas(floors, self.items[Role.FLOOR_AREA], built, self.convention)
        elements += [_plain(Role.SITE, one, built) for one in cut_holes(self._unique(Role.SITE), self.ledger)]
        elements += [_plain(Role.BASEMENT, one, built) for one in self._unique(Role.BASEMENT)]
        elements += [houses.named(_plain(Role.BALCONY, one, built), built) for one in self._unique(Role.BALCONY)]
        elements += self._green()
        elements += [_plain(Role.VEGETATION, one, built) for one in self._unique(Role.VEGETATION)]
        site = [one.geometry for one in elements if one.role == Role.SITE]
        places, notes = read_parking(self.items[Role.PARKING], self.visible, site, self.convention, self.ledger)
        elements += places
        self.notes += notes
        for role in (Role.BUILD_TO, Role.ROAD_LINE, Role.ROAD):
            elements += self._lines(role, built)
        elements += read_pipes(self.items[Role.PIPE], self.texts, self.ledger.frame)
        return elements + self._points()

    def _unique(self, role: Role) -> list[Outline]:
        """Outlines of a role, each once."""
        outlines, loose = read_outlines(self.items[role], self.ledger)
        self._say_loose(loose)
        return drop_duplicates(outlines, self.ledger, _SCOPES.get(role, _anywhere))

    def _say_loose(self, loose: Sequence[OpenLine]) -> None:
        """Lines that bound nothing on layers for areas: named by layer, not counted."""
        strays: dict[str, list[OpenLine]] = defaultdict(list)
        for line in loose:
            if shapely.get_num_coordinates(line.geometry) == 2:
                strays[line.layer].append(line)
        for layer in sorted(strays):
            handles = ", ".join(line.handles[0] for line in strays[layer][:6])
            params = {"layer": layer, "count": len(strays[layer]), "handles": handles}
            self.notes.append(("review.stray_lines", params))

    def _green(self) -> list[Element]:
        """Green on the ground, every square metre once, and green on roofs apart from it."""
        kinds = list(self.convention.kinds_of(Role.GREEN.value))
        outlines = merge_overlaps(self._unique(Role.GREEN), self.ledger, lambda one: one.match.kind)
        roof = [one for one in outlines if one.match.kind == _ROOF]
        ground = [one for one in outlines if one.match.kind != _ROOF]
        ground = cut_lower(
            ground, self.ledger, lambda one: kinds.index(one.match.kind) if one.match.kind in kinds else len(kinds)
        )
        return [Element(Role.GREEN, o.geometry, o.handles, o.layer, kind=o.match.kind) for o in (*ground, *roof)]

    def _lines(self, role: Role, built: houses.Buildings) -> list[Element]:
        outlines, loose = read_outlines(self.items[role], self.ledger, lines_count=True, join=role == Role.BUILD_TO)
        outlines = drop_duplicates(outlines, self.ledger, _anywhere)
        drawn: list[Outline | OpenLine] = [*outlines, *loose]
        return [_plain(role, one, built) for one in drawn]

    def _points(self) -> list[Element]:
        """Control points with the name that stands beside them."""
        frame, items = self.ledger.frame, self.items[Role.CONTROL_POINT]
        texts = [entity for entity, _ in items if entity.text and len(entity.points)]
        dots = np.array([frame.local(entity.points[0]) for entity in texts]).reshape(-1, 2)
        made = []
        for entity, _ in items:
            if entity.kind not in ("POINT", "INSERT") or not len(entity.points):
                continue
            here = frame.local(entity.points[0])
            away = np.hypot(*(dots - here).T) if len(dots) else np.array([])
            name = texts[int(np.argmin(away))].text if len(away) and away.min() < 10 else ""
            made.append(Element(Role.CONTROL_POINT, shapely.Point(here), (entity.handle,), entity.layer, text=name))
        return made


def _plain(role: Role, one: Outline | OpenLine, built: houses.Buildings) -> Element:
    match = one.match
    name = built.name_like(match.building) if match.building else ""
    geometry: BaseGeometry = one.geometry
    return Element(role, geometry, one.handles, one.layer, building=name, floor=match.floor, kind=match.kind)


def _extent(entities: Sequence[Entity]) -> Box:
    places = [entity.points[0] for entity in entities if len(entity.points)]
    low, high = (np.min(places, axis=0), np.max(places, axis=0)) if places else (np.zeros(2), np.zeros(2))
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _anywhere(_: Outline) -> str:
    return ""


#: Among which outlines of a role one may repeat another; else among all.
_SCOPES = {
    Role.FOOTPRINT: lambda one: one.match.kind,
    Role.FLOOR_AREA: lambda one: one.layer,
    Role.GREEN: lambda one: one.match.kind == _ROOF,
    Role.BALCONY: lambda one: one.match.floor,
}
