"""What the section says of the thing under the pointer."""

from __future__ import annotations

from planner_app.domain.finding import Verdict
from planner_app.i18n import tr
from planner_app.report.findings import finding_message, verdict_word
from plugins.tunnel.model.space.section import Placement, Support, distances
from plugins.tunnel.model.space.section_sheet import spec
from plugins.tunnel.model.space.supports import carried, occupancy
from plugins.tunnel.ui.space.section_paint import Scene


def hover_lines(scene: Scene, thing: object) -> list[tuple[str, str]]:
    """(text, token) line by line, the first a title."""
    if isinstance(thing, Placement):
        return _line(scene, thing)
    if isinstance(thing, Support):
        return _support(scene, thing)
    return []


def _line(scene: Scene, one: Placement) -> list[tuple[str, str]]:
    support, room = scene.section.support_of(one), scene.section.compartment(one.compartment)
    found = [(f"{one.line} · {spec(one)}", "ink")]
    about = [one.kind_code, one.rating, one.material, f"DN{one.dn_mm:.0f}" if one.dn_mm else ""]
    found.append((" · ".join(part for part in about if part), "secondary"))
    lies = [
        room.code if room else tr("in no compartment"),
        tr("on support {code}", code=support.code) if support else tr("on no support"),
    ]
    if one.x is not None and one.y is not None:
        lies.append(f"x {one.x:.3f} · y {one.y:.3f}")
    found.append((" · ".join(lies), "secondary"))
    away = distances(scene.section, one)
    words = []
    if away.wall is not None and away.floor is not None:
        words += [tr("to the wall {m} m", m=f"{away.wall:.3f}"), tr("to the floor {m} m", m=f"{away.floor:.3f}")]
    if away.gap is not None:
        words.append(tr("to {line} {m} m", line=away.neighbour, m=f"{away.gap:.3f}"))
    found.append((" · ".join(words) or tr("place or size unknown"), "secondary"))
    for finding in scene.findings:
        if finding.verdict is not Verdict.PASS and one.fid in (finding.params or {}).get("fids", ()):
            found.append((f"{verdict_word(finding.verdict.value)}: {finding_message(finding)}", finding.verdict.value))
    return [(text, token) for text, token in found if text]


def _support(scene: Scene, one: Support) -> list[tuple[str, str]]:
    lines = next((lines for support, lines in carried(scene.section) if support.code == one.code), [])
    capacity = (
        tr("capacity unknown") if one.capacity_kg is None else tr("capacity {kg} kg", kg=f"{one.capacity_kg:.0f}")
    )
    level = "" if one.level is None else tr("level {level}", level=one.level)
    found = [(tr("Support {code}", code=one.code), "ink")]
    found.append((" · ".join(part for part in (one.side, level, f"{one.length:.2f} m", capacity) if part), "secondary"))
    if lines:
        found.append((tr("{share} of its length is taken", share=f"{occupancy(one, lines):.0%}"), "secondary"))
        found.append((", ".join(line.line for line in lines), "secondary"))
    else:
        found.append((tr("free"), "secondary"))
    return found
