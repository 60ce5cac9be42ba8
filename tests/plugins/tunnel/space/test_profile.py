"""Longitudinal profiles: heights, slopes and gaps by hand, crossings, the unknown kept unknown, every format."""

from __future__ import annotations

import csv
from pathlib import Path

import ezdxf
import pytest
from PIL import Image

from plugins.tunnel.model.space.profile import Crossing, Profile, Run, between, gap, known_pieces, slopes

from .conftest import Run as RunVerb
from .conftest import X, Y


def test_between_never_bridges_the_unknown() -> None:
    points = [(0.0, 1.0), (10.0, 2.0), (20.0, None), (30.0, 4.0)]
    assert between(points, 5.0) == pytest.approx(1.5)
    assert between(points, 10.0) == 2.0
    assert [between(points, m) for m in (15.0, 20.0, 25.0, 31.0)] == [None] * 4
    assert between(points, 30.0) == 4.0
    assert list(known_pieces(points)) == [[(0.0, 1.0), (10.0, 2.0)]]


def test_slopes_break_where_the_line_bends() -> None:
    points = [(0.0, 0.0), (50.0, 0.5), (100.0, 1.0), (150.0, 0.0), (200.0, None), (210.0, 3.0)]
    assert slopes(points) == [
        (0.0, 100.0, pytest.approx(0.01)),
        (100.0, 150.0, pytest.approx(-0.02)),
        (150.0, 200.0, None),
        (200.0, 210.0, None),
    ]
    assert slopes([(0.0, 0.0), (50.0, 0.02), (100.0, 0.0)]) == [(0.0, 100.0, 0.0)]  # within 5 cm


@pytest.mark.parametrize(
    ("kind", "z", "wanted"),
    [("water", 1.5, 0.9), ("water", -1.0, 0.4), ("water", 0.2, -0.4), ("tunnel", -0.6, 0.5), ("tunnel", 2.0, 0.9)],
)
def test_gaps(kind: str, z: float, wanted: float) -> None:
    main = Run("W", kind, ((0.0, 0.0), (100.0, 0.0)), 1.0)
    profile = Profile("pipe", "", (main,), (), ())
    assert gap(profile, Crossing("C", "gas", 50.0, z, 0.2)) == pytest.approx(wanted)
    assert gap(profile, Crossing("C", "gas", 50.0, None, 0.2)) is None
    assert gap(profile, Crossing("C", "gas", 50.0, z, None)) is None


def test_along_pipes_against_their_direction(run: RunVerb, tunnel: Path, tmp_path: Path) -> None:
    done = run("tunnel", "profile", tunnel, "--from", "node:A", "--to", "node:D", "--out", tmp_path / "p.csv")
    assert [one["id"] for one in done["lines"]] == ["line:W1", "line:W2", "line:W3"]
    assert done["length_m"] == pytest.approx(279)
    assert [(one["m"], one["ground_z"], one["z"]) for one in done["nodes"]] == [
        (0, 6, 1), (pytest.approx(100), 5.5, 0.5), (pytest.approx(200), 5, 0), (pytest.approx(279), None, None),
    ]  # fmt: skip
    assert done["lines"][1]["slope"] == pytest.approx(-0.005)  # drawn from C to B, travelled from B to C
    assert done["unknown"] == {"lines": ["line:W3"], "ground": ["node:D"], "crossings": ["X1"]}
    gas, telecom = done["crossings"]
    assert (gas["line"], gas["m"], gas["z"]) == ("R1", pytest.approx(50), pytest.approx(4.21 + 0.1))  # invert + radius
    assert gas["gap_m"] == pytest.approx(4.31 - 0.1 - 0.75 - 0.25)
    assert (telecom["line"], telecom["m"], telecom["z"], telecom["gap_m"]) == ("X1", pytest.approx(120), None, None)
    with (tmp_path / "p.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["code"] for row in rows if row["type"] == "node"] == ["A", "B", "C", "D"]
    assert [row["z"] for row in rows if row["code"] == "D"] == [""]
    (crossing,) = (row for row in rows if row["code"] == "R1")
    assert (float(crossing["x"]), float(crossing["y"])) == pytest.approx((X + 50, Y + 1))
    assert crossing["station"] == "K0+050.00"
    assert float(crossing["depth_m"]) == pytest.approx(5.75 - 0.75)


def test_backwards_is_the_mirror(run: RunVerb, tunnel: Path) -> None:
    there = run("tunnel", "profile", tunnel, "--from", "node:A", "--to", "node:C")
    back = run("tunnel", "profile", tunnel, "--from", "node:C", "--to", "node:A")
    assert [one["z"] for one in back["nodes"]] == [one["z"] for one in reversed(there["nodes"])]
    assert back["crossings"][-1]["m"] == pytest.approx(200 - there["crossings"][0]["m"])


def test_along_the_tunnel(run: RunVerb, tunnel: Path) -> None:
    done = run("tunnel", "profile", tunnel, "--tunnel", "T1", "--from", "K0+020", "--to", "180")
    assert (done["from_m"], done["to_m"]) == (20, 180)
    assert [(one["id"], one["z1"], one["outer_d"]) for one in done["lines"]] == [
        ("T1-1", pytest.approx(-0.1), pytest.approx(2.8)),
        ("T1-2", pytest.approx(-0.5), pytest.approx(2.8)),
    ]
    within = {one["line"]: one["z1"] for one in done["within"]}
    assert within == {"W1": pytest.approx(0.9), "K1": pytest.approx(0.95), "W2": pytest.approx(0.5)}
    assert [one["id"] for one in done["nodes"]] == ["J2"]
    gas, telecom = done["crossings"]
    assert (gas["line"], gas["gap_m"]) == ("R1", pytest.approx(4.3 - 0.1 - (2.8 - 0.25)))
    assert telecom["gap_m"] is None


def test_errors(run: RunVerb, tunnel: Path) -> None:
    def error(*arguments: object) -> str:
        return str(run("tunnel", "profile", tunnel, *arguments, code=2)["error"]["code"])

    assert error("--from", "node:A") == "tunnel.profile_ends"
    assert error("--from", "node:A", "--to", "node:E") == "tunnel.no_path"
    assert error("--from", "node:A", "--to", "node:Q") == "tunnel.id_unknown"
    assert error("--tunnel", "T9") == "tunnel.tunnel_unknown"
    assert error("--tunnel", "T1", "--to", "500") == "tunnel.section_range"
    assert error("--tunnel", "T1", "--to", "far") == "tunnel.chainage_unreadable"
    assert error("--tunnel", "T1", "--out", "p.doc") == "tunnel.format_unknown"


def test_the_sheet_is_to_its_scales(run: RunVerb, tunnel: Path, tmp_path: Path) -> None:
    run("tunnel", "profile", tunnel, "--from", "node:A", "--to", "node:D", "--out", tmp_path / "p.dxf")
    drawing = ezdxf.readfile(tmp_path / "p.dxf")
    space = drawing.modelspace()
    (ground,) = (line for line in space.query('LWPOLYLINE[layer=="GROUND"]') if len(line) == 3)
    points = [(x, y) for x, y, *_ in ground.get_points()]
    assert points[-1][0] - points[0][0] == pytest.approx(200 * 1000 / 500)  # 1:500
    assert points[0][1] - points[-1][1] == pytest.approx(1 * 1000 / 100, rel=0.6)  # one metre at 1:50 … 1:100
    texts = [text.dxf.text for text in space.query("TEXT")]
    assert "unknown" in texts
    assert "height unknown" in texts
    assert texts.count("K0+100.00") == 1
    assert space.query('LWPOLYLINE[layer=="UNKNOWN"]')
    assert space.query('ELLIPSE[layer=="CROSSING_GAS"]')
    assert "?" in texts  # telecom crosses at a height nobody knows


def test_the_picture(run: RunVerb, tunnel: Path, tmp_path: Path) -> None:
    run("tunnel", "profile", tunnel, "--tunnel", "T1", "--out", tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert (121, 85, 45) in colours  # the ground
    assert (243, 245, 248) in colours  # the tunnel's body
    run("tunnel", "profile", tunnel, "--tunnel", "T1", "--out", tmp_path / "p.pdf")
    assert (tmp_path / "p.pdf").read_bytes().startswith(b"%PDF")


INP = """[JUNCTIONS]
A 10
B 12
[RESERVOIRS]
R 50
[PIPES]
1 R A 400 300 130 0 Open
2 A B 600 200 130 0 Open
[OPTIONS]
Units LPS
[COORDINATES]
R 0 0
A 10 0
B 10 10
"""


def test_an_imported_model_has_its_own_lengths_and_no_heights_of_pipes(run: RunVerb, tmp_path: Path) -> None:
    (tmp_path / "t.inp").write_text(INP, encoding="utf-8")
    file = tmp_path / "p.sqlite"
    run("new", file, "--crs", "EPSG:4549")
    run("tunnel", "import", file, tmp_path / "t.inp")
    done = run("tunnel", "profile", file, "--from", "node:R", "--to", "node:B", "--out", tmp_path / "p.svg")
    assert [one["m"] for one in done["nodes"]] == [0, 400, 1000]  # drawn ten units long each
    assert [one["ground_z"] for one in done["nodes"]] == [50, 10, 12]
    assert done["unknown"]["lines"] == ["line:1", "line:2"]
    assert {one["slope"] for one in done["slopes"]} == {None}
    drawn = (tmp_path / "p.svg").read_text(encoding="utf-8")
    assert drawn.count("height unknown") == 2
    assert "Reservoir" in drawn
