"""The layers that show reviewed drawings on the map: site, footprints, greens of every placed drawing, and its pipes.

Other roles and QGIS Desktop read a reviewed design from it. Its rows change with the command that imports, reads or
places a drawing, so that one undo takes back both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer
from planner_app.domain.style import LayerStyle, StyleClass, to_qml
from planner_app.i18n import language
from planner_app.plugin_api.model import Batch, Transaction
from plugins.review.model.cases.tables import Table, layer_of
from plugins.review.model.reading.types import Role, SitePlan

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

ROLE = "review.element"
#: The lines among the elements: pipes and cables, which other roles take over once a case is approved.
PIPES = "review.pipe"
FIELDS = (
    FieldInfo("drawing", "text"),
    FieldInfo("role", "text"),
    FieldInfo("building", "text"),
    FieldInfo("floor", "integer"),
    FieldInfo("floors", "integer"),
    FieldInfo("area_m2", "real"),
    FieldInfo("coefficient", "real"),
    FieldInfo("kind", "text"),
    FieldInfo("handle", "text"),
    FieldInfo("label", "text"),
)
PIPE_FIELDS = (
    FieldInfo("drawing", "text"),
    FieldInfo("kind_code", "text"),
    FieldInfo("dn_mm", "integer"),
    FieldInfo("length_m", "real"),
    FieldInfo("layer", "text"),
    FieldInfo("handle", "text"),
    FieldInfo("label", "text"),
    FieldInfo("z1", "real"),
    FieldInfo("z2", "real"),
    FieldInfo("z_ref", "text"),
    FieldInfo("z_from", "text"),
)


@dataclass(frozen=True, slots=True)
class ElementRow:
    """One polygon of a drawing in the project's CRS; ``area`` as measured in the drawing, m².

    Of a pipe (role ``pipe``) the line: ``kind`` of CJJ 61, ``area`` its length in m, ``dn`` in mm, ``building`` its
    layer; z1, z2: levels of its ends (m), z_ref: what they speak of, z_from: ``curve`` or ``text``.
    """

    role: str
    building: str
    floor: int | None
    floors: int
    area: float
    coefficient: float | None
    kind: str
    handle: str
    label: str
    wkb: bytes
    dn: int | None = None
    z1: float | None = None
    z2: float | None = None
    z_ref: str = ""
    z_from: str = ""


#: Roles on the map, first drawn first, and how: name, Chinese name, class of the style.
_LOOKS: dict[Role, tuple[str, str, StyleClass]] = {
    Role.GREEN: ("Green", "绿地", StyleClass(fill="#8CCB84", stroke="#4E9A52", stroke_width=0.15, fill_opacity=0.5)),
    Role.VEGETATION: (
        "Vegetation as surveyed", "植被", StyleClass(fill="#B6DDA8", stroke="#6FAF6A", stroke_width=0.15,
                                                  fill_opacity=0.5),
    ),
    Role.ROAD: ("Internal road", "内部道路", StyleClass(fill="#D9DCE1", stroke="#A9B0BA", fill_opacity=0.6)),
    Role.PARKING: ("Parking", "停车位", StyleClass(fill="#C9D3DF", stroke="#7B8796", fill_opacity=0.5)),
    Role.BASEMENT: ("Basement outline", "地下室轮廓", StyleClass(fill="", stroke="#6B7584", stroke_width=0.3,
                                                             line="dash")),
    Role.FOOTPRINT: ("Footprint", "建筑基底", StyleClass(fill="#F0C48D", stroke="#9A5B1E", stroke_width=0.3,
                                                       fill_opacity=0.75)),
    Role.BALCONY: ("Balcony", "阳台", StyleClass(fill="#F7E2C4", stroke="#B98A4E", fill_opacity=0.6)),
    Role.FLOOR_AREA: ("Floor area", "建筑面积轮廓", StyleClass(fill="", stroke="#B98A4E", line="dot")),
    Role.SITE: ("Site boundary", "用地红线", StyleClass(fill="", stroke="#C0322B", stroke_width=0.6)),
}  # fmt: skip

_PIPE_COLOURS = {
    "JS ZS": "#00FFFF", "PS YS WS HS": "#4C3926", "RQ TR": "#FF00FF", "RL RS": "#FF8000", "DL GD": "#FF0000",
    "TX": "#00FF00",
}  # fmt: skip


def element_rows(plan: SitePlan, to_project: Callable[[BaseGeometry], BaseGeometry]) -> list[ElementRow]:
    """What the map shows of a drawing: its polygons, in drawing order of their roles.

    Args:
        plan: geometry in metres in the drawing's axes.
        to_project: moves it to the project's CRS.
    """
    import shapely

    order = {role: at for at, role in enumerate(_LOOKS)}
    shown = sorted((one for one in plan.elements if one.role in order), key=lambda one: order[one.role])
    rows = []
    for one in shown:
        if one.geometry.is_empty or one.geometry.geom_type not in ("Polygon", "MultiPolygon"):
            continue
        moved = to_project(one.geometry)
        if moved.is_empty or not shapely.is_valid(moved):
            moved = shapely.make_valid(moved)
            parts = [part for part in shapely.get_parts(moved) if part.geom_type in ("Polygon", "MultiPolygon")]
            moved = shapely.union_all(parts)
        if moved.is_empty:
            continue
        wkb = bytes(shapely.to_wkb(moved, output_dimension=2))
        label = one.building if one.role is Role.FOOTPRINT else ""
        handle = ",".join(one.handles[:20])
        rows.append(
            ElementRow(
                one.role.value, one.building, one.floor, one.floors, float(one.geometry.area), one.coefficient,
                one.kind, handle, label, wkb,
            )
        )  # fmt: skip
    return rows + _pipe_rows(plan, to_project)


def _pipe_rows(plan: SitePlan, to_project: Callable[[BaseGeometry], BaseGeometry]) -> list[ElementRow]:
    import shapely

    return [
        ElementRow(
            Role.PIPE.value, one.layer, None, 1, float(one.geometry.length), None, one.kind, one.handles[0],
            one.text, bytes(shapely.to_wkb(to_project(one.geometry), output_dimension=2)),
            None if one.value is None else int(one.value), *one.levels, one.level_ref, one.level_from,
        )
        for one in plan.elements
        if one.role is Role.PIPE and not one.geometry.is_empty
    ]  # fmt: skip


def write(tx: Transaction, drawing: str, rows: Sequence[ElementRow]) -> None:
    """Replace a drawing's rows in the layers, which are made if needed."""
    areas = [row for row in rows if row.role != Role.PIPE.value]
    pipes = [row for row in rows if row.role == Role.PIPE.value]
    names = [one.name for one in FIELDS[1:]]
    cells: dict[str, Sequence[Any]] = {}
    if areas:
        cells = dict(zip(names, zip(*(astuple(row) for row in areas), strict=True), strict=False))
    _replace(tx, ROLE, drawing, [row.wkb for row in areas], cells)
    lines: dict[str, Sequence[Any]] = {
        "kind_code": [row.kind for row in pipes], "dn_mm": [row.dn for row in pipes],
        "length_m": [row.area for row in pipes], "layer": [row.building for row in pipes],
        "handle": [row.handle for row in pipes], "label": [row.label for row in pipes],
        **{name: [getattr(row, name) for row in pipes] for name in ("z1", "z2", "z_ref", "z_from")},
    }  # fmt: skip
    _replace(tx, PIPES, drawing, [row.wkb for row in pipes], lines)


def _replace(
    tx: Transaction, role: str, drawing: str, wkb: Sequence[bytes], columns: Mapping[str, Sequence[Any]]
) -> None:
    layer = layer_of(tx.layers(), role)
    if layer is None:
        if not wkb:
            return
        layer = make_layer(tx) if role == ROLE else _make_pipe_layer(tx)
    for info in PIPE_FIELDS if role == PIPES else ():  # one that an earlier version made
        if layer.field(info.name) is None:
            tx.add_field(layer.id, info)
    old = tx.read(layer.id, columns=[], where=f"\"drawing\" = '{drawing}'", geometry=False)
    tx.delete(layer.id, old.fids.tolist())
    if wkb:
        tx.insert(layer.id, Batch(wkb, {"drawing": [drawing] * len(wkb), **columns}))


def _make_pipe_layer(tx: Transaction) -> LayerInfo:
    """The empty layer of pipes in the colours of CJJ 61-2017."""
    classes = [
        StyleClass(abbr, "", "", colour, 0.4, line="dash")
        for kinds, colour in _PIPE_COLOURS.items()
        for abbr in kinds.split()
    ]
    style = LayerStyle("categorised", "kind_code", [*classes, StyleClass(None, "", "", "#6600CC", 0.4, line="dash")])
    title = "审查图纸管线" if language() == "zh_CN" else "Pipes of reviewed designs"
    new = NewLayer(
        title, "line", PIPE_FIELDS, role=PIPES, class_field="kind_code", label_field="label", qml=to_qml(style, "line")
    )
    return tx.create_layer(new, table="review_pipe")


def make_layer(tx: Transaction) -> LayerInfo:
    """The empty layer with its style."""
    chinese = language() == "zh_CN"
    classes = [
        StyleClass(
            value=role.value, label=zh if chinese else en, fill=look.fill, stroke=look.stroke,
            stroke_width=look.stroke_width, line=look.line, fill_opacity=look.fill_opacity,
        )
        for role, (en, zh, look) in reversed(_LOOKS.items())
    ]  # fmt: skip
    style = LayerStyle("categorised", "role", classes, label_field="label", label_min_scale=5_000.0)
    new = NewLayer(
        "审查图纸要素" if chinese else "Reviewed designs", "polygon", FIELDS, role=ROLE, class_field="role",
        label_field="label", qml=to_qml(style, "polygon"),
    )  # fmt: skip
    return tx.create_layer(new, table="review_element")


def table_style(table: Table[Any]) -> str:
    """QML of a table that is shown on the map: outlines of cases and drawings, points of issues."""
    looks = {
        "review_case": StyleClass(fill="", stroke="#7A3E9D", stroke_width=0.5, line="dash dot"),
        "review_drawing": StyleClass(fill="", stroke="#5B6675", stroke_width=0.2, line="dash"),
        "review_issue": StyleClass(fill="#C0322B", stroke="#FFFFFF", size=3.0, stroke_width=0.3),
    }
    if table.name not in looks:
        return ""
    label = "" if table.name == "review_drawing" else table.label  # its outline is mostly the case's
    style = LayerStyle(classes=(looks[table.name],), label_field=label, label_min_scale=10_000.0)
    return to_qml(style, table.geometry)
