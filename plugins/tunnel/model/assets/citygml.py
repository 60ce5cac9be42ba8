"""Utilities in CityGML: the Utility Network ADE and Japan's i-UR (``uro:``, PLATEAU), as drafts of a network.

Lines are read from the level of detail that has one (``lod0``); a pipe drawn as a body only has its axis between the
middles of its ends. Heights come from the lowest body of the higher levels, since lines are flat at zero there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import shapely

from planner_app.domain.crs import authority_code, parse_crs
from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project, into_project
from plugins.tunnel.model.assets import cells, cjj61
from plugins.tunnel.model.assets.draft import Draft, DraftLine, DraftNode, join_ends

Element = ElementTree.Element
_ID = "{http://www.opengis.net/gml}id"
_LINES = re.compile(r"(Pipe|Cable|Duct|Canal|Conduit|Wire)$")
_POINTS = re.compile(
    r"(Manhole|Handhole|Appurtenance|Valve|Fitting|Meter|Hydrant|Component|Device|Chamber|Terminal|Tank|Station)$"
)
#: What i-UR's classes and the words of the ADE say about the kind.
_KIND = (("sewer", "WS"), ("storm", "YS"), ("water", "JS"), ("gas", "RQ"), ("thermal", "RL"), ("heat", "RL"),
         ("electric", "DL"), ("power", "DL"), ("telecom", "TX"), ("communication", "TX"))  # fmt: skip
#: i-UR UtilityNetworkElement_occupierType: who occupies the ground.
_OCCUPIER = {"100": "TX", "200": "TX", "300": "DL", "400": "RQ", "500": "JS", "600": "WS", "700": "RL"}
_LOD = re.compile(r"lod(\d)")


@dataclass(slots=True)
class _Object:
    """A city object: what it is, its id, attributes by local name, coordinates (n, 3) east, north, height by level."""

    tag: str
    id: str
    values: dict[str, str]
    lines: list[Any]
    points: list[Any]
    bodies: dict[int, Any]


def is_utilities(path: Path) -> bool:
    """True if a file is CityGML with pipes or cables."""
    if path.suffix.casefold() not in (".gml", ".xml"):
        return False
    with path.open("rb") as file:
        head = file.read(20_000)
        if b"opengis.net/citygml" not in head:
            return False
        while head:
            if re.search(rb"<[\w-]+:[A-Za-z]*(?:Pipe|Cable|Duct|Canal|Manhole|Handhole)[ >]", head):
                return True
            head = head[-100:] + more if (more := file.read(1 << 20)) else b""
    return False


def citygml_draft(project: Project, path: Path, network: str) -> Draft:
    """The network in a CityGML file, in the project's CRS; heights stay those of the file.

    Raises:
        PlannerError: ``import.unreadable``, ``import.crs_missing``, ``tunnel.citygml_no_lines``, ``crs.*``.
    """
    try:
        crs, objects = _parse(path)
    except ElementTree.ParseError as error:
        raise PlannerError("import.unreadable", file=path.name, detail=str(error)) from error
    if not crs:
        raise PlannerError("import.crs_missing", file=path.name)
    move = into_project(crs, project)
    draft = Draft(network)
    loose = []
    for number, one in enumerate(objects, 1):
        _place(one, move)
        where, code = f"{one.tag}:{number}", one.id.removeprefix("unf_") or f"{one.tag}{number}"
        if _LINES.search(one.tag):
            loose += _line(draft, one, code, where)
        else:
            _point(draft, one, code, where)
    if not loose:
        raise PlannerError("tunnel.citygml_no_lines", file=path.name)
    join_ends(draft, loose)
    draft.lines += loose
    draft.check()
    return draft


def _parse(path: Path) -> tuple[str, list[_Object]]:
    crs, north_first, objects = "", False, []
    for _, element in ElementTree.iterparse(path, ("end",)):  # noqa: S314 - expat bounds entities
        name = _local(element)
        srs = element.get("srsName", "")
        if name == "Envelope" and "EPSG" in srs and not crs:
            crs, north_first = _crs(srs)
        elif name in ("cityObjectMember", "featureMember", "component", "member"):
            for child in element:
                if _LINES.search(_local(child)) or _POINTS.search(_local(child)):
                    objects.append(_object(child, north_first))
            element.clear()
    return crs, objects


def _crs(srs: str) -> tuple[str, bool]:
    number = re.findall(r"\d+", srs.split("EPSG")[-1])[-1]
    crs = parse_crs(f"EPSG:{number}")
    crs = crs.sub_crs_list[0] if crs.is_compound else crs
    crs = crs.to_2d() if crs.is_geographic and len(crs.axis_info) == 3 else crs
    north = srs.startswith(("http", "urn")) and crs.axis_info[0].direction.casefold() == "north"
    return authority_code(crs), north


def _object(element: Element, north_first: bool) -> _Object:
    found = _Object(_local(element), element.get(_ID, ""), {}, [], [], {})
    _collect(element, found, north_first, 9)
    return found


def _collect(element: Element, found: _Object, north_first: bool, lod: int) -> None:
    for child in element:
        name = _local(child)
        level = int(matched[1]) if (matched := _LOD.match(name)) else lod
        if (name in ("LineString", "LineStringSegment", "Curve") and level == 0) or name == "LineString":
            found.lines += list(_positions(child, north_first, 2))
        elif name == "Point":
            found.points += list(_positions(child, north_first, 1))
        elif name == "LinearRing":
            rings = list(_positions(child, north_first, 3))
            if rings:
                before = found.bodies.get(level)
                found.bodies[level] = np.vstack([*([] if before is None else [before]), *rings])
        elif len(child):
            _collect(child, found, north_first, level)
        elif (text := (child.text or "").strip()) and name not in found.values:
            found.values[name] = text
            if child.get("uom"):
                found.values[f"{name}@uom"] = str(child.get("uom"))


def _positions(element: Element, north_first: bool, least: int) -> Iterator[Any]:
    text = " ".join(one.text or "" for one in element.iter() if _local(one) in ("posList", "pos"))
    flat = np.array(text.split(), float)
    if len(flat) % 3 == 0 and len(flat) >= 3 * least:
        xyz = flat.reshape(-1, 3)
        yield xyz[:, [1, 0, 2]] if north_first else xyz


def _local(element: Element) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _place(one: _Object, move: Any) -> None:
    def moved(xyz: Any) -> Any:
        x, y = move.transform(xyz[:, 0], xyz[:, 1])
        return np.column_stack([x, y, xyz[:, 2]])

    one.lines, one.points = [moved(xyz) for xyz in one.lines], [moved(xyz) for xyz in one.points]
    one.bodies = {level: moved(xyz) for level, xyz in one.bodies.items()}


def _line(draft: Draft, one: _Object, code: str, where: str) -> list[DraftLine]:
    courses = [xyz for xyz in one.lines if np.ptp(xyz[:, :2], axis=0).any()]
    if not courses and (axis := _axis(one)) is not None:
        courses = [axis]
        draft.mend(where, "tunnel.row_axis_from_body", id=code)
    if not courses:
        draft.reject(where, "tunnel.row_no_shape", id=code)
        return []
    values = _values(one)
    body = _body(one)
    made = []
    for number, xyz in enumerate(courses):
        z = xyz[:, 2] if xyz[:, 2].any() else np.full(len(xyz), math.nan)
        if np.isnan(z).all() and body is not None:
            z = np.array([_top(body, point) for point in xyz[:, :2]])
        points = [(float(x), float(y), float(up)) for (x, y, _), up in zip(xyz, z, strict=True)]
        levels: dict[str, Any] = {"z_ref": "top"}
        for key, height in (("z1", z[0]), ("z2", z[-1])):
            levels[key] = None if math.isnan(height) else round(float(height), 3)
        name = code if len(courses) == 1 else f"{code}_{number + 1}"
        made.append(DraftLine(name, "", "", points, values | levels, where))
    return made


def _body(one: _Object) -> Any:
    """The coordinates of the body that shows the pipe itself: above level 1, where bodies reach up to the ground."""
    levels = sorted(level for level in one.bodies if level >= 2)
    return one.bodies[levels[0]] if levels else None


def _top(body: Any, place: Any) -> float:
    """The top of a body near a place: among the half of its vertices that is nearest."""
    near = np.hypot(*(body[:, :2] - place).T)
    return float(body[near <= np.median(near), 2].max())


def _axis(one: _Object) -> Any:
    """The axis of a pipe drawn as a body: between the middles of the short sides of its outline."""
    if not one.bodies:
        return None
    body = one.bodies[min(one.bodies)]
    box = shapely.minimum_rotated_rectangle(shapely.multipoints(body[:, :2]))
    if box.geom_type != "Polygon":
        return None
    corners = shapely.get_coordinates(box)[:4]
    sides = np.hypot(*(np.roll(corners, -1, 0) - corners).T)
    first = int(np.argmin(sides))
    middles = [(corners[at % 4] + corners[(at + 1) % 4]) / 2 for at in (first, first + 2)]
    return np.array([(*middle, 0.0) for middle in middles])


def _point(draft: Draft, one: _Object, code: str, where: str) -> None:
    body = np.vstack(list(one.bodies.values())) if one.bodies else None
    if one.points:
        x, y = one.points[0][0, :2]
    elif body is not None:
        x, y = (body[:, :2].min(0) + body[:, :2].max(0)) / 2
        draft.mend(where, "tunnel.row_place_from_body", id=code)
    else:
        draft.reject(where, "tunnel.row_no_place", id=code, values="–")
        return
    ground = float(body[:, 2].max()) if body is not None else math.nan
    draft.add_node(DraftNode(
        code, float(x), float(y), ground, _kind(one), one.values.get("function", ""), one.tag, False, where
    ))  # fmt: skip


def _kind(one: _Object) -> str:
    folded = f"{one.tag} {one.values.get('class', '')}".casefold()
    named = next((kind for word, kind in _KIND if word in folded), "")
    return named or _OCCUPIER.get(one.values.get("occupierType", ""), "") or cjj61.kind_of(one.tag)


def _values(one: _Object) -> dict[str, Any]:
    inner = _millimetres(one, ("innerDiamiter", "innerDiameter", "interiorDiameter"))
    outer = _millimetres(one, ("outerDiamiter", "outerDiameter", "exteriorDiameter"))
    depth = [_metres(one, name) for name in ("depth", "minDepth", "maxDepth")]
    known = [value for value in depth if value is not None]
    return {
        "kind_code": _kind(one) or "BM", "dn_mm": inner or outer, "material": one.values.get("material"),
        "year": cells.year(one.values.get("year", "") or one.values.get("yearOfConstruction", "")),
        "depth1": known[0] if known else None, "depth2": known[-1] if known else None, "status": "in_use",
        "laying": "管埋" if one.tag == "Duct" else None,
    }  # fmt: skip


def _millimetres(one: _Object, names: Sequence[str]) -> int | None:
    for name in names:
        value = cells.number(one.values.get(name, ""))
        if value is not None and math.isfinite(value) and value > 0:
            return round(value * {"m": 1000.0, "cm": 10.0}.get(one.values.get(f"{name}@uom", "mm"), 1.0))
    return None


def _metres(one: _Object, name: str) -> float | None:
    value = cells.number(one.values.get(name, ""))
    if value is None or not math.isfinite(value) or value < 0:
        return None
    return value * {"mm": 0.001, "cm": 0.01}.get(one.values.get(f"{name}@uom", "m"), 1.0)
