"""Planned construction is recognised by role and by plan, and only what was touched is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from planner_app.domain.layer import PlanInfo, PlanKind
from planner_app.domain.rule import in_force, parse_rules
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.clearance.work_table import EXTERNAL_WORK
from plugins.tunnel.model.clearance.works import touched, watched, zones_of
from tests.plugins.tunnel.clearance.towns import add, box, layer, tunnel

FILE = Path(__file__).resolve().parents[4] / "plugins" / "tunnel" / "rules" / "clearance.toml"
DAY = date(2026, 1, 1)
RULES = in_force(parse_rules(FILE.read_text(encoding="utf-8"), FILE.name), DAY)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path / "p.sqlite", "EPSG:4549") as made:
        tunnel(made, (0, 0, 0), (400, 0, 0))  # its outer faces at y = ±2 m
        yield made


def test_which_layers_hold_planned_construction(project: Project) -> None:
    one = (box(0, 0, 1, 1), {"name": "a"})
    kinds = {}
    for kind, to in ((PlanKind.DETAILED, ""), (PlanKind.DETAILED, "2020-01-01"), (PlanKind.MASTER, ""),
                     (PlanKind.TRANSPORT, ""), (PlanKind.FARMLAND, "")):  # fmt: skip
        plan = PlanInfo(f"{kind}{to}", kind, str(kind), valid_to=to)
        new = replace(layer(f"{kind}{to}", "polygon", name="text"), plan=plan)
        kinds[kind, to] = add(project, new, [one])
    element = add(project, layer("设计", "polygon", "review.element", name="text", role="text"), [one])
    case = add(project, layer("案件", "polygon", "review.case", name="text"), [one])
    work = add(project, EXTERNAL_WORK, [one])
    other = add(project, layer("公园", "polygon", name="text"), [one])
    table = add(project, layer("记录", "none", "review.issue", name="text"), [(None, {"name": "a"})])
    found = {one.id for one in project.layers() if watched(project, one, DAY)}
    assert found == {kinds[PlanKind.DETAILED, ""], kinds[PlanKind.TRANSPORT, ""], element, case, work}
    assert not found & {other, table, "tunnel"}


def test_only_touched_features_near_the_tunnel_count(project: Project) -> None:
    rows = [
        (box(10, 4, 30, 20), {"name": "近", "depth_m": 5.0, "method": "放坡开挖"}),
        (box(100, 12, 130, 30), {"name": "中"}),
        (box(200, 17.5, 230, 30), {"name": "远"}),
        (box(-600, -600, 600, 600), {"name": "片区"}),  # 144 ha: an area, no project
    ]
    work = project.layer(add(project, EXTERNAL_WORK, rows))
    tunnels = zones_of(project, RULES)
    every = touched(project, work, None, tunnels, RULES)
    assert [(one.name, one.zone, one.distance) for one in every] == [
        ("近", "protection", pytest.approx(2.0)), ("中", "control", pytest.approx(10.0)),
    ]  # fmt: skip
    assert every[0].depth == 5.0
    assert every[0].approvals
    assert every[0].points
    assert [one.name for one in touched(project, work, [2], tunnels, RULES)] == ["中"]
    assert touched(project, work, [3], tunnels, RULES) == []
    assert touched(project, work, [], tunnels, RULES) == []
    assert touched(project, work, None, tunnels, []) == []


def test_of_a_reviewed_design_only_what_is_built_counts(project: Project) -> None:
    rows = [(box(10, 4, 30, 20), {"role": role}) for role in ("green", "footprint", "basement", "site")]
    design = project.layer(add(project, layer("设计", "polygon", "review.element", role="text"), rows))
    found = touched(project, design, None, zones_of(project, RULES), RULES)
    assert sorted(one.feature for one in found) == [f"{design.id}/2", f"{design.id}/3"]


def test_a_small_edit_in_a_large_layer_is_cheap(project: Project) -> None:
    rows = [
        (box(x * 20, 100 + y * 20, x * 20 + 15, 115 + y * 20), {"name": ""}) for x in range(100) for y in range(100)
    ]
    work = project.layer(add(project, EXTERNAL_WORK, [(box(10, 4, 30, 20), {"name": "近"}), *rows]))
    tunnels = zones_of(project, RULES)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        assert len(touched(project, work, [1, 500], tunnels, RULES)) == 1
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05
