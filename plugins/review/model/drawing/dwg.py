"""DWG: through ezdwg, entity by entity with their own handles, into a document that is then read like a DXF.

Not by ezdwg's own converter: it drops and moves what it finds implausible, and gives everything new handles.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from plugins.review.model.drawing.shapes import Collector, counted
from plugins.review.model.drawing.types import Drawing, DrawingFormat

#: Where a person's own ODA File Converter lies, if it is not on the path.
CONVERTER_VARIABLE = "PLANNER_ODA_CONVERTER"
_RELEASES = {
    "AC1012": "R13", "AC1014": "R14", "AC1015": "R2000", "AC1018": "R2004", "AC1021": "R2007", "AC1024": "R2010",
    "AC1027": "R2013", "AC1032": "R2018",
}  # fmt: skip
_DIMENSIONS = {
    "LINEAR": 0, "ROTATED": 0, "ALIGNED": 1, "ANG2LN": 2, "ANGULAR": 2, "DIAMETER": 3, "RADIUS": 4, "ANG3PT": 5,
    "ORDINATE": 6,
}  # fmt: skip
_Values = Mapping[str, Any]


def read_dwg(
    path: Path, report: Callable[[float], None] = lambda fraction: None, metres_per_unit: float | None = None
) -> Drawing:
    """The model space of a DWG file.

    Raises:
        PlannerError: ``review.dwg_version``, ``review.dwg_broken``, ``review.dwg_empty``, those of ``read_dxf``.
    """
    from plugins.review.model.drawing.dxf import read_document

    version = path.read_bytes()[:6].decode("ascii", "replace")
    if version not in _RELEASES:
        raise PlannerError("review.dwg_version", file=path.name, version=version)
    collector = Collector()
    try:
        document, missing = _document(str(path))
    except MemoryError:
        raise
    except Exception as error:  # the decoder names damage in its own ways
        raise PlannerError("review.dwg_broken", file=path.name, detail=str(error)[:200]) from error
    if not len(document.modelspace()):
        raise PlannerError("review.dwg_empty", file=path.name, version=_RELEASES[version])
    if missing:
        collector.note("review.dwg_undecoded", count=missing.total(), kinds=counted(missing))
    release = _RELEASES[version]
    return read_document(document, path.name, collector, DrawingFormat.DWG, report, metres_per_unit, version=release)


def _document(path: str) -> tuple[Any, Counter[str]]:
    """A DXF document with the file's layers, blocks and entities; what there was no decoding for, by kind."""
    import ezdwg
    from ezdwg import raw
    from ezdxf.filemanagement import new

    source = ezdwg.read(path)
    target = new("R2010")
    target.encoding = target.header["$LASTSAVEDBY"] = ""  # ezdxf's own, not the file's
    target.header["$INSUNITS"] = int(source.insunits or 0)
    layers = _layers(source, target)
    names = dict(raw.decode_block_header_names(path))
    bases = {row["handle"]: row["base_point"] for row in raw.decode_write_blocks(path)}
    model = {handle for handle, name in names.items() if name.casefold() == "*model_space"}
    spaces: dict[int, Any] = dict.fromkeys(model, target.modelspace())
    by_name: dict[str, Any] = {}
    for handle, name in names.items():
        if not name.startswith("*") or name[:2].upper() in ("*U", "*T", "*E", "*X"):
            key = name.casefold()
            if key not in by_name:
                by_name[key] = target.blocks.new(name, base_point=bases.get(handle, (0.0, 0.0, 0.0)))
            spaces[handle] = by_name[key]
    references = {row[0]: names.get(row[2], "") for row in raw.decode_insert_write_properties(path)}
    attributes: dict[int, list[Any]] = defaultdict(list)
    entities = list(source.entities().query("*"))
    for entity in entities:
        if entity.dxftype == "ATTRIB":
            attributes[int(entity.dxf.get("owner_handle") or 0)].append(entity)
    missing: Counter[str] = Counter()
    for entity in entities:
        if entity.dxftype == "ATTRIB":
            continue
        placement = source.entity_placement(entity.handle)
        mode, owner = placement if placement else (2, None)
        if mode == 1:
            target.layout("Layout1").add_point((0.0, 0.0))  # counted as paper space, not read
            continue
        space = target.modelspace() if mode == 2 or owner is None else spaces.get(int(owner))
        if space is None:
            continue  # of a dimension's own picture, or of another layout
        try:
            _add(space, entity, layers, references, attributes.get(int(entity.handle), []))
        except MemoryError:
            raise
        except Exception:  # values that make no sense
            missing[entity.dxftype] += 1
    known = {int(entity.handle) for entity in entities}
    missing.update(_undecoded(path, known, model))
    return target, missing


def _layers(source: Any, target: Any) -> dict[int, str]:
    """Layers by handle, made in the target."""
    layers = {}
    for layer in source.layers:
        name = str(layer.name) or "0"
        layers[int(layer.handle)] = name
        made = target.layers.get(name) if target.layers.has_entry(name) else target.layers.add(name)
        made.dxf.color = abs(int(layer.color or 7)) or 7
        if layer.rgb is not None:
            made.rgb = tuple(layer.rgb)
        if layer.lineweight is not None:
            made.dxf.lineweight = int(layer.lineweight)
        if not layer.on:
            made.off()
        if layer.frozen:
            made.freeze()
    return layers


def _undecoded(path: str, known: set[int], model: set[int]) -> Counter[str]:
    """Entities of the model space that the decoder has no values of, by kind."""
    from ezdwg import raw

    kinds = {row[0]: str(row[4]) for row in raw.list_object_headers_with_type(path)}
    placed = (row for row in raw.decode_entity_placements(path) if row[1] == 2 or row[2] in model)
    found: Counter[str] = Counter()
    for handle, *_ in placed:
        kind = kinds.get(handle, "?")
        if handle not in known and not kind.startswith(("VERTEX", "SEQEND", "ATTRIB", "BLOCK", "ENDBLK", "VIEWPORT")):
            found[kind] += 1
    return found


def _add(
    space: Any, entity: Any, layers: Mapping[int, str], references: Mapping[int, str], attributes: list[Any]
) -> None:
    """The entity as DXF in a space, with its own handle."""
    kind, values = str(entity.dxftype), entity.dxf
    common = _common(values, layers)
    made: Any
    if kind == "LWPOLYLINE":
        rows = [(x, y, 0.0, 0.0, b) for (x, y, *_), b in zip(values["points"], _bulges(values), strict=True)]
        made = space.add_lwpolyline(rows, close=bool(values.get("closed")), dxfattribs=common)
        made.dxf.elevation = float(values.get("elevation") or 0.0)
    elif kind == "POLYLINE_2D":
        flags = values.get("vertex_flags") or [0] * len(values["points"])
        rows = [
            (x, y, 0.0, 0.0, b)
            for (x, y, *_), b, flag in zip(values["points"], _bulges(values), flags, strict=True)
            if not flag & 16
        ]
        made = space.add_lwpolyline(rows, close=bool(values.get("closed")), dxfattribs=common)
        made.dxf.elevation = float(values.get("elevation") or 0.0)
    elif kind == "POLYLINE_3D":
        made = space.add_polyline3d(values["points"], close=bool(values.get("closed")), dxfattribs=common)
    elif kind in ("SOLID", "TRACE", "3DFACE"):
        corners = {f"vtx{at}": point for at, point in enumerate(values["points"][:4])}
        made = space.new_entity(kind, common | corners)
    elif kind == "SPLINE":
        made = space.add_spline(dxfattribs=common)
        made.dxf.degree = int(values["degree"])
        made.closed = bool(values.get("closed"))
        made.control_points = values.get("control_points") or []
        made.knots = values.get("knots") or []
        made.weights = values.get("weights") or []
        made.fit_points = values.get("fit_points") or []
    elif kind == "HATCH":
        made = space.add_hatch(dxfattribs=common | {"elevation": (0.0, 0.0, float(values.get("elevation") or 0.0))})
        for boundary in values["paths"]:
            made.paths.add_polyline_path([point[:2] for point in boundary["points"]], is_closed=True)
    elif kind == "LEADER":
        made = space.new_entity("LEADER", common)
        made.vertices = list(values["points"])
    elif kind in ("INSERT", "MINSERT"):
        made = _insert(space, entity, common, references, layers, attributes)
    elif kind == "DIMENSION":
        made = space.new_entity("DIMENSION", common | _pick(values, _FIELDS[kind]))
        number = _DIMENSIONS.get(str(values.get("dimtype", "")).upper())
        made.dxf.dimtype = 0 if number is None else number
        if number == 6 and _measured_across(values):
            made.dxf.dimtype = 70
    else:
        fields = _FIELDS.get(kind, ())
        made = space.new_entity(kind if fields else "ACAD_PROXY_ENTITY", common | _pick(values, fields))
        if kind == "MTEXT":
            made.text = str(values.get("raw_text") or values.get("text") or "")
        elif kind == "ELLIPSE":
            made.dxf.ratio = float(values.get("axis_ratio", 1.0))
            made.dxf.start_param, made.dxf.end_param = float(values["start_angle"]), float(values["end_angle"])
        elif not fields:
            made.DXFTYPE = kind  # counted by its own name
    made.dxf.handle = f"{int(entity.handle):X}"


def _insert(
    space: Any, entity: Any, common: dict[str, Any], references: Mapping[int, str], layers: Mapping[int, str],
    attributes: list[Any],
) -> Any:  # fmt: skip
    values = entity.dxf
    name = references.get(int(entity.handle)) or str(values.get("name") or "")
    made = space.add_blockref(name, values["insert"], dxfattribs=common | _pick(values, _FIELDS["INSERT"]))
    for given in attributes:
        own = _common(given.dxf, layers) | _pick(given.dxf, _TEXT)
        own["flags"] = given.dxf.get("attribute_flags", 0)
        place = own.pop("insert", (0.0, 0.0, 0.0))
        attribute = made.add_attrib(str(given.dxf.get("tag") or ""), own.pop("text", ""), place, dxfattribs=own)
        attribute.dxf.handle = f"{int(given.handle):X}"
    return made


def _measured_across(values: _Values) -> bool:
    """True if an ordinate dimension measures along X: its stored value decides where the flag is not decoded."""
    (x, y, *_), (u, v, *_) = values["defpoint"], values["defpoint2"]
    measured = values.get("actual_measurement")
    return measured is not None and abs(abs(u - x) - measured) <= abs(abs(v - y) - measured)


def _bulges(values: _Values) -> list[float]:
    return list(values.get("bulges") or [0.0] * len(values["points"]))


def _common(values: _Values, layers: Mapping[int, str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "layer": layers.get(int(values.get("layer_handle") or 0), "0"),
        "color": int(256 if values.get("color_index") is None else values["color_index"]),
        "invisible": int(bool(values.get("invisible"))),
    }
    if values.get("true_color") is not None:
        found["true_color"] = int(values["true_color"]) & 0xFFFFFF
    if values.get("lineweight") is not None:
        found["lineweight"] = int(values["lineweight"])
    if values.get("extrusion") is not None:
        found["extrusion"] = values["extrusion"]
    return found


def _pick(values: _Values, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


_TEXT = ("text", "insert", "align_point", "height", "rotation", "halign", "valign")
_FIELDS: dict[str, tuple[str, ...]] = {
    "LINE": ("start", "end"),
    "POINT": ("location",),
    "CIRCLE": ("center", "radius"),
    "ARC": ("center", "radius", "start_angle", "end_angle"),
    "ELLIPSE": ("center", "major_axis"),
    "TEXT": _TEXT,
    "ATTDEF": (*_TEXT, "tag"),
    "MTEXT": ("insert", "char_height", "attachment_point", "text_direction", "rotation"),
    "INSERT": (
        "xscale", "yscale", "zscale", "rotation", "row_count", "column_count", "row_spacing", "column_spacing",
    ),
    "DIMENSION": (
        "defpoint", "defpoint2", "defpoint3", "defpoint4", "text", "angle", "horizontal_direction",
    ),
}  # fmt: skip


def converter(chosen: str = "") -> str:
    """The ODA File Converter a person has, "" if there is none: the chosen one, the variable's, the path's."""
    for candidate in (chosen, os.environ.get(CONVERTER_VARIABLE, ""), "ODAFileConverter"):
        found = shutil.which(candidate) if candidate else None
        if found:
            return found
    return ""


@contextmanager
def converted(path: Path, program: str, progress: Progress, seconds: float) -> Iterator[Path]:
    """A DXF that the ODA File Converter makes of a DWG; gone afterwards.

    Raises:
        PlannerError: ``review.dwg_converter``. Cancelled.
    """
    with tempfile.TemporaryDirectory(prefix="planner-drawing-") as folder:
        given, made = Path(folder, "in"), Path(folder, "out")
        given.mkdir()
        made.mkdir()
        shutil.copyfile(path, given / "drawing.dwg")
        child = subprocess.Popen(
            [program, str(given), str(made), "ACAD2018", "DXF", "0", "1", "drawing.dwg"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            env=os.environ | {"QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )  # fmt: skip
        until = time.monotonic() + seconds
        try:
            while child.poll() is None and time.monotonic() < until:
                check(progress)
                with suppress(subprocess.TimeoutExpired):
                    child.wait(0.1)
        finally:
            child.kill()
            child.wait(5)
        result = made / "drawing.dxf"
        if not result.is_file():
            raise PlannerError("review.dwg_converter", file=path.name, program=Path(program).name)
        yield result
