"""Reading in a process of its own: cancelled at once, its death is an error, nothing is left; encodings; odd files."""

from __future__ import annotations

import os
import signal
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

from planner_app.compute.separate import Answers, Limits, Requests, SeparateProcess
from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.text_encoding import dbf_encoding, detect, known
from planner_app.project import Project
from planner_app.project.exchange import export_layer, import_layer, inspect

EAST, NORTH = 509_000.0, 2_944_000.0


def sleeper(requests: Requests, answers: Answers) -> None:
    """A child that keeps Python's lock busy for a minute."""
    answers(os.getpid())
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


class _After:
    """Progress that is cancelled after a while."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def update(self, fraction: float | None, stage: str = "") -> None:
        return None

    def is_cancelled(self) -> bool:
        return time.monotonic() > self.at


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_busy_child_is_left_within_a_second_of_cancelling() -> None:
    progress = _After(3600)
    with SeparateProcess(sleeper, "file", progress) as child:
        pid = child.receive()
        progress.at = started = time.monotonic()
        with pytest.raises(Cancelled):
            child.receive()
    assert time.monotonic() - started < 20.0  # the child would sleep for an hour
    assert not _running(pid)


def test_a_child_that_dies_is_an_error_that_names_the_file() -> None:
    with SeparateProcess(sleeper, "plan.gml") as child:
        pid = child.receive()
        killer = threading.Timer(0.1, os.kill, (pid, signal.SIGKILL))
        killer.start()
        with pytest.raises(PlannerError) as error:
            child.receive()
        killer.join()
    assert error.value.code == "exchange.process_died"
    assert error.value.params["file"] == "plan.gml"


def glutton(requests: Requests, answers: Answers) -> None:
    """A child that wants ever more memory."""
    kept = []
    while True:
        kept.append(bytearray(16_000_000))


def test_a_child_keeps_to_its_time() -> None:
    started = time.monotonic()
    with SeparateProcess(sleeper, "plan.dxf", limits=Limits(seconds=3.0)) as child:
        pid = child.receive()
        with pytest.raises(PlannerError) as error:
            child.receive()
        assert error.value.code == "exchange.too_slow"
    assert time.monotonic() - started < 20.0
    assert not _running(pid)


def test_a_child_keeps_to_its_memory() -> None:
    limits = Limits(memory=600_000_000)
    with SeparateProcess(glutton, "plan.dxf", limits=limits) as child, pytest.raises(PlannerError) as error:
        child.receive()
    assert error.value.code == "exchange.no_memory"
    assert error.value.params["file"] == "plan.dxf"


def test_cancelling_in_the_middle_leaves_no_trace(project: Project, tmp_path: Path) -> None:
    count = 30_000
    x = EAST + 20.0 * (np.arange(count) % 200)
    y = NORTH + 20.0 * (np.arange(count) // 200)
    path = tmp_path / "many.gpkg"
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(shapely.box(x, y, x + 10, y + 10)), field_data=[np.arange(count)],
        fields=["n"], driver="GPKG", geometry_type="Polygon", crs="EPSG:4549",
    )  # fmt: skip
    seen: list[float] = []

    class Midway(_After):
        def update(self, fraction: float | None, stage: str = "") -> None:
            seen.append(fraction or 0.0)

        def is_cancelled(self) -> bool:
            return any(0.2 < fraction < 0.9 for fraction in seen)

    with pytest.raises(Cancelled):
        import_layer(project, path, progress=Midway(0))
    assert project.layers() == []
    assert project.log() == []
    assert all(check.ok for check in project.verify())


def test_long_integers_with_gaps_keep_every_digit(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "numbers.gpkg"
    numbers = np.array([2**60 + 1, 0, 2**53 + 1, -(2**62) - 3], dtype=np.int64)
    floats = np.array([0.1 + 0.2, 1e-300, np.nextafter(1.0, 2.0), -1e17 / 3])
    times = np.array(["2024-02-29T13:14:15.678", "NaT", "1999-12-31T00:00:00", "2000-01-01T00:00:00"], "datetime64[ms]")
    gap = np.array([False, True, False, False])
    shapes = shapely.to_wkb([shapely.box(EAST + n * 20, NORTH, EAST + n * 20 + 10, NORTH + 10) for n in range(4)])
    pyogrio.raw.write(
        str(path), geometry=shapes, fields=["编号", "容积率", "日期", "时间", "现状"],
        field_data=[numbers, floats, times.astype("datetime64[D]"), times, np.array([True, False, False, True])],
        field_mask=[gap, gap, gap, gap, gap], driver="GPKG", geometry_type="Polygon", crs="EPSG:4549",
    )  # fmt: skip
    layer = import_layer(project, path).layer
    out = tmp_path / "again.gpkg"
    export_layer(project, layer.id, out)
    again = import_layer(project, out, name="again").layer
    for ref in (layer, again):
        assert [(info.name, info.type) for info in ref.fields] == [
            ("编号", "integer"), ("容积率", "real"), ("日期", "date"), ("时间", "datetime"), ("现状", "boolean"),
        ]  # fmt: skip
        columns = project.read(ref.id).columns
        assert columns["编号"] == [2**60 + 1, None, 2**53 + 1, -(2**62) - 3]
        assert [value if value is None else value.hex() for value in columns["容积率"]] == [
            floats[0].hex(), None, floats[2].hex(), floats[3].hex(),
        ]  # fmt: skip
        assert columns["日期"] == ["2024-02-29", None, "1999-12-31", "2000-01-01"]
        assert columns["时间"][0].startswith("2024-02-29T13:14:15.678")
        assert columns["现状"] == [1, None, 0, 1]


def test_rows_after_deleted_ones_are_all_read(project: Project, tmp_path: Path) -> None:
    """Keys of a GeoPackage have gaps; reading goes by key, not by counting."""
    path = tmp_path / "gaps.gpkg"
    count = 9_000
    points = shapely.points(EAST + np.arange(count), np.full(count, NORTH))
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(points), field_data=[np.arange(count)], fields=["n"], driver="GPKG",
        geometry_type="Point", crs="EPSG:4549", layer_options={"SPATIAL_INDEX": "NO"},
    )  # fmt: skip
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path)) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{trigger}"')
        connection.execute("DELETE FROM gaps WHERE n % 3 = 1")
        connection.commit()
    report = import_layer(project, path)
    assert project.read(report.layer.id).columns["n"] == [n for n in range(count) if n % 3 != 1]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("规划用地".encode(), "utf-8"),
        ("规划用地".encode("gbk"), "gb18030"),
        ("联通".encode("gbk"), "gb18030"),  # the same bytes are valid UTF-8, but no Chinese
        ("plain".encode("ascii"), "utf-8"),
        (b"\xef\xbb\xbf" + "表".encode(), "utf-8-sig"),
        ("表".encode("utf-16"), "utf-16"),
    ],
)
def test_text_is_read_in_the_encoding_it_is_in(data: bytes, encoding: str) -> None:
    assert detect(data) == encoding


@pytest.mark.parametrize(("cpg", "overruled"), [("GBK", "gb18030"), ("UTF-8", ""), (None, "")])
def test_utf8_attributes_behind_a_wrong_cpg(tmp_path: Path, cpg: str | None, overruled: str) -> None:
    path = tmp_path / "用地[1].shp"
    names = np.array(["二类城镇住宅用地", "公园绿地绿"], dtype=object)
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb([shapely.box(0, 0, 1, 1)] * 2), field_data=[names], fields=["MC"],
        driver="ESRI Shapefile", geometry_type="Polygon", crs="EPSG:4549", encoding="UTF-8",
    )  # fmt: skip
    path.with_suffix(".cpg").unlink()
    if cpg:
        path.with_suffix(".cpg").write_text(cpg, encoding="ascii")
    assert dbf_encoding(path) == ("utf-8", overruled)


def test_encodings_people_name() -> None:
    assert [known(name) for name in ("GBK", "cp936", "UTF8", "65001", "nonsense", "")] == [
        "gb18030", "gb18030", "utf-8", "utf-8", "", "",
    ]  # fmt: skip


def test_an_archive_with_chinese_names_in_gbk(project: Project, tmp_path: Path) -> None:
    source = tmp_path / "src" / "规划.shp"
    source.parent.mkdir()
    pyogrio.raw.write(
        str(source), geometry=shapely.to_wkb([shapely.box(EAST, NORTH, EAST + 10, NORTH + 10)]),
        field_data=[np.array(["耕地"], dtype=object)], fields=["名称"], driver="ESRI Shapefile",
        geometry_type="Polygon", crs="EPSG:4549", encoding="GBK",
    )  # fmt: skip
    source.with_suffix(".cpg").unlink(missing_ok=True)
    path = tmp_path / "上报.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in source.parent.iterdir():
            archive.writestr(f"AAAA/BBBB{file.suffix}", file.read_bytes())
        archive.writestr("../evil.shp", b"x")
    # What Windows writes: GBK bytes without the UTF-8 flag; zipfile itself writes ASCII or UTF-8 only.
    path.write_bytes(path.read_bytes().replace(b"AAAA/BBBB", "成果/规划".encode("gbk")))
    assert [layer.name for layer in inspect(path).layers] == ["规划"]
    report = import_layer(project, path)
    assert project.read(report.layer.id).columns["名称"] == ["耕地"]
    assert not (tmp_path / "evil.shp").exists()


def test_csv_with_a_wkt_column(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "plots.csv"
    square = shapely.box(EAST, NORTH, EAST + 10, NORTH + 10).wkt
    long = shapely.Point(EAST + 500, NORTH).buffer(100, quad_segs=4000).wkt  # more than csv's own limit of 131,072
    rows = ["名称;图形", f'"甲 ""一""";{square}', f"乙;{long}", "丙;POLYGON((", "丁;"]
    path.write_text("\r\n".join(rows), encoding="utf-8-sig")
    report = import_layer(project, path, crs="EPSG:4549", csv_xy="图形")
    assert project.read(report.layer.id).columns["名称"] == ['甲 "一"', "乙"]
    assert [(note.row, note.reason) for note in report.rejected] == [(3, "import.bad_wkt"), (4, "import.no_geometry")]


def test_mixed_kinds_keep_the_commonest_and_name_the_rest(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    box = shapely.box(EAST, NORTH, EAST + 10, NORTH + 10)
    line = shapely.LineString([(EAST, NORTH), (EAST + 5, NORTH)])
    shapes = [box, box, line, shapely.GeometryCollection([box, line]), shapely.Point(np.nan, 1.0)]
    path.write_text("wkt\n" + "\n".join(f'"{shape.wkt}"' for shape in shapes), encoding="utf-8")
    report = import_layer(project, path, crs="EPSG:4549")
    assert report.layer.geometry == "polygon"
    assert [(note.row, note.reason) for note in report.repaired] == [(4, "repair.mixed_geometry")]
    assert {note.row for note in report.rejected} == {3, 5}
    assert report.features == 3


def test_a_gml_outside_city_models_leaves_no_file_behind(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "plain.gml"
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb([shapely.box(119, 26, 120, 27)]), field_data=[np.array([7])], fields=["n"],
        driver="GML", geometry_type="Polygon", crs="EPSG:4490",
    )  # fmt: skip
    before = {file.name for file in tmp_path.iterdir()}
    info = inspect(path)
    assert info.layers[0].extent == pytest.approx((119.0, 26.0, 120.0, 27.0))
    assert {file.name for file in tmp_path.iterdir()} == before
    report = import_layer(project, path)
    west, south, _, _ = project.extent(report.layer.id) or (0, 0, 0, 0)
    assert 3e5 < west < 5e5
    assert 2.8e6 < south < 3.1e6


def test_another_project_file_may_be_a_source(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    source = tmp_path / "plots.csv"
    source.write_text(f'wkt,名称\n"{shapely.box(EAST, NORTH, EAST + 10, NORTH + 10).wkt}",甲\n', encoding="utf-8")
    with Project.create(other, "EPSG:4549") as made:
        import_layer(made, source, crs="EPSG:4549", name="地块")
    info = inspect(other)
    assert [layer.geometry for layer in info.layers] == ["polygon"]
    report = import_layer(project, other)
    assert project.read(report.layer.id).columns["名称"] == ["甲"]


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".shp", ".csv", ".xlsx"])
def test_a_cancelled_export_leaves_the_older_file(project: Project, tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "points.csv"
    rows = "\n".join(f"{EAST + n},{NORTH}" for n in range(9_000))
    source.write_text(f"x,y\n{rows}\n", encoding="utf-8")
    layer = import_layer(project, source, crs="EPSG:4549").layer
    out = tmp_path / f"out{suffix}"
    out.write_bytes(b"older")
    seen: list[float | None] = []

    class Midway(_After):
        def update(self, fraction: float | None, stage: str = "") -> None:
            seen.append(fraction)

        def is_cancelled(self) -> bool:
            return len(seen) >= 2

    with pytest.raises(Cancelled):
        export_layer(project, layer.id, out, progress=Midway(0))
    assert out.read_bytes() == b"older"
    assert not list(tmp_path.glob(".export-*"))
