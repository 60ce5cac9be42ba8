"""Sections and profiles as files: drawings, tables, JSON. What the command line and the window write alike."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Finding
from planner_app.i18n import word
from planner_app.report.findings import finding_json
from plugins.tunnel.model.space.profile import Profile, Run, gap, profile_csv, slopes
from plugins.tunnel.model.space.profile_sheet import draw_profile
from plugins.tunnel.model.space.section import Section, aisle
from plugins.tunnel.model.space.section_sheet import draw_section
from plugins.tunnel.model.space.sheet import write_bytes, write_sheet
from plugins.tunnel.model.space.supports import carried, occupancy

SECTION_SUFFIXES = (".png", ".pdf", ".svg", ".dxf", ".csv", ".json")
PROFILE_SUFFIXES = (".png", ".pdf", ".svg", ".dxf", ".csv", ".json")
#: Dots per inch that a picture may have.
_DPI = (20, 1200)


def check_suffix(out: Path | None, known: Sequence[str], dpi: float = 150.0) -> None:
    """Refuse a file that nothing here writes, and pictures of no or countless dots.

    Raises:
        PlannerError: ``tunnel.format_unknown``, ``tunnel.dpi_wrong``.
    """
    if out is not None and out.suffix.casefold() not in known:
        raise PlannerError("tunnel.format_unknown", file=out.name, known=" ".join(known))
    if not _DPI[0] <= dpi <= _DPI[1]:
        raise PlannerError("tunnel.dpi_wrong", dpi=dpi, least=_DPI[0], most=_DPI[1])


def write_section(section: Section, findings: Sequence[Finding], out: Path, *, dpi: float = 150.0) -> None:
    """Write a section by the suffix of ``out``.

    Raises:
        PlannerError: ``tunnel.format_unknown``; what writing files raises.
    """
    check_suffix(out, SECTION_SUFFIXES)
    suffix = out.suffix.casefold()
    if suffix == ".json":
        _write_json(out, section_json(section, findings))
    elif suffix == ".csv":
        write_bytes(out, section_csv(section))
    else:
        write_sheet(draw_section(section, findings), out, dpi=dpi)


def section_csv(section: Section) -> bytes:
    """What lies in a section, line by line, as CSV with a byte order mark; unknown cells are empty."""
    out = io.StringIO()
    names = (
        "line", "kind", "kind_code", "compartment", "support", "x", "y", "z", "outer_d", "count", "dn_mm", "material",
        "rating", "voltage_kv",
    )  # fmt: skip
    writer = csv.DictWriter(out, ("section", "m", *names), extrasaction="ignore")
    writer.writeheader()
    writer.writerows({"section": section.code, "m": section.m} | row for row in section_json(section, ())["placements"])
    return out.getvalue().encode("utf-8-sig")


def write_profile(profile: Profile, findings: Sequence[Finding], out: Path, *, dpi: float = 150.0) -> None:
    """Write a profile by the suffix of ``out``.

    Raises:
        PlannerError: ``tunnel.format_unknown``; what writing files raises.
    """
    check_suffix(out, PROFILE_SUFFIXES)
    suffix = out.suffix.casefold()
    if suffix == ".json":
        _write_json(out, profile_json(profile, findings))
    elif suffix == ".csv":
        write_bytes(out, profile_csv(profile))
    else:
        write_sheet(draw_profile(profile, findings), out, dpi=dpi)


def _write_json(out: Path, data: dict[str, Any]) -> None:
    write_bytes(out, json.dumps(data, ensure_ascii=False, indent=1).encode("utf-8"))


def section_json(section: Section, findings: Sequence[Finding]) -> dict[str, Any]:
    """The section as the command line prints it."""
    at = section.at
    floor = None if at is None or at[2] != at[2] else at[2]
    placements = []
    for one in section.placements:
        support = section.support_of(one)
        placements.append(
            {
                "line": one.line, "network": one.network, "kind": one.kind, "kind_code": one.kind_code,
                "compartment": one.compartment or None, "stated_compartment": one.stated,
                "support": support.code if support else None, "x": one.x, "y": one.y, "outer_d": one.outer_d,
                "nominal": one.nominal, "count": one.count, "dn_mm": one.dn_mm, "material": one.material,
                "rating": one.rating, "voltage_kv": one.voltage_kv,
                "z": None if floor is None or one.y is None else floor + one.y,
                "circles": [list(circle) for circle in section.circles(one)],
            }
        )  # fmt: skip
    aisles = {room.code: aisle(section, room) for room in section.compartments}
    load = {support.code: (lines, occupancy(support, lines)) for support, lines in carried(section)}
    return {
        "section": section.code, "tunnel": section.tunnel, "m": section.m, "from_m": section.from_m,
        "to_m": section.to_m, "profile": section.profile, "built_edition": section.built, "floor_z": floor,
        "ground_z": section.ground_z, "wall_m": section.wall,
        "compartments": [
            {"code": room.code, "kind": room.kind, "box": room.box, "aisle_m": _of(aisles[room.code], "width"),
             "height_m": _of(aisles[room.code], "height")}
            for room in section.compartments
        ],
        "supports": [
            {"code": one.code, "compartment": one.compartment, "side": one.side, "level": one.level, "x": one.x,
             "y": one.y, "length_m": one.length, "capacity_kg": one.capacity_kg,
             "lines": [line.line for line in load[one.code][0]] if one.code in load else [],
             "occupancy": load[one.code][1] if one.code in load else 0.0}
            for one in section.supports
        ],
        "placements": placements,
        "findings": [
            finding_json(one) | {"lines": [line for line in (one.params or {}).get("lines", "").split(", ") if line]}
            for one in findings
        ],
        "warnings": [{"code": code, "message": word(code, params)} for code, params in section.notes],
    }  # fmt: skip


def _of(thing: Any, name: str) -> Any:
    return None if thing is None else getattr(thing, name)


def profile_json(profile: Profile, findings: Sequence[Finding] = ()) -> dict[str, Any]:
    """The profile as the command line prints it."""
    low, high = profile.ends
    nodes = [
        {"id": f"node:{one.code}" if profile.subject == "pipe" else one.code, "label": one.label, "m": one.m,
         "ground_z": one.ground_z, "z": one.z,
         "depth_m": None if one.ground_z is None or one.z is None else one.ground_z - one.z}
        for one in profile.stops
    ]  # fmt: skip
    lines = [
        {"id": f"line:{one.code}" if profile.subject == "pipe" else one.code, "kind": one.kind, "from_m": one.from_m,
         "to_m": one.to_m, "z1": one.points[0][1], "z2": one.points[-1][1], "dn_mm": one.dn_mm,
         "outer_d": one.outer_d, "slope": _slope(one)}
        for one in profile.main
    ]  # fmt: skip
    return {
        "subject": profile.subject, "name": profile.name, "from_m": low, "to_m": high, "length_m": high - low,
        "lines": lines, "nodes": nodes,
        "within": [{"line": one.code, "kind": one.kind, "from_m": one.from_m, "to_m": one.to_m, "z1": one.points[0][1],
                    "z2": one.points[-1][1], "outer_d": one.outer_d} for one in profile.within],
        "crossings": [{"line": one.line, "kind": one.kind, "m": one.m, "z": one.z, "outer_d": one.outer_d,
                       "gap_m": gap(profile, one)} for one in profile.crossings],
        "slopes": [
            {"from_m": a, "to_m": b, "slope": slope} for one in profile.main for a, b, slope in slopes(one.points)
        ],
        "unknown": {
            "lines": [
                line["id"]
                for line, one in zip(lines, profile.main, strict=True)
                if any(z is None for _, z in one.points)
            ],
            "ground": [node["id"] for node in nodes if node["ground_z"] is None],
            "crossings": [one.line for one in profile.crossings if one.z is None],
        },
        "findings": [
            finding_json(one) | {key: (one.params or {}).get(key) for key in ("from_m", "to_m")} for one in findings
        ],
        "warnings": [{"code": code, "message": word(code, params)} for code, params in profile.notes],
    }  # fmt: skip


def _slope(run: Run) -> float | None:
    (a, za), (b, zb) = run.points[0], run.points[-1]
    return None if za is None or zb is None or b <= a else (zb - za) / (b - a)
