"""How the sample's layers are drawn: standard colours for classes, the usual lines for what binds, a calm base map."""

from __future__ import annotations

from dataclasses import replace

from planner_app.domain.style import LayerStyle, StyleClass, categorised, default_style, to_qml
from sample_projects.tables import Table

_WATER = "#5C9FD6"


def _single(one: StyleClass) -> LayerStyle:
    return LayerStyle(classes=(one,))


def _classes(field: str, *classes: StyleClass) -> LayerStyle:
    return LayerStyle("categorised", field, classes)


def _area(
    value: str, fill: str, stroke: str, *, width: float = 0.25, opacity: float = 0.4, line: str = "solid"
) -> StyleClass:
    return StyleClass(value, value, fill, stroke, width, line, opacity)  # type: ignore[arg-type]


def _road(grade: str, colour: str, width: float) -> StyleClass:
    return StyleClass(grade, grade, "", colour, width)


_NETWORKS = (
    ("water", "给水", "#00B7C8"),
    ("reclaimed", "再生水", "#5C7F3A"),
    ("gas", "燃气", "#D400D4"),
    ("power", "电力", "#E03131"),
    ("telecom", "通信", "#2F9E44"),
)
_SENSORS = (
    ("o2", "氧气", "#1F7FBF"),
    ("ch4", "甲烷", "#D400D4"),
    ("temp", "温度", "#E8590C"),
    ("rh", "湿度", "#12A594"),
    ("level", "水位", "#3B5BDB"),
    ("cable_temp", "电缆温度", "#C0322B"),
)

_LOOKS: dict[str, LayerStyle] = {
    # Names float without a symbol.
    "places": LayerStyle(
        classes=(StyleClass(fill="", stroke="", size=0.2),),
        label_field="name", label_size=9.0, label_min_scale=60_000.0, label_colour="#2B3442",
    ),
    "growth": _single(StyleClass(label="城镇开发边界", fill="", stroke="#D7263D", stroke_width=0.75, line="dash dot")),
    "ecology": replace(
        _classes(
            "zone",
            _area("核心保护区", "#2E8B57", "#157A3C", width=0.6, opacity=0.22, line="dash"),
            _area("一般控制区", "#5BB377", "#1E8E4A", width=0.5, opacity=0.12, line="dash"),
        ),
        label_field="name", label_size=7.5, label_min_scale=20_000.0, label_colour="#14642F",
    ),
    "farmland": _single(
        StyleClass(label="永久基本农田", fill="#F6DF6B", stroke="#C79A0B", stroke_width=0.3, fill_opacity=0.34)
    ),
    "forestry": _classes(
        "class_code",
        StyleClass("0301", "0301 乔木林地", "#68B167", "#3C8443", 0.15, fill_opacity=0.55),
        StyleClass("0307", "0307 其他林地", "#A5CF86", "#5E9A4A", 0.15, fill_opacity=0.55),
    ),
    "water_zones": replace(
        _classes(
            "zone",
            _area("一级保护区", "#2F7FC1", "#1B5E96", width=0.5, opacity=0.35, line="dash"),
            _area("二级保护区", "#6FB1E0", "#2F7FC1", width=0.45, opacity=0.22, line="dash"),
            _area("准保护区", "#B7DBF2", "#6FA9D0", width=0.4, opacity=0.16, line="dash"),
        ),
        label_field="name", label_size=7.5, label_min_scale=25_000.0, label_colour="#1B5E96",
    ),
    "blue": _single(
        StyleClass(
            label="城市蓝线", fill="#66B2FF", stroke="#0B5ED7", stroke_width=0.45, line="dash", fill_opacity=0.15
        )
    ),
    "green": _classes(
        "class_name",
        _area("公园绿地", "#59C36A", "#00963F", width=0.4, opacity=0.08),
        _area("防护绿地", "#2F8F57", "#0B7A3B", width=0.4, opacity=0.08),
        _area("广场用地", "#BFF0D0", "#4DAA70", width=0.4, opacity=0.08),
    ),
    "yellow": replace(
        _single(StyleClass(label="城市黄线", fill="#FFE066", stroke="#C99700", stroke_width=0.5, fill_opacity=0.25)),
        label_field="name", label_size=7.0, label_min_scale=8_000.0,
    ),
    "road_red": _classes(
        "grade",
        _area("高速公路", "#F1C27A", "#C0322B", width=0.3, opacity=0.4),
        _area("主干路", "#F3C9A6", "#C0322B", width=0.3, opacity=0.35),
        _area("次干路", "#F1DDC4", "#C0322B", width=0.25, opacity=0.3),
        _area("支路", "#EDE7DE", "#D0615B", width=0.2, opacity=0.3),
        _area("乡道", "#E6E2D8", "#B98F86", width=0.2, opacity=0.3),
    ),
    "road_lines": replace(
        _classes(
            "grade",
            _road("高速公路", "#C98A2B", 0.7),
            _road("主干路", "#8D97A5", 0.22),
            _road("次干路", "#A7AFBB", 0.16),
            _road("支路", "#BFC6CF", 0.12),
            _road("乡道", "#B9A98F", 0.25),
        ),
        label_field="name", label_size=7.5, label_min_scale=16_000.0, label_colour="#3A4452",
    ),
    "water": _single(StyleClass(label="水系", fill="#9CC9EC", stroke=_WATER, stroke_width=0.15)),
    "contours": _single(StyleClass(label="等高线", fill="", stroke="#A9855A", stroke_width=0.08)),
    "buildings": _single(
        StyleClass(label="建筑", fill="#77757A", stroke="#55545A", stroke_width=0.05, fill_opacity=0.7)
    ),
    "cadastre": _single(StyleClass(label="宗地", fill="", stroke="#7A4B9A", stroke_width=0.2)),
    "units": replace(
        _single(StyleClass(label="管理单元", fill="", stroke="#5B3FA0", stroke_width=0.6, line="dash dot dot")),
        label_field="name", label_size=11.0, label_min_scale=60_000.0, label_colour="#4A3390", label_bold=True,
    ),
    "tunnel": replace(
        _single(StyleClass(label="综合管廊", fill="", stroke="#1D2430", stroke_width=0.5)),
        label_field="name", label_size=7.5, label_min_scale=4_000.0,
    ),
    "thin": _single(StyleClass(fill="", stroke="#4B5563", stroke_width=0.3)),
    "pipes": _classes("network", *(StyleClass(value, label, "", colour, 0.4) for value, label, colour in _NETWORKS)),
    "valves": _classes(
        "network",
        *(StyleClass(v, name, colour, "#FFFFFF", 0.15, marker="diamond", size=2.4) for v, name, colour in _NETWORKS)
    ),
    "sensors": _classes(
        "kind",
        *(StyleClass(v, name, colour, "#FFFFFF", 0.2, marker="triangle", size=2.6) for v, name, colour in _SENSORS)
    ),
    "dots": _single(StyleClass(fill="#4B5563", stroke="#FFFFFF", stroke_width=0.1, size=1.2)),
}  # fmt: skip


def look(table: Table) -> str:
    """QML of a table's style, empty for a plain table."""
    if table.geometry == "none":
        return ""
    values = sorted({str(value) for value in table.columns.get(table.class_field, ())})
    if table.look in _LOOKS:
        style = _LOOKS[table.look]
    elif table.look:
        style = categorised(table.class_field, "", values, table.geometry) if values else default_style(table.geometry)
    else:
        kind = table.plan.kind.value if table.plan else ""
        style = default_style(
            table.geometry,
            plan_kind=kind,
            class_field=table.class_field,
            class_standard=str(table.class_standard),
            values=values,
        )
    if table.label_field and not style.label_field:
        style = replace(style, label_field=table.label_field, label_size=7.5, label_min_scale=6_000.0)
    return to_qml(style, table.geometry)
