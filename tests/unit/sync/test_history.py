"""Restoring what was: a record, a place, a layer; each a command that can be undone and is synced like any edit."""

from __future__ import annotations

import pytest

from planner_app.domain.errors import PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.project import AddField
from planner_app.sync.client.history import restore
from planner_app.sync.types import Scope
from tests.helpers.desks import Desk, assert_alike, content
from tests.helpers.project_files import FIELDS


@pytest.fixture
def past(paul: Desk) -> Desk:
    """Revision 1: as made; 2: one edited, one moved, one deleted, one new; 3: a field more, everything has a value."""
    paul.edit(1, code="edited")
    paul.move(2, 500.0)
    paul.delete(3)
    paul.insert(77, code="new")
    paul.sync()
    paul.project.execute(AddField(paul.layer.id, FieldInfo("height", "real")))
    for number in (0, 1, 2):
        paul.edit(number, height=float(number))
    paul.sync()
    return paul


def test_a_layer(past: Desk, pia: Desk) -> None:
    before = content(past.project)
    change = restore(past.project, past.transport, past.layer.id, 1)
    assert (change.command, change.params["count"]) == ("restore_revision", 5)
    assert past.storeys() == list(range(10))
    assert (past.cell(1, "code"), past.cell(2, "height")) == ("R1", None)
    past.project.undo()
    assert content(past.project) == before
    past.project.redo()
    past.sync()
    pia.sync()
    assert_alike(past, pia)
    assert restore(past.project, past.transport, past.layer.id, 1).id == 0  # nothing left to do


def test_records(past: Desk) -> None:
    uuids = past.project.read(past.layer.id, columns=["uuid", "storeys"]).columns
    of = dict(zip(uuids["storeys"], uuids["uuid"], strict=True))
    restore(past.project, past.transport, past.layer.id, 1, uuids=[of[1], of[77]])
    assert past.cell(1, "code") == "R1"
    assert 77 not in past.storeys()
    assert 3 not in past.storeys()
    assert past.cell(2, "height") == 2.0


def test_a_place(past: Desk) -> None:
    place = Scope(box=(500_500.0, 3_500_000.0, 500_505.0, 3_500_005.0))  # where 2 lies now
    restore(past.project, past.transport, past.layer.id, 1, scope=place)
    x = past.project.read(past.layer.id, fids=[past.fid(2)])
    assert past.project.pick(500_045.0, 3_500_005.0, 0.1, [past.layer.id]) == [(past.layer.id, int(x.fids[0]))]
    assert past.cell(1, "code") == "edited"
    # Where 2 and 3 lay at the beginning.
    restore(past.project, past.transport, past.layer.id, 1, scope=Scope(box=(500_041.0, 3.5e6, 500_069.0, 3_500_005.0)))
    assert 3 in past.storeys()


def test_what_cannot_be_restored(past: Desk) -> None:
    for revision in (0, 99):
        with pytest.raises(PlannerError) as caught:
            restore(past.project, past.transport, past.layer.id, revision)
        assert caught.value.code == "sync.revision_unknown"
    made = past.project.add_layer(NewLayer("new", "polygon", FIELDS), [])
    with pytest.raises(PlannerError) as caught:
        restore(past.project, past.transport, made.id, 1)
    assert caught.value.code == "sync.no_history"
