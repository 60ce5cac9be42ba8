"""Other programs read the layers as plain tables, with their member's rights, quickly, and change nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pyproj
import pytest

from planner_app.domain.progress import NoProgress
from planner_app.sync.server import administration
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import LayerDef, Page, ProjectDef, PushHeader
from tests.server.builders import insert, key, layer, new_layer, push, rows, square
from tests.server.conftest import City

pytestmark = pytest.mark.server
Connect = Callable[[str], PostgresTransport]
NONE = [None] * 6


@pytest.fixture
def parcels(connect: Connect, project: str) -> LayerDef:
    """2,500 parcels in a grid, 50 m apart, come in bulk."""
    paul, made = connect("paul"), layer("地块")
    paul.register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    header = PushHeader(key(), project, "desk", 0, 0, "d")
    paul.stage(header, [new_layer(made)], [], NoProgress())
    whole = [(key(), square(50 * x, 50 * y), [f"{x}/{y}", *NONE]) for x in range(50) for y in range(50)]
    paul.stage_layer(header, made, [Page.of(whole)], NoProgress())
    assert paul.commit(header).applied == 2500
    return made


@pytest.fixture
def table(city: City, parcels: LayerDef) -> str:
    with psycopg.connect(city.dba) as connection:
        row = connection.execute("SELECT project FROM planner.layer WHERE uuid = %s", (parcels.uuid,)).fetchone()
    assert row is not None
    return f'project_{row[0]}."地块"'


def plan_of(city: City, member: str, statement: str) -> str:
    with psycopg.connect(city.dsn(member)) as connection:
        return "\n".join(row[0] for row in connection.execute(f"EXPLAIN ANALYZE {statement}".encode()).fetchall())


def test_indexes_are_used_under_rights(
    city: City, connect: Connect, project: str, parcels: LayerDef, table: str
) -> None:
    one = next(iter(rows(connect("vera"), project, parcels)))
    window = f"SELECT * FROM {table} WHERE geom && ST_MakeEnvelope(0, 0, 100, 100, 4547)"
    by_key = f"SELECT * FROM {table} WHERE \"uuid\"::text = '{one}'"
    for member in ("vera", "anna"):
        assert "geom_idx" in plan_of(city, member, window)
        assert "rows=9 " in plan_of(city, member, window)
        plan = plan_of(city, member, by_key)
        assert "uuid_idx" in plan
        assert "rows=1 " in plan


def test_psql(city: City, parcels: LayerDef, table: str) -> None:
    def psql(member: str, statement: str) -> subprocess.CompletedProcess[str]:
        command = ["psql", "-X", "-A", "-t", "-d", city.dsn(member), "-c", statement]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert psql("vera", f"SELECT count(*) FROM {table}").stdout.strip() == "2500"
    told = psql("vera", "SELECT obj_description(oid) FROM pg_class WHERE relname = '地块' ORDER BY oid DESC LIMIT 1")
    assert told.stdout.strip() == "地块"
    refused = psql("paul", f"UPDATE {table} SET name = 'x'")
    assert (refused.returncode, "permission denied" in refused.stderr) == (1, True)


def test_who_may_not_read_sees_an_empty_table(city: City, project: str, parcels: LayerDef, table: str) -> None:
    with psycopg.connect(city.dba, autocommit=True) as connection:
        said = {"role": "reviewer", "project": f"Town {project}", "layer": parcels.uuid, "read": False}
        administration.grant(connection, said)
    with psycopg.connect(city.dsn("rita")) as connection:
        assert connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)
        assert connection.execute(f"SELECT max(name) FROM {table} WHERE uuid IS NOT NULL".encode()).fetchone() == (
            None,
        )


def test_a_local_coordinate_system(city: City, connect: Connect, project: str) -> None:
    wkt = pyproj.CRS.from_proj4("+proj=tmerc +lat_0=0 +lon_0=119.5 +x_0=300000 +ellps=GRS80").to_wkt("WKT1_ESRI")
    paul, made = connect("paul"), layer()
    paul.register(ProjectDef(project, f"Town {project}", wkt))
    assert ProjectDef(project, f"Town {project}", wkt) in paul.hello().projects
    push(paul, project, [insert(made, key(), square(0, 0))], [new_layer(made)])
    with psycopg.connect(city.dsn("vera")) as connection:
        row = connection.execute(
            "SELECT s.srtext FROM geometry_columns g JOIN spatial_ref_sys s ON s.srid = g.srid "
            "WHERE g.f_table_name = 'parcel' ORDER BY g.srid DESC LIMIT 1"
        ).fetchone()
    assert row == (wkt,)


@pytest.mark.qgis
def test_qgis(city: City, project: str, parcels: LayerDef, table: str, qgis_python: str) -> None:
    with psycopg.connect(city.dba, autocommit=True) as connection:
        district = "POLYGON((0 0, 70 0, 70 1000, 0 1000, 0 0))"
        said = {"member": "vera", "project": f"Town {project}", "district": district, "only_there": True}
        administration.grant(connection, said)
    schema = table.partition(".")[0]
    host = city.dba.split()[0].removeprefix("host=")
    source = (
        f"dbname='city' host='{host}' port='{city.cluster.port}' user='vera' key='uuid' srid=4547 type=MultiPolygon "
        f'table="{schema}"."地块" (geom)'
    )
    script = Path(__file__).with_name("read_in_qgis.py")
    done = subprocess.run([qgis_python, str(script), source], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == {
        "valid": True, "count": 42, "in_window": ["0/0", "0/1", "0/2", "1/0", "1/1", "1/2"], "edited": False,
        "fields": ["uuid", "name", "far", "floors", "approved", "since", "seen", "raw", "rev"], "crs": "EPSG:4547",
        "may_edit": False, "deleted": False,
    }  # fmt: skip
