"""Random histories: whoever did what, taking it back entry by entry restores every bit, and so does redo."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import shapely
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import (
    AddField,
    Batch,
    DeleteFeatures,
    EditCells,
    EditGeometry,
    InsertFeatures,
    Project,
    RenameLayer,
    SetStyle,
)
from tests.helpers.project_files import FIELDS, assert_whole, everything, foreign, parcels

_FIDS = st.lists(st.integers(1, 8), min_size=1, max_size=4, unique=True)
_REAL = st.floats(allow_nan=True, allow_infinity=True) | st.none()
_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12) | st.none()
_BLOB = st.binary(max_size=12) | st.none()
_COORDINATE = st.floats(-1e7, 1e7, allow_nan=False, allow_infinity=False)


@st.composite
def _shapes(draw: Callable[..., Any]) -> bytes | None:
    if draw(st.integers(0, 5)) == 0:
        return None
    x, y, size = draw(_COORDINATE), draw(_COORDINATE), draw(st.floats(0.001, 1e5))
    one = shapely.box(x, y, x + size, y + size)
    shape = shapely.MultiPolygon([one, shapely.box(x + 2e6, y, x + 3e6, y + size)]) if draw(st.booleans()) else one
    return bytes(shapely.to_wkb(shape))


def _values(column: str) -> st.SearchStrategy[Any]:
    return {"code": _TEXT, "far": _REAL, "storeys": st.integers(-(2**63), 2**63 - 1) | st.none(), "photo": _BLOB}[
        column
    ]


@st.composite
def _steps(draw: Callable[..., Any]) -> tuple[Any, ...]:
    kind = draw(
        st.sampled_from(["cells", "shape", "insert", "delete", "rename", "style", "field", "sql", "undo", "redo"])
    )
    column = draw(st.sampled_from(["code", "far", "storeys", "photo"]))
    fids = draw(_FIDS)
    values = draw(st.lists(_values(column), min_size=len(fids), max_size=len(fids)))
    return kind, column, fids, values, draw(_shapes()), draw(st.integers(0, 6))


def _foreign_statement(table: str, step: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    _kind, column, fids, values, _shape, number = step
    marks = ", ".join(str(fid) for fid in fids)
    statements = [
        (f'UPDATE "{table}" SET "{column}" = ? WHERE fid IN ({marks})', (values[0],)),
        (f'INSERT INTO "{table}" ("{column}") VALUES (?)', (values[0],)),
        (f'INSERT OR REPLACE INTO "{table}" (fid, "{column}") VALUES ({fids[0]}, ?)', (values[0],)),
        (f'DELETE FROM "{table}" WHERE fid IN ({marks})', ()),
        (f'UPDATE "{table}" SET fid = fid + 100 WHERE fid = {fids[0]}', ()),
        (f'UPDATE "{table}" SET uuid = NULL, "{column}" = ? WHERE fid = {fids[0]}', (values[0],)),
        (f'INSERT OR IGNORE INTO "{table}" (fid, "{column}") VALUES ({fids[0]}, ?)', (values[0],)),
    ]
    return statements[number]


def _do(project: Project, table: str, step: tuple[Any, ...], number: int) -> None:
    kind, column, fids, values, shape, _ = step
    present = set(project.read(table, geometry=False, columns=()).fids.tolist())
    kept = [fid for fid in fids if fid in present]
    commands: dict[str, Callable[[], Any]] = {
        "cells": lambda: EditCells(table, kept, column, values[: len(kept)]),
        "shape": lambda: EditGeometry(table, dict.fromkeys(kept, shape)),
        "insert": lambda: InsertFeatures(table, [shape], {column: values[:1]}),
        "delete": lambda: DeleteFeatures(table, kept),
        "rename": lambda: RenameLayer(table, f"name {number}"),
        "style": lambda: SetStyle(table, f"<qgis n='{number}'/>"),
        "field": lambda: AddField(table, FieldInfo(f"extra{number}", "real")),
    }
    if kind == "sql":
        with foreign(project.path) as other:
            other.execute(*_foreign_statement(table, step))
    elif kind in ("undo", "redo"):
        try:
            if kind == "redo":
                project.redo()
            elif project.can_undo() != "add_layer":
                project.undo()
        except PlannerError as error:
            if error.code not in ("project.undo_conflict", "project.undo_gone"):
                raise
    else:
        project.execute(commands[kind]())


def _look(project: Project, table: str) -> tuple[Any, ...]:
    return (
        [everything(project, name) for name in (table, "layer_styles", "planner_plan")],
        project.layers(),
        project.extent(table),
    )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
@given(steps=st.lists(_steps(), max_size=8))
@example(  # a row replaced whole by another program, then a field that came later: its NULL must not block the undo
    steps=[
        ("cells", "code", [1], [""], None, 0),
        ("sql", "code", [1], [None], None, 2),
        ("field", "code", [1], [None], None, 0),
    ]
)
def test_taking_everything_back_restores_every_bit(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder) / "a.planner", "EPSG:4549") as project:
        table = project.add_layer(NewLayer("x", "polygon", FIELDS), [parcels(6)]).id
        floor = project.log()[0].id
        before = _look(project, table)
        for number, step in enumerate(steps):
            _do(project, table, step, number)
        assert_whole(project)
        after = _look(project, table)
        reverted = []
        for entry in project.log(None):
            if entry.id > floor and entry.command not in ("undo", "redo") and not entry.undone:
                reverted.append(project.undo_entry(entry.id).id)
        assert _look(project, table) == before
        assert_whole(project)
        for undo in reversed(reverted):
            project.undo_entry(undo)
        assert _look(project, table) == after
        assert_whole(project)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(_TEXT, st.floats(allow_nan=False) | st.none(), _BLOB), min_size=1, max_size=6),
    st.lists(_shapes(), min_size=6, max_size=6),
)
def test_values_come_back_bit_for_bit(rows: list[tuple[Any, ...]], shapes: list[bytes | None]) -> None:
    texts, reals, blobs = (list(column) for column in zip(*rows, strict=True))
    with tempfile.TemporaryDirectory() as folder, Project.create(Path(folder) / "a.planner", "EPSG:4549") as project:
        table = project.add_layer(
            NewLayer("x", "polygon", FIELDS),
            [Batch(shapes[: len(rows)], {"code": texts, "far": reals, "photo": blobs})],
        ).id
        found = project.read(table)
        assert found.columns["code"] == texts
        assert found.columns["photo"] == blobs
        # SQLite has no negative zero: it keeps whole numbers as integers.
        assert [None if v is None else (v + 0.0).hex() for v in found.columns["far"]] == [
            None if v is None else (v + 0.0).hex() for v in reals
        ]
        for given_shape, stored in zip(shapes, found.geometry, strict=False):
            if given_shape is None:
                assert stored is None
            else:
                shape = shapely.from_wkb(given_shape)
                multi = shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
                assert stored == shapely.to_wkb(multi, flavor="iso")
