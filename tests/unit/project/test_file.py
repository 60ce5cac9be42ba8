"""The file itself: creation, opening, migrations, journal mode, copies, verification, settings, reading."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import shapely

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import LayerInfo, NewLayer
from planner_app.domain.progress import NoProgress
from planner_app.project import (
    Batch,
    DeleteFeatures,
    EditCells,
    EditGeometry,
    Project,
    connection,
    migrations,
    schema,
)
from planner_app.project.connection import connect
from tests.helpers.project_files import FIELDS, assert_whole, everything, foreign, parcels


def _mode(path: Path) -> str:
    with closing(sqlite3.connect(path)) as plain:
        return str(plain.execute("PRAGMA journal_mode").fetchone()[0])


def test_a_new_file_is_whole(tmp_path: Path) -> None:
    with Project.create(tmp_path / "新城.planner", "epsg:4549") as project:
        assert (project.name, project.crs, project.srid) == ("新城", "EPSG:4549", 4549)
        assert_whole(project)
    assert [file.name for file in tmp_path.iterdir()] == ["新城.planner"]


def test_write_ahead_while_open_one_file_when_closed(project: Project) -> None:
    project.set_setting("a", "1")
    assert _mode(project.path) == "wal"
    second = Project.open(project.path)
    project.close()
    assert second.setting("a") == "1"
    second.set_setting("a", "2")
    second.close()
    assert _mode(project.path) == "delete"
    assert [file.name for file in project.path.parent.iterdir()] == ["city.planner"]


def test_shares_get_no_write_ahead_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_file_system", lambda _path: "cifs")
    with Project.create(tmp_path / "a.planner", "EPSG:4549") as project:
        layer = project.add_layer(NewLayer("x", "polygon", FIELDS), [parcels(10)])
        assert _mode(project.path) == "delete"
        with foreign(project.path) as other, Project.open(project.path) as second:
            other.execute(f"UPDATE \"{layer.id}\" SET code = 'a' WHERE fid = 1")
            second.execute(EditCells(layer.id, [2], "code", ["b"]))
            assert project.poll()
            assert project.read(layer.id, fids=[1, 2]).columns["code"] == ["a", "b"]
            project.save_copy(tmp_path / "b.planner")
        assert_whole(project)


@pytest.mark.parametrize(("kind", "relaxed"), [("ext4", 1), ("cifs", 2)])
def test_what_can_be_made_again_does_not_wait_for_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, relaxed: int
) -> None:
    monkeypatch.setattr(connection, "_file_system", lambda _path: kind)
    monkeypatch.setattr(connection, "_is_removable", lambda _path: False)
    with Project.create(tmp_path / "a.planner", "EPSG:4549") as project:

        def waits(**how: bool) -> int:
            with project.door.write(**how) as writer:
                return int(writer.execute("PRAGMA synchronous").fetchone()[0])

        # Without a write-ahead log the file itself would be at risk: there nothing is relaxed. 2 is FULL, 1 NORMAL.
        assert [waits(), waits(relaxed=True), waits()] == [2, relaxed, 2]


@pytest.mark.parametrize(
    ("kind", "safe"), [("ext4", True), ("tmpfs", True), ("nfs4", False), ("fuse.sshfs", False), ("vfat", False)]
)
def test_journal_mode_by_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, safe: bool) -> None:
    monkeypatch.setattr(connection, "_file_system", lambda _path: kind)
    monkeypatch.setattr(connection, "_is_removable", lambda _path: False)
    assert connection.write_ahead_is_safe(tmp_path / "a.planner") is safe


def test_a_write_waits_for_another_program(project: Project, layer: LayerInfo) -> None:
    with foreign(project.path) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute(f"UPDATE \"{layer.id}\" SET code = 'slow' WHERE fid = 1")
        release = threading.Timer(0.6, lambda: other.execute("COMMIT"))
        release.start()
        started = time.perf_counter()
        project.execute(EditCells(layer.id, [2], "code", ["waited"]))
        assert time.perf_counter() - started > 0.4
        release.join()
    assert project.read(layer.id, fids=[1, 2]).columns["code"] == ["slow", "waited"]


def test_patience_ends_in_words(project: Project, layer: LayerInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    project.set_setting("a", "b")
    monkeypatch.setattr(connection, "PATIENCE", 0.1)
    project._door.writer.execute("PRAGMA busy_timeout = 50")
    with foreign(project.path) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(PlannerError, match=r"project\.busy"):
            project.execute(EditCells(layer.id, [2], "code", ["x"]))
        other.execute("ROLLBACK")


def test_many_threads_read_while_one_writes(project: Project, layer: LayerInfo) -> None:
    failures: list[BaseException] = []

    def look() -> None:
        try:
            for _ in range(30):
                assert len(project.read(layer.id)) == 10
                assert project.count(layer.id) == 10
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(30):
        project.execute(EditCells(layer.id, [1], "storeys", [number]))
    for thread in threads:
        thread.join()
    assert not failures


def test_copy_of_an_open_project(project: Project, layer: LayerInfo, tmp_path: Path) -> None:
    project.execute(EditCells(layer.id, [1], "code", ["新"]))
    copy = tmp_path / "copy.planner"
    copy.write_bytes(b"old")
    project.save_copy(copy)
    assert _mode(copy) == "delete"
    with Project.open(copy) as copied:
        assert everything(copied, layer.id) == everything(project, layer.id)
        assert copied.log()[0].command == "edit_cells"
        copied.undo()
        assert_whole(copied)
    with pytest.raises(PlannerError, match="copy_onto_itself"):
        project.save_copy(project.path)
    with pytest.raises(PlannerError, match="cannot_write"):
        project.save_copy(tmp_path / "no folder" / "x.planner")


def test_cancelled_copy_leaves_nothing(project: Project, layer: LayerInfo, tmp_path: Path) -> None:
    class Stop(NoProgress):
        def is_cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        project.save_copy(tmp_path / "copy.planner", Stop())
    assert not [file.name for file in tmp_path.iterdir() if "copy" in file.name]


def test_settings(project: Project) -> None:
    assert project.setting("matrix", "none") == "none"
    text = json.dumps({"甲": [1.5, None]}, ensure_ascii=False)
    project.set_setting("matrix", text)
    project.set_setting("matrix", text + " ")
    assert project.setting("matrix") == text + " "
    assert project.log() == []


def test_newer_files_are_refused(project: Project) -> None:
    with foreign(project.path) as other:
        other.execute("PRAGMA user_version = 999")
    project.close()
    with pytest.raises(PlannerError, match=r"project\.newer"):
        Project.open(project.path)


def test_migration_copies_first_and_is_recorded(
    project: Project, layer: LayerInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = everything(project, layer.id)
    project.close()

    def add_table(database: sqlite3.Connection) -> None:
        database.execute("CREATE TABLE planner_later (id INTEGER PRIMARY KEY)")

    later_version = migrations.LATEST + 1
    later = (*migrations.MIGRATIONS, migrations.Migration(later_version, "later", add_table))
    monkeypatch.setattr(migrations, "MIGRATIONS", later)
    monkeypatch.setattr(migrations, "LATEST", later_version)
    with Project.open(project.path) as migrated:
        assert_whole(migrated)
        assert everything(migrated, layer.id) == before
    with closing(connect(project.path)) as plain:
        steps = plain.execute("SELECT version, name, backup FROM planner_migration ORDER BY version").fetchall()
    known = [(step.version, step.name) for step in migrations.MIGRATIONS]
    assert [step[:2] for step in steps] == known
    assert known[-1] == (later_version, "later")
    backup = project.path.with_name(steps[-1][2])
    with closing(sqlite3.connect(backup)) as old:
        assert migrations.version_of(old) == later_version - 1
    with Project.open(project.path) as again:
        assert_whole(again)
    assert len(list(project.path.parent.glob("*.bak"))) == 1


def test_failing_migration_changes_nothing(project: Project, layer: LayerInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    project.close()

    def fail(database: sqlite3.Connection) -> None:
        database.execute("CREATE TABLE planner_later (id INTEGER PRIMARY KEY)")
        raise ZeroDivisionError

    later_version = migrations.LATEST + 1
    steps = (*migrations.MIGRATIONS, migrations.Migration(later_version, "later", fail))
    monkeypatch.setattr(migrations, "MIGRATIONS", steps)
    monkeypatch.setattr(migrations, "LATEST", later_version)
    with pytest.raises(ZeroDivisionError):
        Project.open(project.path)
    monkeypatch.undo()
    with Project.open(project.path) as old:
        assert_whole(old)


def test_registry_columns_match_the_schema(project: Project) -> None:
    """The log's slots of registry tables are positions in this list: it must name what is there, in order."""
    with closing(connect(project.path)) as plain:
        for table, (key, columns) in schema.REGISTRY.items():
            present = [row[1] for row in plain.execute(f"PRAGMA table_info({table})")]
            assert present[0] == key
            assert sorted(present[1:]) == sorted(columns)


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("DELETE FROM idx_地块_geom WHERE pkid = 3", "spatial_indexes"),
        ("UPDATE idx_地块_geom SET xmax = xmax + 5 WHERE pkid = 3", "spatial_indexes"),
        ("UPDATE idx_地块_geom SET ymin = ymin + 5 WHERE pkid = 3", "spatial_indexes"),
        ("INSERT INTO idx_地块_geom VALUES (9999, 1, 2, 1, 2)", "spatial_indexes"),
        ("UPDATE planner_state SET txn = 7", "log"),
        ("DELETE FROM planner_txn", "log"),
        ("DROP TRIGGER planner_地块_upd0", "capture"),
        ("DELETE FROM geometry_columns", "layers"),
        ("UPDATE planner_layer SET plan_id = 'nobody'", "layers"),
        ("PRAGMA user_version = 0", "schema"),
        ("CREATE VIRTUAL TABLE idx_gone_geom USING rtree(pkid, xmin, xmax, ymin, ymax)", "orphans"),
        ("UPDATE planner_state SET txn = 0; UPDATE 地块 SET uuid = 'x' WHERE fid < 3", "identities"),
    ],
)
def test_verify_finds_damage(project: Project, layer: LayerInfo, damage: str, check: str) -> None:
    assert_whole(project)
    with foreign(project.path) as other:
        other.execute("PRAGMA foreign_keys = OFF")
        for statement in damage.split(";"):
            other.execute(statement)
    assert check in [result.name for result in project.verify() if not result.ok]


def test_coordinates_with_a_zone_number_are_whole(tmp_path: Path) -> None:
    """Single precision steps by 4 m there: SpatiaLite's own check takes the index for wrong."""
    places = [(40_500_000 + 37.37 * n, 3_400_000 + 0.11 * n, 0.1 + n % 50) for n in range(300)]
    shapes = [bytes(shapely.to_wkb(shapely.box(x, y, x + size, y + size))) for x, y, size in places]
    with Project.create(tmp_path / "a.planner", "EPSG:4528") as project:
        layer = project.add_layer(NewLayer("x", "polygon", ()), [Batch(shapes, {})])
        assert_whole(project)
        project.execute(EditGeometry(layer.id, dict(zip(range(1, 101), shapes[100:200], strict=True))))
        assert_whole(project)


def test_verify_finds_a_broken_page(project: Project, layer: LayerInfo) -> None:
    path = project.path
    project.close()
    data = bytearray(path.read_bytes())
    with closing(connect(path)) as plain:
        (page,) = plain.execute("SELECT rootpage FROM sqlite_master WHERE name = 'planner_地块_uuid'").fetchone()
    data[(page - 1) * 4096 + 8 : (page - 1) * 4096 + 12] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    with Project.open(path) as damaged:
        assert "integrity" in [result.name for result in damaged.verify() if not result.ok]
        with pytest.raises(PlannerError, match=r"project\.damaged"):
            damaged.execute(DeleteFeatures(layer.id, [1, 2]))


def test_a_write_broken_off_by_a_crash_is_rolled_back(project: Project, layer: LayerInfo) -> None:
    """Where write-ahead logging is not safe, a killed program leaves a journal that only a writer may play back."""
    path = project.path
    project.close()
    dying = f"""
import os, sqlite3
other = sqlite3.connect({str(path)!r}, isolation_level=None)
other.execute("PRAGMA cache_size = 5")
other.execute("BEGIN")
other.execute("CREATE TABLE junk (x)")
other.execute("WITH RECURSIVE t(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM t LIMIT 9000) INSERT INTO junk "
              "SELECT randomblob(99) FROM t")
other.execute("DELETE FROM planner_meta")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", dying], check=False, timeout=30)
    assert path.with_name(path.name + "-journal").stat().st_size > 0
    with Project.open(path) as reopened:
        assert_whole(reopened)
        assert reopened.count(layer.id) > 0
    assert not path.with_name(path.name + "-journal").exists()


def test_why_a_file_does_not_open(project: Project, layer: LayerInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    """A held, a cut off and an unreadable project are not told to be “no project”."""
    path = project.path
    project.close()
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(connection, "PATIENCE", 0.2)
        with pytest.raises(PlannerError, match=r"project\.busy"):
            Project.open(path)
        threading.Timer(0.3, other.close).start()
        monkeypatch.setattr(connection, "PATIENCE", 20.0)
        Project.open(path).close()
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PlannerError, match=r"project\.damaged"):
        Project.open(path)
    path.write_bytes(b"not a database at all" * 500)
    with pytest.raises(PlannerError, match=r"project\.not_a_project"):
        Project.open(path)
    path.write_bytes(whole)
    if os.geteuid() != 0:  # root reads everything
        path.chmod(0)
        with pytest.raises(PlannerError, match=r"project\.cannot_read"):
            Project.open(path)


def test_reading_parts(project: Project, layer: LayerInfo) -> None:
    assert project.read(layer.id, where="far > 0.75 AND code <> 'R0'", columns=["CODE"]).columns == {"code": ["R2"]}
    assert project.read("地块", fids=[9, 2, 99], geometry=False).fids.tolist() == [2, 9]
    assert project.read(layer.id, limit=3).fids.tolist() == [1, 2, 3]
    near = project.read(layer.id, bbox=(500_035, 3_500_000, 500_045, 3_500_001))
    assert near.fids.tolist() == [3]
    assert len(project.read(layer.id, bbox=(0, 0, 1, 1))) == 0
    for wrong in ("height > 3", "1; DROP TABLE planner_layer", "fid IN (", "writefile('x', 'y') > 0"):
        with pytest.raises(PlannerError, match="where_wrong"):
            project.read(layer.id, where=wrong)
    with pytest.raises(PlannerError, match=r"field\.unknown"):
        project.read(layer.id, columns=["height"])
    with pytest.raises(PlannerError, match=r"layer\.unknown"):
        project.read("nobody")
    for _ in range(2):
        project.add_layer(NewLayer("用地 现状", "none"), [])
    with pytest.raises(PlannerError, match=r"layer\.ambiguous"):
        project.layer("用地 现状")


def test_pages_of_the_attribute_table(project: Project, layer: LayerInfo) -> None:
    assert project.rows(layer.id, offset=8, limit=5)[0] == (9, "R2", 0.1 * 8, 8, b"\x08\x00\xff")
    falling = project.rows(layer.id, offset=0, limit=2, order_by="far", descending=True)
    assert [row[0] for row in falling] == [10, 9]
    assert [row[0] for row in project.rows(layer.id, offset=0, limit=9, filter_text="r1", order_by="fid")] == [2, 5, 8]
    assert [row[0] for row in project.rows(layer.id, offset=1, limit=9, where="storeys >= 8")] == [10]
    assert project.fid_list(layer.id, filter_text="100%_") == []
    project.execute(EditCells(layer.id, [4], "code", ["100%_"]))
    assert project.fid_list(layer.id, filter_text="100%_") == [4]


def test_pick(project: Project, layer: LayerInfo) -> None:
    point = project.add_layer(
        NewLayer("p", "point"), [Batch(shapely.to_wkb(shapely.points([[500_005, 3_500_005]])).tolist())]
    )
    both = [point.id, layer.id]
    assert project.pick(500_005, 3_500_005.5, 1, both) == [(point.id, 1), (layer.id, 1)]
    assert project.pick(500_012, 3_500_005, 1, both) == []
    assert project.pick(500_012, 3_500_005, 3, both) == [(layer.id, 1)]
    assert project.pick(500_015, 3_500_005, 9, [layer.id]) == [(layer.id, 1), (layer.id, 2)]


def test_closed_means_closed(project: Project) -> None:
    project.close()
    project.close()
    with pytest.raises(PlannerError, match=r"project\.closed"):
        project.layers()


def test_relaxed_writes_are_settled_in_the_background(project: Project) -> None:
    with project.door.write(relaxed=True) as writer:
        writer.execute("CREATE TABLE much AS SELECT zeroblob(20000000)")
    assert project.path.stat().st_size < 20_000_000
    project.door.settle()
    project.door._settling.join(60)  # type: ignore[union-attr]
    assert project.path.stat().st_size > 20_000_000
    project.door.settle()
    project.close()  # whole in one file, whatever went on in the background
    assert _mode(project.path) == "delete"
