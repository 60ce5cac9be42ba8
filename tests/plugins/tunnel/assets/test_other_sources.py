"""``planner tunnel import`` of CityGML utilities and of layers: of a file and of the project."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import Batch, Project
from tests.plugins.tunnel.assets.surveys import EAST, NORTH
from tests.plugins.tunnel.assets.test_survey import table

ADE = """<?xml version="1.0" encoding="UTF-8"?>
<core:CityModel xmlns:core="http://www.opengis.net/citygml/2.0" xmlns:gml="http://www.opengis.net/gml"
 xmlns:utility="http://www.citygml.org/ade/utility/0.9.4">
<gml:boundedBy><gml:Envelope srsName="EPSG:4549" srsDimension="3"><gml:lowerCorner>0 0 0</gml:lowerCorner></gml:Envelope></gml:boundedBy>
<core:cityObjectMember><utility:Network gml:id="n1">
 <utility:component><utility:RoundPipe gml:id="pipe_a"><utility:class>fresh water</utility:class>
  <utility:interiorDiameter uom="m">0.3</utility:interiorDiameter>
  <utility:lod1Geometry><gml:LineString><gml:posList>508000 2944000 2.0 508050 2944000 2.5</gml:posList></gml:LineString></utility:lod1Geometry>
 </utility:RoundPipe></utility:component>
 <utility:component><utility:RoundPipe gml:id="pipe_b"><utility:class>fresh water</utility:class>
  <utility:lod1Geometry><gml:LineString><gml:posList>508050 2944000 2.5 508050 2944030 2.0</gml:posList></gml:LineString></utility:lod1Geometry>
 </utility:RoundPipe></utility:component>
 <utility:component><utility:Valve gml:id="v1">
  <utility:lod1Geometry><gml:Point><gml:pos>508050 2944000 2.5</gml:pos></gml:Point></utility:lod1Geometry>
 </utility:Valve></utility:component>
 <utility:component><utility:RoundPipe gml:id="empty"/></utility:component>
</utility:Network></core:cityObjectMember></core:CityModel>"""  # noqa: E501


def test_the_utility_network_extension(run, file: Path, tmp_path: Path) -> None:
    source = tmp_path / "ade.gml"
    source.write_text(ADE, "utf-8")
    done = run("tunnel", "import", file, source)
    assert (done["nodes"], done["lines"], done["valves"], done["source"]) == (3, 2, 1, "citygml")
    assert [(one["row"], one["reason"]) for one in done["rejected"]] == [("RoundPipe:4", "tunnel.row_no_shape")]
    lines = table(file, "net_line")
    assert (lines["pipe_a"]["kind_code"], lines["pipe_a"]["dn_mm"], lines["pipe_a"]["z2"]) == ("JS", 300, 2.5)
    assert lines["pipe_a"]["to_node"] == lines["pipe_b"]["from_node"] == "v1"
    assert run("tunnel", "isolate", file, "--at", "line:pipe_b")["close"] == ["valve:v1"]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "kind", "nodes", "lines", "tops"),
    [("gas", "RQ", 6, 3, {1.07}), ("water", "JS", 6, 3, {1.27}), ("elec", "DL", 2, 2, {1.47, 1.337}),
     ("sewer", "WS", 5, 3, {0.593, 0.693, 0.749})],
)  # fmt: skip
def test_plateau(run, tmp_path: Path, data_dir: Path, name, kind, nodes, lines, tops) -> None:
    """Every pipe and manhole; tops of pipes agree with ground and depth (2.57 − 1.30) where both are stated."""
    file = tmp_path / "japan.sqlite"
    run("new", file, "--crs", "EPSG:6677")
    done = run("tunnel", "import", file, data_dir / "plateau" / f"{name}_53403039_unf_6697.gml")
    assert (done["nodes"], done["lines"], done["rejected"]) == (nodes, lines, [])
    found = table(file, "net_line").values()
    assert {one["kind_code"] for one in found} == {kind}
    assert {one["z1"] for one in found} == tops
    assert sorted({round(one["length_m"], 2) for one in found}) in ([5.0, 10.0], [10.0])


def test_a_layer_of_a_file_and_one_of_the_project(run, file: Path, tmp_path: Path) -> None:
    import pyogrio

    lines = [((0, 0), (50, 0), (50, 30)), ((50, 30), (90, 30)), ((90.2, 30), (120, 30))]
    shapes = [shapely.linestrings([(EAST + x, NORTH + y) for x, y in one]) for one in lines]
    fields = {
        "管线编号": ["a", "b", "b"],
        "管径": ["400", "", "DN200"],
        "材质": ["PE", None, "钢"],
        "埋深": ["1.2", "-2", ""],
    }
    import numpy as np

    pyogrio.raw.write(
        tmp_path / "污水.gpkg", shapely.to_wkb(shapes), [np.array(one, object) for one in fields.values()],
        list(fields), geometry_type="LineString", crs="EPSG:4549", driver="GPKG",
    )  # fmt: skip
    done = run("tunnel", "import", file, tmp_path / "污水.gpkg")
    assert (done["nodes"], done["lines"]) == (5, 3)
    assert {one["reason"] for one in done["repaired"]} == {"tunnel.row_depth_negative", "tunnel.row_code_changed"}
    assert [one["code"] for one in done["warnings"]] == ["tunnel.near_misses"]
    found = table(file, "net_line")
    assert (found["a"]["kind_code"], found["a"]["dn_mm"], found["a"]["depth1"]) == ("WS", 400, 1.2)
    assert found["a"]["to_node"] == found["b"]["from_node"] != found["b_2"]["from_node"]
    with Project.open(file) as project:
        new = NewLayer("热力图层", "line", (FieldInfo("DN", "integer"), FieldInfo("code", "text")))
        project.add_layer(new, [Batch(list(shapely.to_wkb(shapes)), {"DN": [500, 400, 300], "code": ["x", "y", "z"]})])
    done = run("tunnel", "import", file, "热力图层", "--name", "heat")
    assert (done["lines"], done["source"]) == (3, "layer")
    assert table(file, "net_line")["x"]["dn_mm"] == 500
    assert run("tunnel", "import", file, "没有", code=2)["error"]["code"] == "layer.unknown"
    assert run("tunnel", "import", file, tmp_path / "no.xlsx", code=2)["error"]["code"] == "import.no_file"
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", "utf-8")
    assert run("tunnel", "import", file, tmp_path / "x.csv", code=2)["error"]["code"] == "tunnel.table_empty"
