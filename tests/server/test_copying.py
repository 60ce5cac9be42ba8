"""COPY read column by column gives what psycopg reads row by row."""

from __future__ import annotations

import psycopg
import pytest

from planner_app.sync.server import copying
from tests.server.conftest import City

pytestmark = pytest.mark.server

KINDS = ["uuid", "text", "bytea", "int8", "float8", "int4", "text"]
QUERY = """
    SELECT CASE WHEN n % 7 <> 0 THEN md5(n::text)::uuid END,
           CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN '地块 ' || n WHEN 3 THEN '𝄞' ELSE repeat('x', n % 40)
           END,
           CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN '\\x'::bytea ELSE int8send(n) || '\\xff00' END,
           CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN -9223372036854775808 ELSE n END,
           CASE n % 6 WHEN 0 THEN NULL WHEN 1 THEN 'Infinity' WHEN 2 THEN -0.0 ELSE n / 3.0::float8 END,
           CASE WHEN n % 11 <> 0 THEN -n END,
           CASE WHEN {long} THEN repeat('长', n) END
    FROM generate_series(1, {rows}) n ORDER BY n
"""


@pytest.mark.parametrize("rows", [0, 1, 2, 499, 500, 501])
@pytest.mark.parametrize("long", ["false", "true"])
def test_columns_are_what_rows_are(city: City, rows: int, long: str) -> None:
    copy_out = f"COPY ({QUERY.format(rows=rows, long=long)}) TO STDOUT (FORMAT BINARY)"
    with psycopg.connect(city.dba) as connection, connection.cursor() as cursor:
        with cursor.copy(copy_out.encode()) as copy:
            copy.set_types(KINDS)
            wanted = [(None if row[0] is None else str(row[0]), *row[1:]) for row in copy.rows()]
        with cursor.copy(copy_out.encode()) as copy:
            parts = [values for _, values in copying.columns(copy, KINDS, 250)]
        with cursor.copy(copy_out.encode()) as copy:
            size = sum(len(block) for block in copy)
        with cursor.copy(copy_out.encode()) as copy:
            counted = sum(size for size, _ in copying.columns(copy, KINDS, 250))
    found = [row for columns in parts for row in zip(*columns, strict=True)]
    assert repr(found) == repr(wanted)  # -0.0 and 0.0 are not alike
    assert size - counted in (21, 2)  # the head and the end of the stream
