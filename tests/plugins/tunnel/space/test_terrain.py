"""The ground between surveyed nodes from a layer of heights; where the two contradict each other the survey counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.plugin_api.model import Batch, Project
from plugins.tunnel.model.space.profile_load import path_profile, tunnel_profile
from plugins.tunnel.model.space.terrain import Terrain, ground_between

from .conftest import X, Y

LINE = [(0.0, 0.0, 0.0), (100.0, 100.0, 0.0)]
NODES = [("A", 0.0, 5.0), ("B", 100.0, 5.0)]


def grid(height: float = 5.0, bump: float = 0.0) -> Terrain:
    """Spot heights every 10 m, higher in the middle."""
    points = [
        (x, y, height + (bump if 40 <= x <= 60 else 0.0)) for x in range(-20, 130, 10) for y in range(-20, 30, 10)
    ]
    return Terrain("高程点", np.array(points, float), np.zeros(len(points), bool))


def test_the_ground_runs_through_the_nodes_and_follows_the_terrain_between() -> None:
    notes: list = []
    ground = dict(ground_between(grid(5.4, bump=1.0), LINE, [(0.0, 5.0), (100.0, 5.0)], NODES, notes))
    assert (ground[0.0], ground[100.0]) == (5.0, 5.0)
    assert ground[50.0] == pytest.approx(6.0)  # 0.4 m of difference taken off
    assert ground[20.0] == pytest.approx(5.0)
    assert [code for code, _ in notes] == ["tunnel.ground_of_layer"]


def test_a_terrain_that_contradicts_the_survey_is_named_and_left() -> None:
    notes: list = []
    ground = ground_between(grid(9.0), LINE, [(0.0, 5.0), (100.0, 5.0)], NODES, notes)
    assert ground == ((0.0, 5.0), (100.0, 5.0))
    assert notes == [("tunnel.ground_differs", {"layer": "高程点", "most": pytest.approx(4.0), "nodes": "A, B"})]


def test_terrain_alone_and_none() -> None:
    alone = dict(ground_between(grid(), LINE, [(0.0, None), (100.0, None)], [("A", 0.0, None)], []))
    assert alone[0.0] == alone[50.0] == alone[100.0] == pytest.approx(5.0)
    assert ground_between(None, LINE, [(0.0, 5.0)], NODES, []) == ((0.0, 5.0),)


def test_what_the_triangles_do_not_know() -> None:
    flat = Terrain("等高线", np.array([(0, 0, 10), (50, 0, 10), (25, 40, 10)], float), np.ones(3, bool))
    assert np.isnan(flat.at(np.array([(25.0, 10.0)]))).all()  # inside one contour
    spots = Terrain("高程点", flat.points, np.zeros(3, bool))
    assert spots.at(np.array([(25.0, 10.0)])) == pytest.approx([10.0])
    assert np.isnan(spots.at(np.array([(200.0, 10.0)]))).all()
    far = Terrain("高程点", np.array([(0, 0, 1), (900, 0, 1), (400, 900, 1)], float), np.zeros(3, bool))
    assert np.isnan(far.at(np.array([(400.0, 300.0)]))).all()
    line = Terrain("高程点", np.array([(0, 0, 1), (9, 0, 1), (18, 0, 1)], float), np.zeros(3, bool))
    assert np.isnan(line.at(np.array([(4.0, 0.0)]))).all()


def test_layers_of_a_project(tunnel: Path) -> None:
    """Contours across the tunnel on the plane z = 6 − 0.005·x, as the nodes have it, but for a dip."""
    with Project.open(tunnel) as project:
        before = tunnel_profile(project, "T1")
        xs = range(-40, 280, 20)
        lines = [shapely.LineString([(X + x, Y - 60), (X + x, Y + 60)]) for x in xs]
        heights = [6 - 0.005 * x - (0.5 if x == 80 else 0.0) for x in xs]
        new = NewLayer("1:500 等高线", "line", (FieldInfo("name", "text"), FieldInfo("height_m", "real")))
        names = [None] * len(lines)
        project.add_layer(new, [Batch(list(shapely.to_wkb(lines)), {"name": names, "height_m": heights})])
        after = tunnel_profile(project, "T1")
        assert before.ground_z(80) == pytest.approx(5.6)
        assert after.ground_z(80) == pytest.approx(5.1)
        assert after.ground_z(150) == pytest.approx(5.25)
        assert after.ground_z(200) == 5.0
        assert [code for code, _ in after.notes] == ["tunnel.ground_of_layer"]
        pipes = path_profile(project, "node:A", "node:C")
        assert pipes.ground_z(80) == pytest.approx(5.1)
        assert [stop.ground_z for stop in pipes.stops] == [6.0, 5.5, 5.0]


def test_layers_that_only_sound_like_ground(tunnel: Path) -> None:
    """Heights of buildings on a topographic map and shapes without heights are no ground."""
    with Project.open(tunnel) as project:
        before = tunnel_profile(project, "T1").ground
        boxes = [shapely.box(X + x, Y - 50, X + x + 20, Y + 50) for x in range(0, 200, 20)]
        buildings = NewLayer("地形图 建筑", "polygon", (FieldInfo("height", "real"),))
        project.add_layer(buildings, [Batch(list(shapely.to_wkb(boxes)), {"height": [6.2] * len(boxes)})])
        points = [shapely.Point(X + x, Y + y, 0) for x in range(-20, 240, 20) for y in (-30, 30)]
        spots = NewLayer("高程点", "point", (FieldInfo("name", "text"),))
        project.add_layer(spots, [Batch(list(shapely.to_wkb(points)), {"name": [None] * len(points)})])
        assert tunnel_profile(project, "T1").ground == before
        triangles = [
            shapely.Polygon([(X + a, Y + b, 6 - 0.005 * a - (0.4 if a == 40 else 0)) for a, b in corners])
            for x in range(-40, 240, 40)
            for corners in (((x, -40), (x + 40, -40), (x, 40)), ((x + 40, -40), (x + 40, 40), (x, 40)))
        ]
        tin = NewLayer("DTM tin", "polygon", (FieldInfo("name", "text"),))
        project.add_layer(tin, [Batch(list(shapely.to_wkb(triangles)), {"name": [None] * len(triangles)})])
        assert tunnel_profile(project, "T1").ground_z(40) == pytest.approx(5.4)
