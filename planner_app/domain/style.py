"""How a layer looks, as a small model that becomes a QML style QGIS Desktop draws the same.

Styles made here are marked in the QML; any other style is left byte for byte (``from_qml`` returns None for it).
Widths and sizes are millimetres, opacities 0 to 1, colours ``#RRGGBB`` (empty: none), scales denominators.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

from planner_app.domain.layer import Geometry

Kind = Literal["single", "categorised", "graduated"]
Line = Literal["solid", "dash", "dot", "dash dot", "dash dot dot"]
Marker = Literal["circle", "square", "diamond", "triangle", "cross"]

#: Labels of a layer in one picture at most.
MOST_LABELS = 600


@dataclass(frozen=True, slots=True)
class StyleClass:
    """How one class is drawn.

    Attributes:
        value: the class field's value; None is everything else (categorised) or everything (single).
        lower, upper: range of a graduated class, lower end excluded but for the first.
        fill: inside of a polygon or marker; stroke: outline or line; empty: none.
        size: diameter of a marker.
    """

    value: str | None = None
    label: str = ""
    fill: str = "#D5DAE1"
    stroke: str = "#6B7584"
    stroke_width: float = 0.12
    line: Line = "solid"
    fill_opacity: float = 1.0
    marker: Marker = "circle"
    size: float = 2.0
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True)
class LayerStyle:
    """A layer's style.

    Attributes:
        field: the field the classes are about; empty for ``single``.
        classes: drawn in this order in the legend; one for ``single``.
        label_field: what is written at the features; empty: nothing.
        label_size: points; label_min_scale: labels show from 1 : this denominator on, 0 is always.
    """

    kind: Kind = "single"
    field: str = ""
    classes: Sequence[StyleClass] = (StyleClass(),)
    opacity: float = 1.0
    label_field: str = ""
    label_size: float = 8.0
    label_min_scale: float = 10_000.0
    label_colour: str = "#1D2430"
    label_bold: bool = False


def to_qml(style: LayerStyle, geometry: Geometry) -> str:
    """The style as QML of QGIS 3.40 for that kind of geometry."""
    from planner_app.domain.style_qml import write_qml

    return write_qml(style, geometry, _marked(style, geometry))


def from_qml(qml: str) -> LayerStyle | None:
    """The style behind a QML made by :func:`to_qml`; None for every other, also for one edited since."""
    from planner_app.domain.style_qml import read_mark

    mark = read_mark(qml)
    if mark is None:
        return None
    try:
        data = json.loads(mark)
        geometry = data.pop("geometry")
        classes = tuple(StyleClass(**one) for one in data.pop("classes"))
        style = LayerStyle(**data, classes=classes)
    except (ValueError, TypeError, KeyError):
        return None
    return style if to_qml(style, geometry) == qml else None


def _marked(style: LayerStyle, geometry: Geometry) -> str:
    data = {**asdict(style), "classes": [asdict(one) for one in style.classes], "geometry": geometry}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def swatches(style: LayerStyle) -> list[tuple[str, str, str]]:
    """(label, fill, stroke) per class."""
    return [(one.label or one.value or "", one.fill, one.stroke) for one in style.classes]


def graduated(
    name: str, values: Sequence[float], steps: int = 5, *, low: str = "#FFF6DC", high: str = "#B4432B"
) -> LayerStyle:
    """Classes of equal count over the values of a field, coloured from ``low`` to ``high``.

    Args:
        name: the field.
        values: its numbers; NaN and None are left out.
        steps: how many classes at most; fewer where values repeat.
    """
    numbers = sorted(float(value) for value in values if value is not None and value == value)
    if not numbers:
        return LayerStyle("graduated", name, ())
    places = [round(step * (len(numbers) - 1) / steps) for step in range(steps + 1)]
    ends = sorted({numbers[place] for place in places})
    if len(ends) == 1:
        ends = [ends[0], ends[0]]
    pairs = list(pairwise(ends))
    classes = tuple(
        StyleClass(
            label=f"{lower:,.6g} – {upper:,.6g}",
            fill=mix(low, high, number / max(len(pairs) - 1, 1)),
            stroke=mix(low, high, number / max(len(pairs) - 1, 1)) if len(pairs) > 1 else "#6B7584",
            lower=lower,
            upper=upper,
        )
        for number, (lower, upper) in enumerate(pairs)
    )
    return LayerStyle("graduated", name, classes)


def mix(first: str, second: str, share: float) -> str:
    """A colour between two, 0 the first and 1 the second."""
    parts = [
        round(int(first[at : at + 2], 16) * (1 - share) + int(second[at : at + 2], 16) * share) for at in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02X}" for part in parts)


def categorised(
    name: str, standard: str, values: Sequence[str], geometry: Geometry = "polygon", *, language: str = "zh_CN"
) -> LayerStyle:
    """One class per value in the standard's colours; values the standard does not know get calm ones of their own.

    Args:
        name: the class field.
        standard: code list (``ClassStandard``), may be empty.
        values: distinct values of the field, in any order.
        geometry: what is drawn.
        language: of the labels.
    """
    from planner_app.domain.land_classes import class_entry, spare_colour

    classes = []
    for number, value in enumerate(sorted(set(values))):
        entry = class_entry(standard, value) if standard else None
        colour = entry.colour if entry else spare_colour(number)
        title = entry.name(language) if entry else ""
        label = f"{value} {title}" if title and title != value else value
        stroke = mix(colour, "#3A4452", 0.45) if geometry == "polygon" else colour
        classes.append(StyleClass(value=value, label=label, fill=colour, stroke=stroke))
    other = "其他" if language.startswith("zh") else "Other"
    classes.append(StyleClass(value=None, label=other, fill="#E4E7EB", stroke="#9AA3AF"))
    return LayerStyle("categorised", name, tuple(classes))


#: Control lines and base map as they are usually drawn: plan kind → class of a single-symbol style.
CONTROL_LINES: Mapping[str, StyleClass] = {
    "ecological_red_line": StyleClass(
        fill="#3E9B5A", fill_opacity=0.16, stroke="#1E7F45", stroke_width=0.55, line="dash"
    ),
    "farmland": StyleClass(fill="#F2E394", fill_opacity=0.35, stroke="#B99A1E", stroke_width=0.3),
    "growth_boundary": StyleClass(fill="", stroke="#D7263D", stroke_width=0.7, line="dash dot"),
    "forestry": StyleClass(fill="#68B167", fill_opacity=0.3, stroke="#3C8443", stroke_width=0.2),
    "water": StyleClass(fill="#5AA9DB", fill_opacity=0.25, stroke="#1F7FBF", stroke_width=0.5, line="dash"),
    "transport": StyleClass(fill="#B7B7B7", fill_opacity=0.35, stroke="#C0322B", stroke_width=0.3),
    "municipal": StyleClass(fill="#D9B430", fill_opacity=0.25, stroke="#A8820C", stroke_width=0.4, line="dash"),
}


def default_style(
    geometry: Geometry,
    *,
    plan_kind: str = "",
    class_field: str = "",
    class_standard: str = "",
    values: Sequence[str] = (),
    label_field: str = "",
    language: str = "zh_CN",
) -> LayerStyle:
    """What a new layer looks like: classes in their standard's colours, control lines as usual, else a calm symbol.

    Args:
        geometry: what is drawn.
        plan_kind: kind of the layer's plan, may be empty.
        class_field, class_standard: as registered; values: the field's distinct values.
        label_field: what is written at the features.
    """
    if class_field and class_standard and class_standard != "text" and values:
        made = categorised(class_field, class_standard, values, geometry, language=language)
    elif plan_kind in CONTROL_LINES and geometry != "point":
        made = LayerStyle(classes=(CONTROL_LINES[plan_kind],))
    elif class_field and 0 < len(set(values)) <= 30:
        made = categorised(class_field, class_standard, values, geometry, language=language)
    elif geometry == "line":
        made = LayerStyle(classes=(StyleClass(fill="", stroke="#5B6675", stroke_width=0.3),))
    elif geometry == "point":
        made = LayerStyle(classes=(StyleClass(fill="#1F5FAE", stroke="#FFFFFF", size=2.2, stroke_width=0.2),))
    else:
        made = LayerStyle(classes=(StyleClass(fill="#C9D3DF", fill_opacity=0.6),))
    return LayerStyle(made.kind, made.field, made.classes, label_field=label_field)
