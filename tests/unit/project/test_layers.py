"""Layers come in whole or not at all, and QGIS's and SpatiaLite's tables say the same as the registry."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import FieldInfo, LayerInfo, NewLayer, PlanInfo, PlanKind
from planner_app.domain.progress import NoProgress
from planner_app.project import Batch, Command, Project, Transaction
from planner_app.project.connection import connect
from tests.helpers.project_files import FIELDS, assert_whole, everything, foreign, parcels, square

_NOT_FINITE = struct.pack("<BIII8d", 1, 3, 1, 4, 0, 0, 1, float("nan"), 1, 1, 0, 0)


class _CancelAfter(NoProgress):
    def __init__(self, looks: int) -> None:
        self.looks = looks

    def is_cancelled(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def _tables(project: Project) -> set[str]:
    with closing(connect(project.path)) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


def test_what_goes_in_comes_out(project: Project, layer: LayerInfo) -> None:
    batch = parcels(10)
    found = project.read(layer.id)
    assert found.fids.tolist() == list(range(1, 11))
    assert found.columns == {name: list(values) for name, values in batch.columns.items()}
    for wkb, stored in zip(batch.wkb, found.geometry, strict=True):
        part = shapely.from_wkb(stored).geoms[0]
        assert shapely.to_wkb(part) == wkb
    assert project.count(layer.id) == 10
    assert project.extent() == (500_000.0, 3_500_000.0, 500_190.0, 3_500_010.0)
    assert project.layer("地块").fields == FIELDS
    assert_whole(project)


def test_spatialite_agrees_with_our_blobs(project: Project, layer: LayerInfo) -> None:
    with foreign(project.path) as other:
        rows = other.execute(
            f'SELECT AsBinary(geom), geom = GeomFromWKB(AsBinary(geom), 4549), ST_Area(geom) FROM "{layer.id}"'
        ).fetchall()
        declared = other.execute("SELECT * FROM geometry_columns").fetchall()
    ours = project.read(layer.id).geometry
    assert [row[0] for row in rows] == list(ours)
    assert all(row[1] for row in rows)
    assert [row[2] for row in rows] == [100.0] * 10
    assert declared == [(layer.id, "geom", 6, 2, 4549, 1)]


def test_cancelled_import_leaves_nothing(project: Project) -> None:
    before = _tables(project)

    def batches() -> Iterator[Batch]:
        while True:
            yield parcels(50)

    with pytest.raises(Cancelled):
        project.add_layer(NewLayer("x", "polygon", FIELDS), batches(), _CancelAfter(6))
    assert _tables(project) == before
    assert project.layers() == []
    assert project.log() == []
    assert_whole(project)


@pytest.mark.parametrize(
    ("batch", "code"),
    [
        (Batch([b"\x01\x03\x00"], {}), "geometry.broken"),
        (Batch([shapely.to_wkb(shapely.Point(1, 2))], {}), "geometry.wrong_kind"),
        (Batch([_NOT_FINITE], {}), "geometry.not_finite"),
        (Batch([square(0, 0)], {"storeys": ["many"]}), "field.value_wrong"),
        (Batch([square(0, 0)], {"code": ["a\x00b"]}), "field.value_wrong"),
        (Batch([square(0, 0)], {"height": [1]}), "field.unknown"),
        (Batch([square(0, 0)], {"far": [1.0, 2.0]}), "batch.length"),
    ],
)
def test_bad_batch_is_refused_whole(project: Project, batch: Batch, code: str) -> None:
    before = _tables(project)
    with pytest.raises(PlannerError) as caught:
        project.add_layer(NewLayer("x", "polygon", FIELDS), [parcels(5), batch])
    assert caught.value.code == code
    assert _tables(project) == before
    assert_whole(project)


@pytest.mark.parametrize("name", ["fid", "GEOM", "uuid", "rowid", "", "Code"])
def test_impossible_field_names(project: Project, name: str) -> None:
    with pytest.raises(PlannerError, match="field"):
        project.add_layer(NewLayer("x", "none", (FieldInfo("code", "text"), FieldInfo(name, "text"))), [])


def test_points_become_multi_and_z_if_any_is(project: Project) -> None:
    single, multi, high = shapely.Point(1, 2), shapely.MultiPoint([(3, 4), (5, 6)]), shapely.Point(7, 8, 9)
    layer = project.add_layer(
        NewLayer("p", "point"),
        [Batch(shapely.to_wkb([single]).tolist()), Batch(shapely.to_wkb([multi, high]).tolist())],
    )
    found = shapely.from_wkb(project.read(layer.id).geometry)
    assert [shape.geom_type for shape in found] == ["MultiPoint"] * 3
    assert shapely.get_coordinates(found, include_z=True).tolist() == [[1, 2, 0], [3, 4, 0], [5, 6, 0], [7, 8, 9]]
    assert_whole(project)


def test_null_and_empty_geometry(project: Project) -> None:
    layer = project.add_layer(NewLayer("p", "line"), [Batch([None, shapely.to_wkb(shapely.LineString())])])
    assert project.read(layer.id).geometry.tolist() == [None, None]
    assert project.extent(layer.id) is None
    assert_whole(project)


def test_any_wkb_is_taken(project: Project) -> None:
    shape = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)])
    high = shapely.force_3d(shape, 7.5)
    texts = [
        shapely.to_wkb(shape, byte_order=0),
        shapely.to_wkb(shapely.set_srid(shape, 4326), include_srid=True),
        shapely.to_wkb(shape, byte_order=1),
    ]
    flat = project.add_layer(NewLayer("flat", "polygon"), [Batch(texts)])
    assert set(project.read(flat.id).geometry) == {shapely.to_wkb(shape, byte_order=1, flavor="iso")}
    solid = project.add_layer(NewLayer("high", "polygon"), [Batch([shapely.to_wkb(high, flavor="extended")])])
    assert project.read(solid.id).geometry[0] == shapely.to_wkb(high, flavor="iso")
    assert_whole(project)


def test_table_without_geometry(project: Project) -> None:
    layer = project.add_layer(NewLayer("码表", "none", (FieldInfo("n", "integer"),)), [Batch((), {"n": [1, 2]})])
    assert project.read(layer.id).columns == {"n": [1, 2]}
    assert project.undo() is not None
    assert project.redo() is not None
    assert project.read(layer.id).columns == {"n": [1, 2]}
    assert_whole(project)


def test_names_of_tables_never_return(project: Project, layer: LayerInfo) -> None:
    project.undo()
    again = project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(1)])
    assert again.id != layer.id
    assert again.name == "地块"


def test_undone_layer_is_gone_from_qgis_and_comes_back(project: Project, layer: LayerInfo) -> None:
    before = everything(project, layer.id)
    project.undo()
    assert project.layers() == []
    with foreign(project.path) as other:
        assert other.execute("SELECT count(*) FROM geometry_columns").fetchone() == (0,)
    assert_whole(project)
    project.redo()
    assert project.layer(layer.id) == layer
    assert everything(project, layer.id) == before
    assert_whole(project)


def test_replaced_layer_waits_in_the_trash(project: Project, layer: LayerInfo) -> None:
    project.add_layer(NewLayer("top", "none"), [])
    new = project.add_layer(NewLayer("地块", "polygon", FIELDS), [parcels(3)], replace=layer.id)
    assert [one.name for one in project.layers()] == ["top", "地块"]
    assert project.count("地块") == 3
    project.undo()
    assert project.count("地块") == 10
    assert project.layer("地块").id == layer.id != new.id
    assert_whole(project)


def test_plan_comes_and_goes_with_its_layer(project: Project) -> None:
    plan = PlanInfo("p1", PlanKind.DETAILED, "控规", "规自局", "2024", "2024-01-01", "2035-12-31", "批复 12 号")
    project.add_layer(NewLayer("a", "none", plan=plan), [])
    project.add_layer(NewLayer("b", "none", plan=plan), [])
    assert project.plans() == [plan]
    assert {one.plan_id for one in project.layers()} == {"p1"}
    project.undo()
    assert project.plans() == [plan]
    project.undo()
    assert project.plans() == []
    project.redo()
    project.redo()
    assert project.plans() == [plan]
    assert_whole(project)


def test_large_batches_are_cut(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from planner_app.project import bulk

    monkeypatch.setattr(bulk, "_MOST_BYTES", 2000)
    layer = project.add_layer(NewLayer("many", "polygon", FIELDS), [parcels(500)])
    assert project.read(layer.id, geometry=False).columns["storeys"] == list(range(500))
    assert_whole(project)


def test_orphan_of_a_dead_process_is_swept_at_open(project: Project) -> None:
    path = project.path
    with foreign(path) as other:
        other.execute("CREATE TABLE half (fid INTEGER PRIMARY KEY)")
        other.execute("INSERT INTO half VALUES (1)")
        import socket

        other.execute("INSERT INTO planner_pending VALUES ('half', ?, '999999999:1', 0)", (socket.gethostname(),))
    assert [result.name for result in project.verify() if not result.ok] == ["orphans"]
    project.close()
    with Project.open(path) as again:
        assert "half" not in _tables(again)
        assert_whole(again)


def test_running_import_is_not_swept(project: Project) -> None:
    def batches() -> Iterator[Batch]:
        yield parcels(5)
        with Project.open(project.path) as other:
            assert other.layers() == []
        copy = project.path.with_name("copy.planner")
        project.save_copy(copy)
        with Project.open(copy) as copied:
            assert not {"x", "idx_x_geom"} & _tables(copied)
            assert_whole(copied)
        yield parcels(5)

    first = project.add_layer(NewLayer("x", "polygon", FIELDS), batches())
    assert project.count(first.id) == 10


def test_packed_index_answers_like_a_scan(project: Project) -> None:
    chance = np.random.default_rng(5)
    x, y = chance.uniform(499_000, 501_000, (2, 20_000))
    boxes = shapely.box(x, y + 3e6, x + chance.exponential(20, 20_000), y + 3e6 + 5)
    layer = project.add_layer(NewLayer("many", "polygon"), [Batch(shapely.to_wkb(boxes).tolist())])
    assert_whole(project)
    for west, south in chance.uniform(499_000, 501_000, (20, 2)):
        window = (west, south + 3e6, west + 60, south + 3e6 + 60)
        expected = np.flatnonzero(shapely.intersects(boxes, shapely.box(*window))) + 1
        found = project.read(layer.id, bbox=window, geometry=False).fids
        assert set(expected.tolist()) <= set(found.tolist())
        assert len(found) <= len(expected) + 3
    assert project.extent(layer.id) == tuple(shapely.total_bounds(boxes))


def test_creation_is_refused_where_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "a.planner"
    path.write_text("mine")
    with pytest.raises(PlannerError, match=r"project\.exists"):
        Project.create(path, "EPSG:4549")
    with pytest.raises(PlannerError, match=r"project\.not_a_project"):
        Project.open(path)
    with pytest.raises(PlannerError, match=r"project\.missing"):
        Project.open(tmp_path / "b.planner")
    assert path.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["a.planner"]


def test_coordinate_systems(tmp_path: Path) -> None:
    with pytest.raises(PlannerError, match=r"project\.crs_unknown"):
        Project.create(tmp_path / "a", "EPSG:999999")
    local = "+proj=tmerc +lat_0=0 +lon_0=120.5 +k=1 +x_0=50000 +y_0=-3000000 +ellps=krass +units=m +no_defs"
    with Project.create(tmp_path / "b", local) as project:
        assert project.crs == local
        layer = project.add_layer(NewLayer("x", "polygon"), [Batch([square(0, 0)])])
        assert layer.srid == project.srid >= 100_000
        assert_whole(project)
    # Areas are square metres: degrees and feet would be wrong in silence.
    for crs in ("EPSG:4490", "EPSG:2249", "4326", "EPSG:4978", "+proj=longlat +ellps=krass +no_defs"):
        with pytest.raises(PlannerError, match=r"crs\.not_projected"):
            Project.create(tmp_path / "a", crs)
    assert not (tmp_path / "a").exists()
    with Project.create(tmp_path / "c", "4549") as project:
        assert (project.crs, project.srid) == ("EPSG:4549", 4549)


def test_what_only_the_features_tell_is_filled_in_at_the_end(project: Project) -> None:
    seen: list[int] = []

    def batches() -> Iterator[Batch]:
        seen.append(1)
        yield parcels(3)
        seen.append(2)

    def finish(new: NewLayer) -> NewLayer:
        assert seen == [1, 2]
        return replace(new, class_field="code", qml="<qgis/>")

    layer = project.add_layer(NewLayer("x", "polygon", FIELDS), batches(), finish=finish)
    assert layer.class_field == "code"
    assert project.style(layer.id) == "<qgis/>"

    def fail(_new: NewLayer) -> NewLayer:
        raise ZeroDivisionError

    tables = _tables(project)
    with pytest.raises(ZeroDivisionError):
        project.add_layer(NewLayer("y", "polygon", FIELDS), [parcels(3)], finish=fail)
    assert _tables(project) == tables
    assert_whole(project)


class _WithNewLayers(Command):
    name = "with_new_layers"

    def apply(self, tx: Transaction) -> None:
        places = tx.create_layer(NewLayer("案件", "polygon", FIELDS, qml="<qgis/>"), table="case_area")
        notes = tx.create_layer(NewLayer("意见", "none", (FieldInfo("text", "text"),)), table="case_note")
        tx.insert(places.id, parcels(3))
        tx.insert(notes.id, Batch((), {"text": ["一"]}))


def test_a_command_makes_layers_and_fills_them(project: Project, layer: LayerInfo) -> None:
    """All in one entry; what is made again after an undo gets a table of its own."""
    for number in range(2):
        done = project.execute(_WithNewLayers())
        assert done.registry
        notes, places = project.layers()[:2]
        suffix = "_2" if number else ""
        assert (places.id, notes.id) == ("case_area" + suffix, "case_note" + suffix)
        assert project.style(places.id) == "<qgis/>"
        kept = [everything(project, one) for one in (places.id, notes.id)]
        assert [len(rows) for rows in kept] == [3, 1]
        assert_whole(project)
        for _ in range(2):
            project.undo()
            assert [one.id for one in project.layers()] == [layer.id]
            assert_whole(project)
            project.redo()
            assert [everything(project, one) for one in (places.id, notes.id)] == kept
            assert_whole(project)
        project.undo()


def test_an_empty_layer_can_keep_heights(project: Project) -> None:
    class Made(Command):
        name = "made"

        def apply(self, tx: Transaction) -> None:
            for name, has_z in (("flat", False), ("high", True)):
                made = tx.create_layer(NewLayer(name, "line", (), has_z=has_z), table=name)
                tx.insert(made.id, Batch([shapely.to_wkb(shapely.linestrings([(1, 2, 3.5), (2, 2, 4.5)]))]))

    project.execute(Made())
    heights = [shapely.from_wkb(project.read(name).geometry[0]).has_z for name in ("flat", "high")]
    assert heights == [False, True]
    assert_whole(project)


def test_a_layer_made_by_a_failing_command_never_was(project: Project) -> None:
    class Half(Command):
        name = "half"

        def apply(self, tx: Transaction) -> None:
            made = tx.create_layer(NewLayer("x", "polygon", FIELDS))
            tx.insert(made.id, parcels(1))
            tx.create_layer(NewLayer("y", "none", (FieldInfo("uuid", "text"),)))

    tables = _tables(project)
    with pytest.raises(PlannerError, match=r"field\.reserved"):
        project.execute(Half())
    assert _tables(project) == tables
    assert_whole(project)
