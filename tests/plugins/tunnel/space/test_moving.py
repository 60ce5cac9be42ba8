"""Moving a line in its section: onto a support beside what lies there, to a place; the line in space follows; undo."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.space.load import load_section
from plugins.tunnel.model.space.moving import move_line, place_on

from .conftest import Run, X, Y


def _state(project: Project) -> tuple[object, object]:
    places = project.read(_id(project, "line_placement"), geometry=False).columns
    lines = project.read(_id(project, "net_line"))
    return {k: list(v) for k, v in places.items() if k != "support"}, (
        [None if one is None else bytes(one) for one in lines.geometry],
        lines.columns["z1"],
        lines.columns["z2"],
    )


def _id(project: Project, kind: str) -> str:
    return next(layer.id for layer in project.layers() if layer.role == f"tunnel.{kind}")


def test_a_pipe_moves_in_the_section_and_in_space_and_back(tunnel: Path) -> None:
    with Project.open(tunnel) as project:
        before = _state(project)
        section = load_section(project, "T1-1", 40)
        (pipe,) = (one for one in section.placements if one.line == "W1")
        project.execute(move_line(project, section, pipe.fid, place=(-1.2, 1.3)))
        moved = load_section(project, "T1-1", 40)
        assert [(one.x, one.y) for one in moved.placements if one.line == "W1"] == [(-1.2, 1.3)]
        lines = project.read(_id(project, "net_line"), where="\"code\" = 'W1'")
        xyz = shapely.get_coordinates(shapely.from_wkb(lines.geometry[0]), include_z=True)
        # The tunnel runs east: to the right is south.
        assert xyz[0] == pytest.approx([X, Y + 1 - 0.3, 1.3])
        assert xyz[-1] == pytest.approx([X + 100, Y + 1 - 0.3, 0.8])
        assert (lines.columns["z1"], lines.columns["z2"]) == ([1.3], [0.8])
        project.undo()
        assert _state(project) == before
        project.redo()
        assert load_section(project, "T1-1", 40).placements == moved.placements


def test_onto_a_support_beside_what_lies_there(tunnel: Path) -> None:
    with Project.open(tunnel) as project:
        section = load_section(project, "T1-1", 40)
        pipe, cables = section.placements
        x, y = place_on(section, cables.fid, "T1-1-Z-3")
        assert (x, y) == (pytest.approx(1.7), pytest.approx(1.55))  # on the bracket, where it was
        project.execute(move_line(project, section, cables.fid, support="T1-1-Z-3"))
        now = load_section(project, "T1-1", 40)
        cables = next(one for one in now.placements if one.line == "K1")
        assert (cables.support, cables.compartment) == ("T1-1-Z-3", "T1-1-Z")
        with pytest.raises(PlannerError) as full:
            place_on(now, pipe.fid, "T1-1-Z-3")  # 0.53 m of pipe beside 0.3 m of cables on 0.6 m
        assert full.value.code == "tunnel.support_full"
        x, _ = place_on(now, pipe.fid, "T1-1-Z-1")
        assert x == pytest.approx(1.4 + 0.265)  # the end nearest to where it lay
        for wrong, code in (((9.0, 1.0), "tunnel.outside_section"), ((2.15, 1.0), "tunnel.outside_section")):
            with pytest.raises(PlannerError) as outside:
                move_line(project, now, pipe.fid, place=wrong)
            assert outside.value.code == code


def test_the_verb_judges_first(run: Run, tunnel: Path) -> None:
    arguments = ("tunnel", "place", tunnel, "--section", "T1-1", "--line", "W1")
    tried = run(*arguments, "--x", 3.3, "--y", 1, "--dry-run")
    assert not tried["stored"]
    (water,) = (one for one in tried["placements"] if one["line"] == "W1")
    assert water["compartment"] == "T1-1-G"
    assert run("tunnel", "section", tunnel, "--section", "T1-1")["placements"][0]["x"] == -1.5
    done = run(*arguments, "--x", -1.7, "--y", 0.9)
    assert done["stored"]
    again = run("tunnel", "section", tunnel, "--section", "T1-1")
    assert again["placements"] == done["placements"]
    assert [one["verdict"] for one in again["findings"]] == [one["verdict"] for one in done["findings"]]
    assert run(*arguments, code=2)["error"]["code"] == "tunnel.place_missing"
    assert run(*arguments, "--support", "none", code=2)["error"]["code"] == "tunnel.support_unknown"
    assert run("undo", tunnel)["undone"]["command"] == "tunnel_move_line"
