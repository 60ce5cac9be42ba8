"""The operator's records in the sample town: columns as the model has them, places on the axis, useful on their day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import shapely

from planner_app.plugin_api.model import Project
from plugins.tunnel.model.operation import figures, rows, tables
from plugins.tunnel.model.operation.places import Places
from sample_projects.operation import DAY, _tables


@pytest.fixture
def town(sample_folder: Path):
    with Project.open(sample_folder / "sample.sqlite") as opened:
        yield opened


def test_columns_are_those_of_the_model():
    made = _tables()
    for table in tables.TABLES:
        if table.name in made:
            assert made[table.name].fields == table.fields(), table.name
            assert (made[table.name].geometry, made[table.name].name) == (table.geometry, table.title_zh)


def test_the_page_has_something_to_show_on_the_day_the_town_stands_still(town, rules):
    book = figures.read_book(town)
    assert book.day == DAY == date(2024, 10, 30)
    assert Counter(one.state.value for one in book.standings) == {"overdue": 2, "due": 3, "done": 2}
    assert (len(book.defects), len(book.open_defects())) == (12, 9)
    assert [one.status.value for one in book.orders] == ["permitted", "open", "in_progress", "done", "closed"]
    assert {one.kind for one in figures.overdue(book, rules)} == {"round", "defect", "order", "permit"}


def test_records_belong_together(town):
    book, places = figures.read_book(town), Places(town)
    walks = {one.id: one for one in book.inspections}
    seen = {one.id: one for one in book.observations}
    for defect in book.defects:
        history = [one for one in book.examinations if one.defect_id == defect.id]
        assert [one.time for one in history] == sorted(one.time for one in history)
        assert history[-1].grade == defect.grade
        assert all(one.event == "repaired" or seen[one.observation_id].defect_id == defect.id for one in history)
        point = shapely.from_wkb(defect.wkb)
        assert places.nearest(point.x, point.y) == (defect.tunnel, pytest.approx(defect.m, abs=0.5))
    for one in book.observations:
        assert walks[one.inspection_id].tunnel == one.tunnel
        assert not one.photo or town.read_attachment(one.photo)[:4] == b"\x89PNG"
    assert sum(bool(one.photo) for one in book.examinations) >= 10
    for order in book.orders:
        assert rows.one(town, tables.DEFECTS, order.source.removeprefix("defect:")).number == order.subject
