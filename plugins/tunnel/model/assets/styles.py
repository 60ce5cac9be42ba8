"""How layers of pipes and tunnels look when the plugin makes them: the colours of CJJ 61-2017 annex B."""

from __future__ import annotations

from planner_app.domain.style import LayerStyle, StyleClass, to_qml
from plugins.tunnel.model.assets.cjj61 import KINDS, NETWORKS, Kind
from plugins.tunnel.model.tables import LINE, VALVE, TableSpec


def class_field(spec: TableSpec) -> str:
    """The attribute a layer is coloured by."""
    return {LINE.id: "kind_code", VALVE.id: "network"}.get(spec.id, "")


def style_of(spec: TableSpec) -> str:
    """QML of a new layer; empty for tables and for layers that keep the default look."""
    if spec.id == LINE.id:
        classes = [_line(kind) for kind in KINDS.values()]
        classes.append(StyleClass(None, "", "", KINDS["BM"].colour, 0.4))
        style = LayerStyle("categorised", "kind_code", classes, label_field="code", label_min_scale=1_500.0)
    elif spec.id == VALVE.id:
        classes = [_valve(name, KINDS[abbr]) for name, abbr in NETWORKS.items()]
        other = StyleClass(None, "", "#66707D", "#FFFFFF", 0.15, marker="diamond", size=2.4)
        style = LayerStyle("categorised", "network", [*classes, other])
    elif spec.geometry == "point":
        style = LayerStyle("single", "", [StyleClass(fill="#4B5563", stroke="#FFFFFF", stroke_width=0.1, size=1.4)])
    else:
        return ""
    return to_qml(style, spec.geometry)


def _line(kind: Kind) -> StyleClass:
    return StyleClass(kind.abbr, kind.name, "", kind.colour, 0.4)


def _valve(name: str, kind: Kind) -> StyleClass:
    return StyleClass(name, kind.name, kind.colour, "#FFFFFF", 0.15, marker="diamond", size=2.4)
