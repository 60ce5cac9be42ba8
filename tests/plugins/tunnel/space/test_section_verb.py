"""``planner tunnel section`` on a project: what lies where, judged, and drawn to scale in every format."""

from __future__ import annotations

import json
from pathlib import Path

import ezdxf
import pytest
from PIL import Image

from planner_app.plugin_api.model import Project
from planner_app.project import EditCells
from plugins.tunnel.model.space.axis import station
from plugins.tunnel.model.space.load import load_section, load_tunnel

from .conftest import Run, X, Y


def test_the_section_and_its_findings(run: Run, tunnel: Path) -> None:
    done = run("tunnel", "section", tunnel, "--section", "T1-1", "--at", 40)
    assert {one["line"]: (one["compartment"], one["kind"], one["support"]) for one in done["placements"]} == {
        "W1": ("T1-1-Z", "water", None),
        "K1": ("T1-1-Z", "power", "T1-1-Z-2"),
    }
    assert done["floor_z"] == pytest.approx(-0.2)
    assert done["ground_z"] == pytest.approx(5.8)
    (water,) = (one for one in done["placements"] if one["line"] == "W1")
    assert water["z"] == pytest.approx(0.8)
    verdicts = {(one["rule"], one["feature"]): one["verdict"] for one in done["findings"]}
    assert verdicts["section.clear_height", "T1-1-Z"] == "pass"
    (aisle,) = (one for one in done["findings"] if one["rule"] == "section.aisle" and one["feature"] == "T1-1-Z")
    assert aisle["measured"] == pytest.approx(1.4 + 1.235)
    assert (aisle["clause"], aisle["limit"], aisle["verdict"]) == ("5.3.2", 1.0, "pass")
    assert done["warnings"] == []


def test_a_tunnel_with_a_chainage_names_the_section(run: Run, tunnel: Path) -> None:
    assert run("tunnel", "section", tunnel, "--section", "T1", "--at", 150)["section"] == "T1-2"


def test_errors_say_what_there_is(run: Run, tunnel: Path) -> None:
    def error(*arguments: object) -> str:
        return str(run("tunnel", "section", tunnel, *arguments, code=2)["error"]["code"])

    assert error("--section", "T9", "--at", 1) == "tunnel.section_unknown"
    assert error("--section", "T1-1", "--at", 150) == "tunnel.section_range"
    assert error("--section", "T1", "--at", 999) == "tunnel.section_range"
    assert error("--section", "T1-1", "--at", 40, "--out", "x.doc") == "tunnel.format_unknown"


def test_the_dxf_is_to_scale_in_metres(run: Run, tunnel: Path, tmp_path: Path) -> None:
    run("tunnel", "section", tunnel, "--section", "T1-1", "--at", 40, "--out", tmp_path / "s.dxf")
    drawing = ezdxf.readfile(tmp_path / "s.dxf")
    assert drawing.header["$INSUNITS"] == 6
    (pipe,) = drawing.modelspace().query('CIRCLE[layer=="LINE_WATER"]')
    assert (pipe.dxf.center.x, pipe.dxf.center.y) == pytest.approx((-1.5, 1.0))
    assert pipe.dxf.radius == pytest.approx(0.265)
    assert len(drawing.modelspace().query('CIRCLE[layer=="LINE_POWER"]')) == 3
    boxes = drawing.modelspace().query('LWPOLYLINE[layer=="COMPARTMENT"]')
    assert {round(max(p[0] for p in box.get_points()), 6) for box in boxes} == {2.0, 4.3}


def test_png_pdf_svg_and_json(run: Run, tunnel: Path, tmp_path: Path) -> None:
    for suffix in ("png", "pdf", "svg", "json"):
        run("tunnel", "section", tunnel, "--section", "T1-1", "--at", 40, "--out", tmp_path / f"s.{suffix}")
    with Image.open(tmp_path / "s.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert (153, 255, 255) in colours  # the water pipe's fill: its standard colour on white
    assert (255, 153, 153) in colours  # power
    assert (tmp_path / "s.pdf").read_bytes().startswith(b"%PDF")
    assert "W1" in (tmp_path / "s.svg").read_text(encoding="utf-8")
    stored = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert {"placements", "findings"} <= set(stored)


def test_chainage_and_place(tunnel: Path) -> None:
    with Project.open(tunnel) as project:
        one = load_tunnel(project, "T1")
        section = load_section(project, "T1-2")
    assert one.axis.at(150) == pytest.approx((X + 150, Y, -0.75))
    assert one.axis.locate(X + 30, Y + 7) == pytest.approx((30, 7))
    assert one.axis.right(150) == pytest.approx((0, -1))
    assert [node.code for node in one.nodes] == ["J1", "J2", "J3"]  # the control centre stands elsewhere
    assert one.ground_z(75) == pytest.approx(5.625)
    assert section.m == 150
    assert station(1234.5) == "K1+234.50"
    assert station(999.999) == "K1+000.00"


def test_walls_are_drawn_as_thick_as_the_table_says(run: Run, tunnel: Path, tmp_path: Path) -> None:
    def outer() -> tuple[float, object]:
        done = run("tunnel", "section", tunnel, "--section", "T1-1", "--out", tmp_path / "s.dxf")
        space = ezdxf.readfile(tmp_path / "s.dxf").modelspace()
        (ring,) = space.query('LWPOLYLINE[layer=="STRUCTURE"]')
        return min(x for x, *_ in ring.get_points()), done["wall_m"]

    assert outer() == (pytest.approx(-2.3), None)  # schematic
    with Project.open(tunnel) as project:
        layer = next(one for one in project.layers() if one.role == "tunnel.tunnel_section")
        project.execute(EditCells(layer.id, [1], "wall_m", [0.45]))
    assert outer() == (pytest.approx(-2.45), 0.45)


@pytest.mark.parametrize("dpi", ["0", "-5", "nan", "100000"])
def test_pictures_of_no_or_countless_dots_are_refused(run: Run, tunnel: Path, tmp_path: Path, dpi: str) -> None:
    for what in (("section", "--section", "T1-1"), ("profile", "--tunnel", "T1")):
        words = ["tunnel", what[0], tunnel, *what[1:], "--out", tmp_path / "x.png", "--dpi", dpi]
        assert run(*words, code=2)["error"]["code"] == "tunnel.dpi_wrong"
    assert not (tmp_path / "x.png").exists()


def test_an_outline_that_crosses_itself_is_said_and_not_judged(run: Run, tunnel: Path) -> None:
    with Project.open(tunnel) as project:
        bow = "POLYGON ((-2 0, 2 2.8, 2 0, -2 2.8, -2 0))"
        layer = next(one for one in project.layers() if one.role == "tunnel.compartment")
        project.execute(EditCells(layer.id, [1], "outline", [bow]))
    done = run("tunnel", "section", tunnel, "--section", "T1-1")
    assert [one["code"] for one in done["warnings"]] == ["tunnel.outline_unreadable"]
    verdicts = {(one["rule"], one["feature"]): one["verdict"] for one in done["findings"]}
    assert verdicts["section.clear_height", "T1-1-Z"] == "cannot_judge"
    assert verdicts["section.clear_height", "T1-1-G"] == "pass"
