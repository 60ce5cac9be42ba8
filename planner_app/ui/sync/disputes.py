"""What waits for a person, record by record and in words: both values of a cell, why a record is held back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner_app.i18n import tr, word
from planner_app.ui.canvas.feature_text import feature_name
from planner_app.ui.words import field_type_name

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.project import Project
    from planner_app.sync.client.conflicts import Conflict
    from planner_app.sync.client.quarantine import Quarantined
    from planner_app.ui.sync.backend import Backend

GEOMETRY = "geom"


@dataclass(frozen=True, slots=True)
class Dispute:
    """A record (or a layer or plan) with the conflicts in it; ``name``: what people call it."""

    layer: str
    layer_name: str
    uuid: str
    fid: int | None
    name: str
    conflicts: tuple[Conflict, ...]

    @property
    def key(self) -> str:
        """Tells it from the others."""
        return f"{self.layer}:{self.uuid}"

    @property
    def title(self) -> str:
        """Layer and name."""
        return " · ".join(filter(None, (self.layer_name, self.name)))

    def geometry(self) -> Conflict | None:
        """The conflict about the geometry, if there is one."""
        return next((one for one in self.conflicts if one.column == GEOMETRY), None)


@dataclass(frozen=True, slots=True)
class Held:
    """A record held back, with its name and its reason in words."""

    entry: Quarantined
    name: str
    layer: LayerInfo | None = None

    @property
    def title(self) -> str:
        """Layer and name."""
        return " · ".join(filter(None, (self.entry.layer_name, self.name)))

    def reason(self) -> tuple[str, str]:
        """(why, what to do)."""
        params = dict(self.entry.params)
        info = self.layer.field(str(params.get("field", ""))) if self.layer is not None else None
        if info is not None:
            params["field"] = info.alias or info.name
            if "type" in params:
                params["type"] = field_type_name(str(params["type"]))
        return word(self.entry.code, params), word(self.entry.code, params, "hint")


def read_waiting(project: Project, backend: Backend) -> tuple[list[Dispute], list[Held]]:
    """All that waits, records in the order in which they came up. For a worker thread."""
    conflicts, held = backend.conflicts(project), backend.quarantine(project)
    names = _names(project, [*conflicts, *held])
    records: dict[tuple[str, str], list[Conflict]] = {}
    for one in conflicts:
        records.setdefault((one.layer, one.uuid), []).append(one)
    disputes = [
        Dispute(layer, of[0].layer_name, uuid, of[0].fid, names.get((layer, of[0].fid), ""), tuple(of))
        for (layer, uuid), of in records.items()
    ]
    layers = {layer.id: layer for layer in project.layers()} if held else {}
    return disputes, [Held(one, names.get((one.layer, one.fid), ""), layers.get(one.layer)) for one in held]


def _names(project: Project, things: Iterable[Any]) -> dict[tuple[str, int | None], str]:
    wanted: dict[str, set[int]] = {}
    for one in things:
        if one.layer and one.fid is not None and getattr(one, "kind", "cell") not in ("layer", "plan"):
            wanted.setdefault(one.layer, set()).add(one.fid)
    names: dict[tuple[str, int | None], str] = {}
    layers = {layer.id: layer for layer in project.layers()}
    for layer_id, fids in wanted.items():
        layer = layers.get(layer_id)
        if layer is None:
            continue
        table = project.read(layer_id, fids=sorted(fids), geometry=False)
        for number, fid in enumerate(table.fids):
            values = {name: cells[number] for name, cells in table.columns.items()}
            names[layer_id, int(fid)] = feature_name(layer, values) or tr("Feature {fid}", fid=int(fid))
    return names


def column_name(conflict: Conflict, layer: LayerInfo | None) -> str:
    """What people call a column: a field's alias, a cell of the registry, or the record as a whole."""
    if conflict.kind in ("deleted_here", "deleted_there"):
        return tr("The whole record")
    if conflict.column == GEOMETRY:
        return tr("Geometry")
    if conflict.kind in ("layer", "plan"):
        return {
            "name": tr("Name"), "plan_id": tr("Plan"), "class_field": tr("Class field"),
            "class_standard": tr("Code list"), "label_field": tr("Label field"), "locked": tr("Locked"),
            "style": tr("Style"), "source": tr("Source"), "kind": tr("Kind"), "authority": tr("Authority"),
            "version": tr("Version"), "valid_from": tr("Valid from"), "valid_to": tr("Valid to"),
        }.get(conflict.column, conflict.column)  # fmt: skip
    field = layer.field(conflict.column) if layer is not None else None
    return (field.alias or field.name) if field is not None else conflict.column


def value_text(value: Any, column: str, kind: str = "") -> str:
    """A cell in words, exactly enough that two that differ look different; ``kind``: the field's type."""
    if value is None:
        return tr("(empty)")
    if column == GEOMETRY and isinstance(value, bytes):
        return _geometry_text(value)
    if column == "style":
        return tr("QML, {size} KB", size=f"{len(str(value)) / 1024:,.1f}")
    if kind == "boolean" or (column == "locked" and value in (0, 1, "0", "1")):
        return tr("yes") if value in (1, "1", True) else tr("no")
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:,.15g}"
    if isinstance(value, bytes):
        return tr("{count} bytes", count=len(value))
    return str(value) if str(value).strip() else tr("(blank)")


def _geometry_text(wkb: bytes) -> str:
    import shapely

    geometry = shapely.from_wkb(wkb)
    corners = tr("{count} vertices", count=f"{shapely.get_num_coordinates(geometry):,}")
    if geometry.area > 0:
        return f"{geometry.area:,.2f} m² · {corners}"
    if geometry.length > 0:
        return f"{geometry.length:,.2f} m · {corners}"
    x, y = shapely.get_coordinates(geometry)[0] if not geometry.is_empty else (0.0, 0.0)
    return tr("X {x} Y {y}", x=f"{y:,.3f}", y=f"{x:,.3f}")


def sides(conflict: Conflict, kind: str = "") -> tuple[str, str, str]:
    """(before, mine, the server's) in words."""
    if conflict.kind == "deleted_here":
        return "", tr("deleted"), tr("changed, kept")
    if conflict.kind == "deleted_there":
        return "", tr("changed, kept"), tr("deleted")
    before, mine, theirs = (
        value_text(one, conflict.column, kind) for one in (conflict.base, conflict.mine, conflict.theirs)
    )
    return before, mine, theirs
