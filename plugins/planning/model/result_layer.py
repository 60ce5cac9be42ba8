"""A comparison kept in the project: its patches as a layer, what was compared as metadata, and people's decisions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer
from planner_app.domain.progress import NoProgress, Progress, check
from planner_app.plugin_api.model import Batch, Project
from plugins.planning.model.causes import CAUSES, Cause
from plugins.planning.model.conflict_result import NO_CLASS, ConflictResult
from plugins.planning.model.crosswalk import DIFFERENT, RELATED, SAME, UNKNOWN
from plugins.planning.model.decide import DECISION_FIELDS, ROLE
from plugins.planning.model.decide import DecideConflicts as DecideConflicts
from plugins.planning.model.matrix import OUTSIDE
from plugins.planning.model.plan_side import LayerField, PlanSide, read_side

FIELDS = (
    FieldInfo("code", "text"),
    FieldInfo("cause", "text"),
    FieldInfo("a_class", "text"),
    FieldInfo("a_name", "text"),
    FieldInfo("b_class", "text"),
    FieldInfo("b_name", "text"),
    FieldInfo("area_m2", "real"),
    FieldInfo("area_ellipsoidal_m2", "real"),
    FieldInfo("width_m", "real"),
    FieldInfo("verdict", "text"),
    FieldInfo("severity", "text"),
    FieldInfo("reason", "text"),
    FieldInfo("clause", "text"),
    FieldInfo("confidence", "text"),
    FieldInfo("decision", "text"),
    FieldInfo("ground", "text"),
    FieldInfo("decided_by", "text"),
    FieldInfo("decided_at", "text"),
    FieldInfo("a_layer", "text"),
    FieldInfo("a_fid", "integer"),
    FieldInfo("a_uuid", "text"),
    FieldInfo("b_layer", "text"),
    FieldInfo("b_fid", "integer"),
    FieldInfo("b_uuid", "text"),
)

#: Fill and outline of each cause; the window, the map and the reports use the same.
CAUSE_COLOURS = {
    Cause.TRUE_CONFLICT: "#C0322B",
    Cause.BOUNDARY_SLIVER: "#D98A2B",
    Cause.CLASS_DIFFERENCE: "#8792A2",
    Cause.OUTDATED_VERSION: "#5B8DD6",
    Cause.SAME_CLASS: "#B9C4CF",
}
#: Dropped pairs kept by name with a run; the sums always count all of them.
_MOST_DROPPED = 5_000
_SETTING = "planning.run."
_BATCH = 5_000
#: Two patches of one pair of features are the same spot if they share this part of the larger one.
_SAME_SPOT = 0.5


def save_result(
    project: Project, result: ConflictResult, name: str, *, language: str = "en", progress: Progress | None = None
) -> LayerInfo:
    """Keep a comparison as a layer of role ``planning.conflicts``.

    A layer of that role and name is replaced; patches that are the same keep their code and their decision.

    Args:
        project: the project the result came from.
        result: what :func:`run_conflicts` returned.
        name: the layer's name.
        language: of class names and reasons in the layer.

    Raises:
        PlannerError: ``planning.name_taken`` if a layer of that name is something else.
        Cancelled: nothing was changed.
    """
    progress = progress or NoProgress()
    old = next((layer for layer in project.layers() if layer.name == name), None)
    if old is not None and old.role != ROLE:
        raise PlannerError("planning.name_taken", layer=name)
    columns = patch_columns(result, language)
    kept = _keep_decisions(project, old, result, columns)
    wkb = shapely.to_wkb(result.patches.geometry)

    def batches() -> Iterator[Batch]:
        for start in range(0, len(wkb), _BATCH):
            check(progress)
            part = slice(start, start + _BATCH)
            yield Batch(wkb=wkb[part], columns={key: values[part] for key, values in columns.items()})
            progress.update(min(1.0, (start + _BATCH) / max(len(wkb), 1)), "stage.conflicts_save")

    new = NewLayer(name, "polygon", FIELDS, role=ROLE, class_field="cause", label_field="code", qml=_style(language))
    params = {"a": result.a.layer.name, "b": result.b.layer.name, "count": len(wkb), "kept": kept}
    replaced = old.id if old else ""
    saved = project.add_layer(new, batches(), progress, command="planning_conflicts", params=params, replace=replaced)
    project.set_setting(_SETTING + saved.id, json.dumps(metadata(result), ensure_ascii=False))
    return saved


def patch_columns(result: ConflictResult, language: str) -> dict[str, list[Any]]:
    """Values of every field of :data:`FIELDS`, in the order of the patches; names and reasons in a language."""
    patches, count = result.patches, len(result.patches)
    cells = [*result.matrix.cells, None]  # -1 is the last
    spoken = [cell if (cell := cells[number]) is not None and cell.conflict else None for number in patches.cell]
    chinese = language.startswith("zh")
    reasons = [pair[chinese] for pair in _reasons(result)]
    columns: dict[str, list[Any]] = {
        "code": [f"C-{number:04d}" for number in range(1, count + 1)],
        "cause": [CAUSES[number].value for number in patches.cause],
        "area_m2": patches.area.tolist(),
        "area_ellipsoidal_m2": patches.area_ellipsoidal.tolist(),
        "width_m": patches.width.tolist(),
        "verdict": [str(verdict) for verdict in patches.verdict],
        "severity": [cell.severity if cell else "" for cell in spoken],
        "reason": reasons,
        "clause": [cell.citation() if cell else "" for cell in spoken],
        "confidence": [cell.confidence if cell else "" for cell in spoken],
        **{name: [""] * count for name in DECISION_FIELDS},
    }
    for key, side, rows, classes in (
        ("a", result.a, patches.i, patches.a_class),
        ("b", result.b, patches.j, patches.b_class),
    ):
        raws = [NO_CLASS if land.raw is None else land.raw for land in side.classes]
        names = [land.name(language) for land in side.classes]
        columns[f"{key}_class"] = [raws[number] for number in classes]
        columns[f"{key}_name"] = [names[number] for number in classes]
        columns[f"{key}_layer"] = [side.layer.id] * count
        columns[f"{key}_fid"] = [int(side.fids[row]) if row >= 0 else None for row in rows]
        columns[f"{key}_uuid"] = [side.uuids[row] if row >= 0 else OUTSIDE for row in rows]
    return {info.name: columns[info.name] for info in FIELDS}


def _reasons(result: ConflictResult) -> list[tuple[str, str]]:
    """Why each patch has its verdict, English and Chinese."""
    patches, cells = result.patches, [*result.matrix.cells, None]
    relation = result.relations[patches.a_class, patches.b_class]
    found = []
    for number, alike in zip(patches.cell, relation, strict=True):
        cell = cells[number]
        if cell is not None and cell.conflict:
            found.append((cell.reason, cell.reason_zh or cell.reason))
        else:
            found.append(_SILENT["fine"] if cell is not None else _SILENT[int(alike)])
    return found


#: Reasons where the matrix names no conflict: by relation of the classes, or because it says so.
_SILENT: dict[int | str, tuple[str, str]] = {
    SAME: ("The classes are equal", "分类相同"),
    RELATED: ("The classes mean the same or nearly", "分类对照后含义相同或相近"),
    DIFFERENT: ("The conflict matrix says nothing about this pair of classes", "冲突矩阵未规定该分类组合"),
    UNKNOWN: ("A class is missing or has no counterpart in the 2023 guide", "分类缺失或在 2023 指南中无对应"),
    "fine": ("The conflict matrix calls this no conflict", "冲突矩阵认定不构成冲突"),
}


def _keep_decisions(
    project: Project, old: LayerInfo | None, result: ConflictResult, columns: dict[str, list[Any]]
) -> int:
    """Give patches that were there before their old code and decision; returns how many decisions were kept.

    The same patch is one of the same two features that covers the same ground. New patches are numbered on.
    """
    if old is None:
        return 0
    table = project.read(old.id, columns=["code", "a_uuid", "b_uuid", *DECISION_FIELDS])
    pairs = list(zip(columns["a_uuid"], columns["b_uuid"], strict=True))
    old_pairs = list(zip(table.columns["a_uuid"], table.columns["b_uuid"], strict=True))
    codes: list[str | None] = [None] * len(pairs)
    kept = 0
    for patch, row in _same_spots(pairs, result.patches.geometry, old_pairs, shapely.from_wkb(table.geometry)):
        codes[patch] = table.columns["code"][row]
        for name in DECISION_FIELDS:
            columns[name][patch] = table.columns[name][row] or ""
        kept += bool(table.columns["decision"][row])
    highest = max((int(code[2:]) for code in table.columns["code"] if code and code[2:].isdigit()), default=0)
    for patch, code in enumerate(codes):
        if code is None:
            highest += 1
            codes[patch] = f"C-{highest:04d}"
    columns["code"] = codes
    return kept


def _same_spots(
    pairs: Sequence[tuple[str, str]],
    shapes: NDArray[np.object_],
    old_pairs: Sequence[tuple[str, str]],
    old_shapes: NDArray[np.object_],
) -> list[tuple[int, int]]:
    """(patch, old row) of spots that are the same: one pair of features, most of the larger one shared, best first."""
    by_pair: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, pair in enumerate(old_pairs):
        by_pair[pair].append(number)
    candidates = [(patch, row) for patch, pair in enumerate(pairs) for row in by_pair.get(pair, ())]
    if not candidates:
        return []
    new, before = (np.array(column, dtype=np.int64) for column in zip(*candidates, strict=True))
    area, old_area = shapely.area(shapes)[new], shapely.area(old_shapes)[before]
    apart = shapely.distance(shapely.centroid(shapes)[new], shapely.centroid(old_shapes)[before])
    share = np.where((np.abs(area - old_area) <= 1e-6 * area) & (apart < 1e-3), 1.0, 0.0)
    rest = np.flatnonzero(share == 0.0)
    common = shapely.area(shapely.intersection(shapes[new[rest]], old_shapes[before[rest]]))
    share[rest] = common / np.maximum(area[rest], old_area[rest])
    found: list[tuple[int, int]] = []
    taken: set[int] = set()
    matched: set[int] = set()
    for best in np.argsort(-share, kind="stable"):
        patch, row = int(new[best]), int(before[best])
        if share[best] > _SAME_SPOT and patch not in matched and row not in taken:
            found.append((patch, row))
            matched.add(patch)
            taken.add(row)
    return found


def _style(language: str) -> str:
    """The layer's style: one colour per cause, named in the language given."""
    from planner_app.domain.style import LayerStyle, StyleClass, mix, to_qml

    chinese = language.startswith("zh")
    classes = [
        StyleClass(
            value=cause.value,
            label=CAUSE_NAMES[cause][chinese],
            fill=colour,
            stroke=mix(colour, "#000000", 0.25),
            stroke_width=0.4,
            fill_opacity=0.45,
        )
        for cause, colour in CAUSE_COLOURS.items()
    ]
    style = LayerStyle(kind="categorised", field="cause", classes=classes)
    return to_qml(style, "polygon")


CAUSE_NAMES = {
    Cause.TRUE_CONFLICT: ("True conflict", "真实冲突"),
    Cause.BOUNDARY_SLIVER: ("Boundary sliver", "边界碎屑"),
    Cause.CLASS_DIFFERENCE: ("Class difference only", "仅分类差异"),
    Cause.OUTDATED_VERSION: ("Outdated version", "版本过期"),
    Cause.SAME_CLASS: ("Same class", "类别一致"),
}
"""English and Chinese, for what is kept in the file; on screen and paper they come from the catalogue."""


def metadata(result: ConflictResult) -> dict[str, Any]:
    """What was compared and how, as JSON: all that a report needs beside the layer itself."""
    kept = sorted(result.dropped, key=lambda pair: -pair.area)[:_MOST_DROPPED]
    options = result.options
    rows, columns = np.nonzero(result.class_areas > 0)
    return {
        "version": 1,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "crs": result.crs,
        "seconds": result.seconds,
        "a": _side(result.a, result.newer.get("a", "")),
        "b": _side(result.b, result.newer.get("b", "")),
        "options": {
            "every_pair": options.every_pair,
            "matrix": options.matrix,
            "min_area": options.min_area,
            "min_width": options.min_width,
            "basis": options.basis,
            "on": options.on,
            "sliver_width": options.sliver.width,
        },
        "matrix": {"name": result.matrix.name, "edition": result.matrix.edition},
        "pairs": result.pairs,
        "class_areas": [
            [int(row), int(column), float(result.class_areas[row, column])]
            for row, column in zip(rows, columns, strict=True)
        ],
        "reasons": sorted(set(_reasons(result))),
        "dropped_pairs": len(result.dropped),
        "dropped_area": sum(pair.area for pair in result.dropped),
        "dropped": [
            [pair.a_fid, pair.b_fid, pair.a_class, pair.b_class, pair.area, _number(pair.width), pair.why]
            for pair in kept
        ],
        "repaired": result.repaired,
        "rejected": result.rejected,
    }


def _number(value: float) -> float | None:
    return None if value != value else value


def _side(side: PlanSide, newer: str) -> dict[str, Any]:
    plan = side.plan
    return {
        "layer": side.layer.id,
        "name": side.layer.name,
        "plan": plan.name if plan else "",
        "kind": side.kind,
        "authority": plan.authority if plan else "",
        "version": plan.version if plan else "",
        "valid_from": plan.valid_from if plan else "",
        "valid_to": plan.valid_to if plan else "",
        "source": side.layer.source,
        "field": side.field,
        "standard": side.standard,
        "features": len(side.fids),
        "classes": [land.raw for land in side.classes],
        "unmapped": side.unmapped(),
        "content": side.content,
        "newer": newer,
    }


def read_metadata(project: Project, layer_id: str) -> dict[str, Any]:
    """What :func:`save_result` kept about a run.

    Raises:
        PlannerError: ``planning.not_conflicts`` if the layer is not a result of a conflict check.
    """
    layer = project.layer(layer_id)
    text = project.setting(_SETTING + layer.id, "")
    if layer.role != ROLE or not text:
        raise PlannerError("planning.not_conflicts", layer=layer.name)
    data: dict[str, Any] = json.loads(text)
    return data


def is_stale(project: Project, layer_id: str) -> list[str]:
    """Names of the compared layers whose content is no longer what the result was made from."""
    changed = []
    data = read_metadata(project, layer_id)
    for key in ("a", "b"):
        side = data[key]
        try:
            now = read_side(project, LayerField(side["layer"], side["field"], side["standard"]), data["options"]["on"])
        except PlannerError:
            changed.append(str(side["name"]))
            continue
        if now.content != side["content"]:
            changed.append(str(side["name"]))
    return changed
