"""Viewpoints: a view from above on an issue's place, and the two versions' forms of VisualizationInfo."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

Place = tuple[float, float, float]

#: Lines that draw one issue, at most.
MOST_LINES = 2_000
_GUID = re.compile(r"[0-9A-Za-z_$]{22}")


def view_from_above(
    guid: str,
    extent: tuple[float, float, float, float],
    height: float,
    lines: Iterable[tuple[Place, Place]] = (),
    guids: Sequence[str] = (),
    handles: Sequence[str] = (),
    system: str = "",
    aspect: float = 1.5,
) -> Element:
    """A VisualizationInfo (3.0) that looks straight down on an extent, north up.

    Args:
        extent: xmin, ymin, xmax, ymax in m; ``height`` of the camera, m.
        guids: IFC elements, selected; handles: entities of a drawing, as ids of the ``system`` they come from.
        aspect: width by height of the view.
    """
    xmin, ymin, xmax, ymax = extent
    info = Element("VisualizationInfo", Guid=guid)
    selected = [Element("Component", IfcGuid=one) for one in guids if _GUID.fullmatch(one)]
    for handle in handles:
        component = Element("Component")
        SubElement(component, "OriginatingSystem").text = system or "CAD"
        SubElement(component, "AuthoringToolId").text = handle
        selected.append(component)
    if selected:
        components = SubElement(info, "Components")
        SubElement(components, "Selection").extend(selected)
        SubElement(components, "Visibility", DefaultVisibility="true")
    camera = SubElement(info, "OrthogonalCamera")
    _place(camera, "CameraViewPoint", ((xmin + xmax) / 2, (ymin + ymax) / 2, height))
    _place(camera, "CameraDirection", (0.0, 0.0, -1.0))
    _place(camera, "CameraUpVector", (0.0, 1.0, 0.0))
    shown = 1.3 * max(ymax - ymin, (xmax - xmin) / aspect, 5.0)
    SubElement(camera, "ViewToWorldScale").text = repr(shown)
    SubElement(camera, "AspectRatio").text = repr(aspect)
    drawn = list(lines)[:MOST_LINES]
    if drawn:
        group = SubElement(info, "Lines")
        for start, end in drawn:
            line = SubElement(group, "Line")
            _place(line, "StartPoint", start)
            _place(line, "EndPoint", end)
    return info


def selected_guids(info: Element | None) -> tuple[str, ...]:
    """IFC GUIDs a viewpoint selects."""
    if info is None:
        return ()
    found = [one.get("IfcGuid", "") for one in info.iterfind("Components/Selection/Component")]
    return tuple(dict.fromkeys(one for one in found if _GUID.fullmatch(one)))


def selected_ids(info: Element | None, system: str) -> tuple[str, ...]:
    """Ids that a viewpoint selects of things of one system (entities of a drawing file)."""
    components = () if info is None else info.iterfind("Components/Selection/Component")
    found = [one.findtext("AuthoringToolId", "") for one in components if one.findtext("OriginatingSystem") == system]
    return tuple(dict.fromkeys(one for one in found if one))


def to_newer(info: Element) -> Element:
    """VisualizationInfo of 2.1 as 3.0 writes it."""
    info = copy.deepcopy(info)
    components = info.find("Components")
    if components is not None:
        hints, visibility = components.find("ViewSetupHints"), components.find("Visibility")
        if visibility is None:
            visibility = SubElement(components, "Visibility", DefaultVisibility="true")
        if hints is not None:
            components.remove(hints)
            visibility.insert(0, hints)
        for colour in components.iterfind("Coloring/Color"):
            parts = list(colour)
            if parts and parts[0].tag == "Component":
                for part in parts:
                    colour.remove(part)
                SubElement(colour, "Components").extend(parts)
    for camera in (*info.iterfind("OrthogonalCamera"), *info.iterfind("PerspectiveCamera")):
        if camera.find("AspectRatio") is None:
            SubElement(camera, "AspectRatio").text = "1.5"
    bitmaps = info.findall("Bitmap")
    if bitmaps:
        group = SubElement(info, "Bitmaps")
        for bitmap in bitmaps:
            info.remove(bitmap)
            kind = bitmap.find("Bitmap")
            if kind is not None:
                kind.tag, kind.text = "Format", (kind.text or "").strip().lower()
            group.append(bitmap)
    return _in_order(info)


def to_older(info: Element) -> Element:
    """VisualizationInfo of 3.0 as 2.1 writes it."""
    info = copy.deepcopy(info)
    components = info.find("Components")
    if components is not None:
        visibility = components.find("Visibility")
        hints = visibility.find("ViewSetupHints") if visibility is not None else None
        if visibility is not None and hints is not None:
            visibility.remove(hints)
            components.insert(0, hints)
        for colour in components.iterfind("Coloring/Color"):
            group = colour.find("Components")
            if group is not None:
                colour.remove(group)
                colour.extend(list(group))
    for camera in (*info.iterfind("OrthogonalCamera"), *info.iterfind("PerspectiveCamera")):
        ratio = camera.find("AspectRatio")
        if ratio is not None:
            camera.remove(ratio)
    group = info.find("Bitmaps")
    if group is not None:
        info.remove(group)
        for bitmap in group:
            kind = bitmap.find("Format")
            if kind is not None:
                kind.tag, kind.text = "Bitmap", (kind.text or "").strip().upper()
            info.append(bitmap)
    return _in_order(info)


_ORDER = ("Components", "OrthogonalCamera", "PerspectiveCamera", "Lines", "ClippingPlanes", "Bitmaps", "Bitmap")


def _in_order(info: Element) -> Element:
    """Parts in the schema's order; groups left empty are dropped, where a schema wants at least one entry."""
    parts = sorted(info, key=lambda part: _ORDER.index(part.tag) if part.tag in _ORDER else len(_ORDER))
    info[:] = [part for part in parts if len(part) or part.tag not in ("Lines", "ClippingPlanes", "Bitmaps")]
    components = info.find("Components")
    if components is not None:
        kept = [part for part in components if len(part) or part.tag not in ("Selection", "Coloring")]
        components[:] = kept
        for group in components.iterfind("Visibility"):
            group[:] = [part for part in group if len(part) or part.tag != "Exceptions"]
    return info


def _place(parent: Element, tag: str, place: Place) -> None:
    node = SubElement(parent, tag)
    for name, value in zip("XYZ", place, strict=True):
        SubElement(node, name).text = repr(float(value))
