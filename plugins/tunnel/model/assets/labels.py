"""Label sheets: what hangs on a valve or stands at a manhole, with a QR code that names the asset for good.

The code holds ``planner:asset/<uuid>``: the row's identity in the project file and on the server, which survives
renaming, exports and merges. Nothing else is coded, so that a label never goes out of date.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.assets import cjj61
from plugins.tunnel.model.assets.register import LABEL, asset_layers

_PAGE = (210.0, 297.0)  # A4, mm
_MARGIN = 8.0
_PAD = 3.4
_MOST = 5_000
#: Fields shown on a label's third line, as far as the table has them.
_SHOWN = ("kind_code", "dn_mm", "material", "type", "kind", "compartment", "unit", "rating", "network")


@dataclass(frozen=True, slots=True)
class Label:
    """One label: what is written on it, and what its code says."""

    code: str
    name: str
    place: str
    facts: str
    uri: str


@dataclass(frozen=True, slots=True)
class Box:
    """Where a label lies: page from 0, its left and top, width and height, and its code's left, top and size, mm."""

    page: int
    left: float
    top: float
    width: float
    height: float
    qr: tuple[float, float, float]


def asset_uri(uuid: str) -> str:
    """What a label's QR code holds."""
    return LABEL + uuid


def labels_of(project: Project, table: str, fids: Sequence[int] | None = None, where: str = "") -> list[Label]:
    """Labels for assets of a table, in order of their codes.

    Args:
        fids: a selection; None for all. where: a condition in SQL on the table's columns.

    Raises:
        PlannerError: ``tunnel.asset_table``, ``tunnel.labels_none``, ``tunnel.labels_many``.
    """
    from plugins.tunnel.model.space.axis import station

    layers = asset_layers(project)
    if table not in layers:
        raise PlannerError("tunnel.asset_table", table=table, known=", ".join(layers))
    layer = layers[table]
    wanted = ["code", "name", "tunnel", "m", "from_m", *_SHOWN]
    names = ["uuid", *(name for name in wanted if layer.field(name) is not None)]
    found = project.read(layer.id, columns=names, fids=fids, where=where, geometry=False)
    if not len(found):
        raise PlannerError("tunnel.labels_none", table=layer.name)
    if len(found) > _MOST:
        raise PlannerError("tunnel.labels_many", count=len(found), most=_MOST)
    made = []
    for fid, values in zip(found.fids, zip(*found.columns.values(), strict=True), strict=True):
        row = dict(zip(found.columns, values, strict=True))
        m = row.get("m") if row.get("m") is not None else row.get("from_m")
        place = " ".join(str(one) for one in (row.get("tunnel"), station(m) if m is not None else "") if one)
        if row.get("network") in cjj61.NETWORKS:
            row["network"] = cjj61.KINDS[cjj61.NETWORKS[str(row["network"])]].name
        facts = [str(row[name]) for name in _SHOWN if row.get(name) not in (None, "")]
        if row.get("dn_mm"):
            facts = [f"DN{one}" if one == str(row["dn_mm"]) else one for one in facts]
        kind = cjj61.KINDS.get(cjj61.kind_of(str(row.get("kind_code") or "")))
        if kind is not None:
            facts[0] = kind.name
        code = str(row.get("code") or f"{layer.name} {fid}")
        name = str(row.get("name") or layer.name)
        made.append(Label(code, name, place, " · ".join(facts[:4]), asset_uri(str(row["uuid"]))))
    return sorted(made, key=lambda one: one.code)


def layout(count: int, columns: int, rows: int) -> list[Box]:
    """Where labels lie on A4 sheets, row by row.

    Raises:
        PlannerError: ``tunnel.labels_grid`` if labels would be too small for a code that a phone reads (12 mm).
    """
    width = (_PAGE[0] - 2 * _MARGIN) / max(columns, 1)
    height = (_PAGE[1] - 2 * _MARGIN) / max(rows, 1)
    size = min(height - 2 * _PAD, width * 0.42)
    if columns < 1 or rows < 1 or size < 12:
        raise PlannerError("tunnel.labels_grid", columns=columns, rows=rows)
    boxes = []
    for at in range(count):
        page, place = divmod(at, columns * rows)
        row, column = divmod(place, columns)
        left, top = _MARGIN + column * width, _MARGIN + row * height
        boxes.append(Box(page, left, top, width, height, (left + _PAD, top + (height - size) / 2, size)))
    return boxes


def write_labels(labels: Sequence[Label], path: Path, *, columns: int = 3, rows: int = 8) -> int:
    """Write a PDF of label sheets; returns the number of sheets.

    Raises:
        PlannerError: ``tunnel.labels_grid``, ``report.*`` of the writer.
    """
    from planner_app.report.document import write_pdf

    boxes = layout(len(labels), columns, rows)
    pages: list[list[str]] = [[] for _ in range(boxes[-1].page + 1)] if boxes else []
    for label, box in zip(labels, boxes, strict=True):
        pages[box.page].append(_drawn(label, box))
    sheets = "".join(f"<section>{''.join(parts)}</section>" for parts in pages)
    write_pdf(f"<!doctype html><html><head><meta charset='utf-8'><style>{_STYLE}</style></head>{sheets}</html>", path)
    return len(pages)


_STYLE = """
@page { size: A4; margin: 0 }
body { margin: 0; font-family: 'Noto Sans CJK SC', 'Source Han Sans SC', 'Microsoft YaHei', sans-serif; color: #000 }
section { position: relative; width: 210mm; height: 297mm; overflow: hidden; break-after: page }
section:last-child { break-after: auto }
div { position: absolute; box-sizing: border-box; overflow: hidden }
p { margin: 0 }
.cut { border: 0.1mm dashed #9aa3ae }
.code { font-weight: 700; font-size: 11pt; line-height: 1.15; word-break: break-all }
.name { font-size: 8.5pt; line-height: 1.25; padding-top: 0.8mm }
.fact { font-size: 7.5pt; line-height: 1.25; color: #333; padding-top: 0.6mm }
"""


def _drawn(label: Label, box: Box) -> str:
    import segno

    x, y, size = box.qr
    code = segno.make(label.uri, micro=False, error="m")
    picture = code.svg_inline(border=0, omitsize=True, dark="#000", light=None)
    words = "".join(
        f'<p class="{kind}">{html.escape(text)}</p>'
        for kind, text in (("code", label.code), ("name", label.name), ("fact", label.place), ("fact", label.facts))
        if text
    )
    text_left, text_width = x + size + _PAD, box.left + box.width - (x + size + 2 * _PAD)
    return (
        f'<div class="cut" style="{_at(box.left, box.top, box.width, box.height)}"></div>'
        f'<div style="{_at(x, y, size, size)}">{picture}</div>'
        f'<div style="{_at(text_left, box.top + _PAD, text_width, box.height - 2 * _PAD)}">{words}</div>'
    )


def _at(left: float, top: float, width: float, height: float) -> str:
    return f"left:{left:.3f}mm;top:{top:.3f}mm;width:{width:.3f}mm;height:{height:.3f}mm"
