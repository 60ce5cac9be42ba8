"""What members try with connections of their own, past this program: nothing comes of it, and it is written down."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo
from planner_app.domain.progress import NoProgress
from planner_app.sync.server.postgres import PostgresTransport
from planner_app.sync.types import LayerDef, ProjectDef, PushHeader
from tests.server.builders import insert, key, layer, new_layer, push, rows, square
from tests.server.conftest import MEMBERS, City

pytestmark = pytest.mark.server
Connect = Callable[[str], PostgresTransport]
#: No right, no such role, not possible, a parameter that only a superuser sets.
_REFUSALS = ("42501", "42704", "0A000", "55000", "22023")


@pytest.fixture
def table(city: City, project: str, secret: LayerDef) -> str:
    with psycopg.connect(city.dba) as connection:
        row = connection.execute(
            "SELECT format('project_%%s.%%I', l.project, l.table_name) FROM planner.layer l WHERE l.uuid = %s",
            (secret.uuid,),
        ).fetchone()
        assert row is not None
        return str(row[0])


def forbidden(member: str) -> list[str]:
    """Statements that the member may not run."""
    text = Path(__file__).with_name("forbidden.sql").read_text("utf-8")
    everybody, others = re.split(r"^-- .*an administrator.*$", text, flags=re.MULTILINE)
    lines = (everybody if member == "anna" else everybody + others).splitlines()
    return [line for line in lines if line and not line.startswith("--")]


@pytest.mark.parametrize("member", MEMBERS)
def test_forbidden_statements(city: City, connect: Connect, table: str, member: str) -> None:
    let_through = []
    with psycopg.connect(city.dba) as other, psycopg.connect(city.dsn(member), autocommit=True) as connection:
        pid = str(other.info.backend_pid)
        statements = [s.replace("{table}", table).replace("{pid}", pid) for s in forbidden(member)]
        for statement in statements:
            try:
                connection.execute(statement.encode())
                let_through.append(statement)
            except psycopg.errors.Error as error:
                if error.sqlstate not in _REFUSALS:
                    raise
    allowed = ["SET ROLE planner_admin"] if member == "anna" else []
    assert let_through == allowed
    # Every refused statement stands in PostgreSQL's own log, with whose it was.
    said = city.log()
    assert f" {member}@city [local] STATEMENT:  {statements[0]}" in said
    for statement in statements:
        assert statement in allowed or statement in said, f"{statement} was not logged"


def test_what_functions_refuse_is_noted(city: City, connect: Connect, project: str, secret: LayerDef) -> None:
    with psycopg.connect(city.dsn("vera"), autocommit=True) as connection:
        for call in (
            "SELECT planner.put_member('vera', 'admin', NULL)", "SELECT planner.remove_member('anna')",
            "SELECT planner.put_permission('{\"member\": \"vera\", \"write\": true}')",
            "SELECT planner.remove_permission(1)",
            "SELECT planner.status()", "SELECT planner.register(gen_random_uuid(), 'mine', 'EPSG:4547')",
        ):  # fmt: skip
            row = connection.execute(call.encode()).fetchone()
            assert row is not None
            assert row[0] == {"error": "sync.denied"}, call
    push(connect("vera"), project, [insert(secret, key(), name="mine")])
    with psycopg.connect(city.dba) as connection:
        noted = connection.execute(
            "SELECT what, detail FROM planner.denied WHERE member = 'vera' ORDER BY id DESC LIMIT 7"
        )
        assert [row[0] for row in noted.fetchall()][::-1] == [
            "member", "member", "permission", "permission", "status", "register", "push",
        ]  # fmt: skip


def test_a_rollback_does_not_unwrite_a_refusal(city: City) -> None:
    mark = key()
    with psycopg.connect(city.dsn("vera")) as connection:
        connection.execute("SELECT planner.put_member(%s, 'admin', NULL)", (mark,))
        connection.rollback()
    assert any("planner denied: user=vera" in line and mark in line for line in city.log().splitlines())


def test_settings_of_the_session_change_nothing(city: City, connect: Connect, project: str, secret: LayerDef) -> None:
    """Functions do not see the caller's search path, float digits, date style or array syntax."""
    anna = connect("anna")
    one = key()
    anna._connection.execute(
        "SET extra_float_digits = -15; SET datestyle = 'SQL, DMY'; SET bytea_output = 'escape'; SET array_nulls = off; "
        "SET search_path = pg_temp; SET timezone = 'Asia/Shanghai'; SET standard_conforming_strings = off; SET jit = on"
    )
    assert (
        push(anna, project, [insert(secret, one, far="0.1", since="2024-02-01", raw="\\x00ff", name="a\\b")]).refused
        == ()
    )
    push(connect("anna"), project, [insert(secret, one, far=repr(0.1 + 0.2))])
    history = connect("anna").history(project, layer=secret.uuid, uuid=one)
    assert history[-1].after == {"far": "0.1", "since": "2024-02-01", "raw": "\\x00ff", "name": "a\\b"}
    assert history[0].before == {"far": "0.1", "since": "2024-02-01", "raw": "\\x00ff", "name": "a\\b"}
    assert rows(connect("anna"), project, secret)[one].cells["far"] == repr(0.1 + 0.2)


def test_another_members_push_is_not_his(city: City, connect: Connect, project: str, secret: LayerDef) -> None:
    anna, olaf = connect("anna"), connect("olaf")
    header = PushHeader(key(), project, "desk", 1, 1, "d")
    anna.stage(header, [], [insert(secret, key(), name="anna's")], NoProgress())
    with pytest.raises(PlannerError):
        olaf.stage(header, [], [insert(secret, key(), name="olaf's")], NoProgress())
    with psycopg.connect(city.dsn("olaf"), autocommit=True) as connection:
        connection.execute(
            "INSERT INTO planner.stage (push_id, ordinal, layer, uuid, operation, names, cells, has_geometry) "
            "VALUES (%s, 1, %s, %s, 'insert', '{name}', '{olaf}', false)", (header.push_id, secret.uuid, key()),
        )  # fmt: skip
    with pytest.raises(PlannerError):
        olaf.commit(header)
    assert anna.commit(header).applied == 1
    assert olaf.result(project, header.push_id) is None
    with pytest.raises(PlannerError):
        olaf.commit(header)
    assert "olaf" not in {row.cells["name"] for row in rows(anna, project, secret).values()}


def raw_push(
    city: City, project: str, values: list[tuple[object, ...]], *, rows_said: int | None = None
) -> dict[str, object]:
    """A push made by hand, as somebody without this program would."""
    push_id = key()
    with psycopg.connect(city.dsn("olaf"), autocommit=True) as connection:
        connection.execute("SELECT planner.stage_begin(%s, %s, 'd')", (push_id, project))
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO planner.stage (push_id, ordinal, layer, uuid, operation, names, cells, geometry, "
                "has_geometry) VALUES (%s, %s, %s, %s, %s, %s, %b, %b, %s)",
                [(push_id, at, *value) for at, value in enumerate(values, 1)],
            )
        count = len(values) if rows_said is None else rows_said
        row = connection.execute(
            "SELECT planner.commit_push(%s, %s, 'evil', 1, %s, 'd', '[]', '')", (push_id, project, count)
        ).fetchone()
        assert row is not None
        return dict(row[0])


def test_malformed_rows_by_hand(city: City, connect: Connect, project: str, secret: LayerDef) -> None:
    of, good = secret.uuid, key()
    nested = b"".join(b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" for _ in range(20_000)) + struct.pack("<BIdd", 1, 1, 0, 0)
    polygons = b"\x01\x06\x00\x00\x00\xff\xff\xff\x7f" + b"\x01\x03\x00\x00\x00\xff\xff\xff\x7f" * 50_000
    long_ring = struct.pack("<BII", 1, 6, 1) + struct.pack("<BIII", 1, 3, 1, 0xFFFFFFF0) + b"\x00" * 1000
    curve = struct.pack("<BII", 1, 10, 0)
    bad: list[tuple[object, ...]] = [
        (None, None, None, None, None, None, None), (of, key(), "insert", None, ["x"], None, False),
        (of, key(), "insert", ["name"], [], None, False), (of, key(), "insert", [None], ["x"], None, False),
        (of, key(), "insert", ["name", "name"], ["a"], None, False), (of, key(), "drop", [], [], None, False),
        (of, key().upper(), "insert", [], [], None, False), (of, key() + "\n", "insert", [], [], None, False),
        (of, "'; DROP SCHEMA planner CASCADE; --", "insert", [], [], None, False),
        ("x'); DELETE FROM planner.project; --", key(), "insert", [], [], None, False),
        (of, key(), "insert", ['name"=1; --'], ["x"], None, False),
        (of, key(), "insert", ["uuid"], [key()], None, False),
        (of, key(), "insert", ["geom"], ["x"], None, False), (of, key(), "insert", ["rev"], ["1"], None, False),
        (of, key(), "insert", ["far"], ["1" * 5000], None, False),
        (of, key(), "insert", ["floors"], ["9" * 100], None, False),
        (of, key(), "insert", ["name"], ["x" * (17 << 20)], None, False), (of, key(), "insert", [], [], nested, True),
        (of, key(), "insert", [], [], polygons, True), (of, key(), "insert", [], [], long_ring, True),
        (of, key(), "insert", [], [], curve, True), (of, key(), "insert", [], [], b"\x01" * 100_000, True),
    ]  # fmt: skip
    started = time.monotonic()
    answer = raw_push(city, project, [*bad, (of, good, "insert", ["name"], ["good"], square(1, 1), True)])
    assert time.monotonic() - started < 30
    assert answer["applied"] == 1
    refused = answer["refused"]
    assert isinstance(refused, list)
    assert len(refused) == len(bad)
    assert {r["code"] for r in refused} <= {
        "sync.refused_row", "sync.refused_uuid", "sync.refused_layer", "sync.refused_field", "sync.refused_value",
        "sync.refused_size", "sync.refused_geometry",
    }  # fmt: skip
    assert good in rows(connect("anna"), project, secret)


@pytest.mark.soak
def test_rows_beyond_all_measure(city: City, project: str, secret: LayerDef) -> None:
    bad = [
        (secret.uuid, key(), "insert", ["raw"], ["\\x" + "0" * (17 << 20)], None, False),
        (secret.uuid, key(), "insert", [], [], b"\x01\x06\x00\x00\x00" + b"\x00" * (65 << 20), True),
        (secret.uuid, key(), "insert", ["name"], ["x" * (200 << 20)], None, False),
    ]
    refused = raw_push(city, project, bad)["refused"]
    assert isinstance(refused, list)
    assert [r["code"] for r in refused] == ["sync.refused_value", "sync.refused_size", "sync.refused_value"]


def test_rows_too_wide_for_a_page_are_refused_alone(city: City, connect: Connect, project: str) -> None:
    wide = layer("wide", [FieldInfo(f"f{n}", "real") for n in range(1000)], role="tunnel.wide", geometry="none")
    texts = layer("texts", [FieldInfo(f"f{n}", "text") for n in range(800)], role="tunnel.texts", geometry="none")
    olaf = connect("olaf")
    connect("anna").register(ProjectDef(project, f"Town {project}", "EPSG:4547"))
    push(olaf, project, definitions=[new_layer(wide), new_layer(texts)])
    good = [key() for _ in range(4)]
    sent = [insert(texts, k, f1="small") for k in good]
    too_wide = [insert(texts, key(), **{f"f{n}": "wider than a page" for n in range(800)}) for _ in range(3)]
    result = push(olaf, project, [*sent[:2], *too_wide, *sent[2:], insert(wide, key(), f999="1.5")])
    assert [(r.uuid, r.code) for r in result.refused] == [(row.uuid, "sync.refused_row") for row in too_wide]
    assert result.applied == 5


def test_lies_about_what_was_seen_and_sent(city: City, project: str, secret: LayerDef) -> None:
    row = [(secret.uuid, key(), "insert", ["name"], ["x"], None, False)]
    assert raw_push(city, project, row, rows_said=2) == {"error": "sync.stage_incomplete"}
    with psycopg.connect(city.dsn("olaf"), autocommit=True) as connection:
        push_id = key()
        connection.execute("SELECT planner.stage_begin(%s, %s, 'd', '[]')", (push_id, project))
        answer = connection.execute(
            "SELECT planner.commit_push(%s, %s, 'evil', 1000, 0, 'd', '[]', '')", (push_id, project)
        ).fetchone()
        assert answer == ({"error": "sync.server_older", "revision": 1, "seen": 1000},)


_FIELDS = (
    '[{"kind": "layer", "key": "{uuid}", "operation": "update", "layer": {"uuid": "{uuid}", "geometry": "polygon", '
    '"has_z": false, "multi": true, "fields": [FIELD]}}]'
)


@pytest.mark.parametrize(
    "definitions",
    [
        '{"kind": "layer"}', '["x", 1, null, {}]',
        '[{"kind": "layer", "key": 5, "operation": "insert", "layer": []}]',
        '[{"kind": "layer", "key": "x", "operation": "insert", "layer": {"uuid": "x", "fields": "no"}}]',
        '[{"kind": "plan", "key": "p", "operation": "insert", "cells": [1]}]',
        '[{"kind": "plan", "key": "", "operation": "insert", "cells": {}}]',
        '[{"kind": "secret", "key": "x", "operation": "insert"}]',
        _FIELDS.replace("FIELD", '{"name": 1, "type": "text"}'),
        _FIELDS.replace("FIELD", '{"name": "x", "type": "int; DROP SCHEMA planner"}'),
    ],
)  # fmt: skip
def test_malformed_definitions_by_hand(
    city: City, connect: Connect, project: str, secret: LayerDef, definitions: str
) -> None:
    push_id = key()
    with psycopg.connect(city.dsn("olaf"), autocommit=True) as connection:
        said = definitions.replace("{uuid}", secret.uuid)
        connection.execute("SELECT planner.stage_begin(%s, %s, 'd', %s)", (push_id, project, said))
        connection.execute("SELECT planner.stage_fields(%s)", (push_id,))
        row = connection.execute(
            "SELECT planner.commit_push(%s, %s, 'evil', 1, 0, 'd', '[]', '')", (push_id, project)
        ).fetchone()
    assert row is not None
    assert row[0]["applied"] == 0
    assert connect("anna").head(project).revision == 1
