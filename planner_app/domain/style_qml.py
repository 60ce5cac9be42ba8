"""Styles as QML, the XML in which QGIS 3.40 keeps them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from planner_app.domain.layer import Geometry
from planner_app.domain.style import MOST_LABELS, LayerStyle, StyleClass

_MARK = "plannerStyle"
_SYMBOLS = {"polygon": "fill", "line": "line", "point": "marker", "none": "fill"}
_GEOMETRY_TYPES = {"point": "0", "line": "1", "polygon": "2", "none": "4"}
_FONT = "Noto Sans CJK SC"


def write_qml(style: LayerStyle, geometry: Geometry, mark: str) -> str:
    """The QML text; ``mark`` is kept in it and given back by :func:`read_mark`."""
    root = ET.Element(
        "qgis",
        {
            "version": "3.40.0",
            "styleCategories": "Symbology|Labeling|Rendering",
            "labelsEnabled": "1" if style.label_field else "0",
            "hasScaleBasedVisibilityFlag": "0",
            "minScale": "1e+08",
            "maxScale": "0",
            _MARK: mark,
        },
    )
    _renderer(root, style, geometry)
    if style.label_field:
        _labels(root, style, geometry)
    ET.SubElement(root, "blendMode").text = "0"
    ET.SubElement(root, "featureBlendMode").text = "0"
    ET.SubElement(root, "layerOpacity").text = f"{style.opacity:g}"
    ET.SubElement(root, "layerGeometryType").text = _GEOMETRY_TYPES[geometry]
    ET.indent(root, " ")
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode") + "\n"


def read_mark(qml: str) -> str | None:
    """The mark of :func:`write_qml`; None where there is none or the text is no XML."""
    if _MARK not in qml:
        return None
    try:
        return ET.fromstring(qml.split("\n", 1)[1]).get(_MARK)  # noqa: S314 - our own mark, no entities without DTD
    except (ET.ParseError, IndexError):
        return None


def _renderer(root: ET.Element, style: LayerStyle, geometry: Geometry) -> None:
    kinds = {"single": "singleSymbol", "categorised": "categorizedSymbol", "graduated": "graduatedSymbol"}
    attributes = {"type": kinds[style.kind], "symbollevels": "0", "forceraster": "0", "enableorderby": "0"}
    if style.kind != "single":
        attributes["attr"] = style.field
    if style.kind == "graduated":
        attributes["graduatedMethod"] = "GraduatedColor"
    renderer = ET.SubElement(root, "renderer-v2", attributes)
    if style.kind == "categorised":
        categories = ET.SubElement(renderer, "categories")
        for number, one in enumerate(style.classes):
            value = {"value": "", "type": "NULL"} if one.value is None else {"value": one.value, "type": "string"}
            label = one.label or one.value or ""
            ET.SubElement(
                categories, "category", {"symbol": str(number), "label": label, "render": "true", "uuid": "", **value}
            )
    elif style.kind == "graduated":
        ranges = ET.SubElement(renderer, "ranges")
        for number, one in enumerate(style.classes):
            ET.SubElement(
                ranges,
                "range",
                {
                    "symbol": str(number),
                    "lower": repr(float(one.lower or 0.0)),
                    "upper": repr(float(one.upper or 0.0)),
                    "label": one.label,
                    "render": "true",
                    "uuid": "",
                },
            )
    symbols = ET.SubElement(renderer, "symbols")
    for number, one in enumerate(style.classes or (StyleClass(),)):
        _symbol(symbols, str(number), one, geometry)


def _symbol(parent: ET.Element, name: str, one: StyleClass, geometry: Geometry) -> None:
    kind = _SYMBOLS[geometry]
    symbol = ET.SubElement(
        parent, "symbol", {"type": kind, "name": name, "alpha": "1", "clip_to_extent": "1", "force_rhr": "0"}
    )
    layers = {"fill": "SimpleFill", "line": "SimpleLine", "marker": "SimpleMarker"}
    layer = ET.SubElement(symbol, "layer", {"class": layers[kind], "enabled": "1", "pass": "0", "locked": "0"})
    outline = one.line if one.stroke else "no"
    width = f"{one.stroke_width:g}"
    if kind == "fill":
        options = {
            "color": _colour(one.fill or "#000000", one.fill_opacity if one.fill else 0.0),
            "style": "solid" if one.fill else "no",
            "outline_color": _colour(one.stroke or "#000000"),
            "outline_style": outline,
            "outline_width": width,
            "outline_width_unit": "MM",
            "joinstyle": "bevel",
        }
    elif kind == "line":
        options = {
            "line_color": _colour(one.stroke or one.fill or "#000000"),
            "line_style": one.line,
            "line_width": width,
            "line_width_unit": "MM",
            "capstyle": "flat" if one.line != "solid" else "round",
            "joinstyle": "round",
        }
    else:
        options = {
            "name": one.marker,
            "color": _colour(one.fill or "#000000", one.fill_opacity if one.fill else 0.0),
            "outline_color": _colour(one.stroke or "#000000"),
            "outline_style": outline,
            "outline_width": width,
            "outline_width_unit": "MM",
            "size": f"{one.size:g}",
            "size_unit": "MM",
        }
    _options(layer, options.items())


def _options(parent: ET.Element, options: Iterable[tuple[str, str]]) -> None:
    holder = ET.SubElement(parent, "Option", {"type": "Map"})
    for name, value in options:
        ET.SubElement(holder, "Option", {"type": "QString", "name": name, "value": value})


def _colour(colour: str, opacity: float = 1.0) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"


def _labels(root: ET.Element, style: LayerStyle, geometry: Geometry) -> None:
    labeling = ET.SubElement(root, "labeling", {"type": "simple"})
    settings = ET.SubElement(labeling, "settings", {"calloutType": "simple"})
    text = ET.SubElement(
        settings,
        "text-style",
        {
            "fieldName": style.label_field,
            "isExpression": "0",
            "fontFamily": _FONT,
            "fontSize": f"{style.label_size:g}",
            "fontSizeUnit": "Point",
            "fontWeight": "75" if style.label_bold else "50",
            "namedStyle": "Bold" if style.label_bold else "Regular",
            "textColor": _colour(style.label_colour),
            "textOpacity": "1",
            "multilineHeight": "1",
            "forcedBold": "0",
            "forcedItalic": "0",
        },
    )
    families = ET.SubElement(text, "families")
    for family in ("Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "WenQuanYi Micro Hei"):
        ET.SubElement(families, "family", {"name": family})
    ET.SubElement(
        text,
        "text-buffer",
        {
            "bufferDraw": "1",
            "bufferSize": "0.7",
            "bufferSizeUnits": "MM",
            "bufferColor": "255,255,255,220",
            "bufferOpacity": "0.86",
            "bufferNoFill": "1",
            "bufferJoinStyle": "128",
            "bufferBlendMode": "0",
        },
    )
    ET.SubElement(settings, "text-format", {"multilineAlign": "3", "wrapChar": "", "autoWrapLength": "0"})
    # Placements of QGIS: 1 over point, 2 line, 4 horizontal in a polygon, 6 around a point by preference.
    placement = {"polygon": "4", "line": "2", "point": "6", "none": "1"}[geometry]
    ET.SubElement(
        settings,
        "placement",
        {
            "placement": placement,
            "placementFlags": "9" if geometry == "line" else "10",
            "priority": "5",
            "dist": "1" if geometry == "point" else "0",
            "distUnits": "MM",
            "centroidWhole": "0",
            "centroidInside": "1",
            "fitInPolygonOnly": "0",
            "polygonPlacementFlags": "2",
            "predefinedPositionOrder": "TR,TL,BR,BL,R,L,TSR,BSR",
            "repeatDistance": "60" if geometry == "line" else "0",
            "repeatDistanceUnits": "MM",
        },
    )
    ET.SubElement(
        settings,
        "rendering",
        {
            "drawLabels": "1",
            "scaleVisibility": "1" if style.label_min_scale else "0",
            "scaleMin": "0",
            "scaleMax": f"{style.label_min_scale:g}",
            "limitNumLabels": "1",
            "maxNumLabels": str(MOST_LABELS),
            "obstacle": "1" if geometry == "polygon" else "0",
            "obstacleFactor": "0.4",
            "minFeatureSize": "4" if geometry == "polygon" else "0",
            "mergeLines": "1" if geometry == "line" else "0",
            "displayAll": "0",
            "upsidedownLabels": "0",
            "fontLimitPixelSize": "0",
            "unplacedVisibility": "0",
        },
    )
