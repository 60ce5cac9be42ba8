"""Attachments and readings."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.project import Project
from planner_app.sync.client.session import Syncer, state
from tests.helpers.desks import Desk
from tests.helpers.memory_server import MemoryServer
from tests.unit.sync.conftest import OpenDesk

DAY = 1_760_000_000_000


def big(pieces: float) -> bytes:
    return os.urandom(int(pieces * (1 << 20)))


def test_attachments_go_up_and_come_down_when_wanted(paul: Desk, pia: Desk) -> None:
    content = big(2.5)
    name = paul.project.attach(content, name="图纸.dwg")
    empty = paul.project.attach(b"", name="empty.txt")
    paul.sync()
    pia.sync()
    assert pia.project.attachments() == []
    pia.syncer.fetch_attachment(name)
    pia.syncer.fetch_attachment(empty)
    assert (pia.project.read_attachment(name), pia.project.read_attachment(empty)) == (content, b"")
    assert pia.project.attachment(name).name == "图纸.dwg"
    calls = pia.transport.calls.count("get_piece")
    pia.syncer.fetch_attachment(name)
    assert pia.transport.calls.count("get_piece") == calls == 3
    with pytest.raises(PlannerError) as caught:
        pia.syncer.fetch_attachment(hashlib.sha256(b"nobody has it").hexdigest())
    assert caught.value.code == "attachment.missing"


def _cut_at(desk: Desk, call: str, numbers: set[int]) -> None:
    """Break the line at some calls, before they do anything."""
    seen = 0

    def cut(name: str) -> None:
        nonlocal seen
        if name == call:
            seen += 1
            if seen in numbers:
                raise PlannerError("sync.offline", server="memory")

    desk.transport.hook = cut


def test_no_piece_is_sent_or_fetched_twice_after_a_cut(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    content = big(4)
    name = paul.project.attach(content, name="a.bin")
    _cut_at(paul, "put_piece", {2, 4})
    for _ in range(2):
        with pytest.raises(PlannerError):
            paul.sync()
        assert state(paul.project).kind == "offline"
    paul.sync()
    assert paul.transport.calls.count("put_piece") == 4 + 2
    assert state(paul.project).kind == "synced"
    pia.sync()
    _cut_at(pia, "get_piece", {1, 4})
    for _ in range(2):
        with pytest.raises(PlannerError):
            pia.syncer.fetch_attachment(name)
        assert pia.project.attachments() == []
    pia.syncer.fetch_attachment(name)
    assert pia.project.read_attachment(name) == content
    assert pia.transport.calls.count("get_piece") == 4 + 2


def test_a_wrong_content_is_not_kept(server: MemoryServer, paul: Desk, pia: Desk) -> None:
    name = paul.project.attach(b"right", name="a.bin")
    paul.sync()
    next(iter(server.projects.values())).pieces[name][0] = b"wrong"
    with pytest.raises(PlannerError) as caught:
        pia.syncer.fetch_attachment(name)
    assert caught.value.code == "attachment.damaged"
    assert pia.project.attachments() == []
    next(iter(server.projects.values())).pieces[name][0] = b"right"
    pia.syncer.fetch_attachment(name)
    assert pia.project.read_attachment(name) == b"right"


def test_readings_go_both_ways_once(paul: Desk, pia: Desk, open_desk: OpenDesk) -> None:
    paul.project.readings.add(1, [DAY, DAY + 1000, -5], [1.5, None, 3.0])
    paul.sync()
    pia.sync()
    assert pia.project.readings.read(1).ts.tolist() == [-5, DAY, DAY + 1000]
    pia.project.readings.add([1, 2], [DAY + 500, DAY], [9.0, 0.1 + 0.2], [0, 2])
    pia.sync()
    paul.sync()
    assert paul.project.readings.read(1).ts.tolist() == [-5, DAY, DAY + 500, DAY + 1000]
    assert paul.project.readings.read(2).value[0].hex() == (0.1 + 0.2).hex()
    puts = paul.transport.calls.count("put_readings")
    paul.sync()
    pia.sync()
    assert paul.transport.calls.count("put_readings") == puts  # what came from the server is not sent back
    third = open_desk("pia")
    assert third.project.readings.count() == 5
    assert paul.project.readings.quarters(1).good.tolist() == [1, 2]


def test_readings_from_before_the_server(server: MemoryServer, tmp_path: Path) -> None:
    with Project.create(tmp_path / "a.planner", "EPSG:4549") as project:
        project.readings.add(7, range(DAY, DAY + 3_600_000 * 300, 450_000), [1.0] * 2400)
        syncer = Syncer(project, server.connect("paul"))
        syncer.sync()
        assert len(list(server.projects.values())[-1].readings) == 2400


def test_readings_that_arrive_while_they_are_sent(server: MemoryServer, paul: Desk) -> None:
    paul.project.readings.add(1, [DAY], [1.0])

    def meanwhile(name: str) -> None:
        if name == "put_readings":
            paul.transport.hook = lambda name: None
            paul.project.readings.add(1, [DAY + 1], [2.0])

    paul.transport.hook = meanwhile
    paul.sync()
    paul.sync()
    assert len(next(iter(server.projects.values())).readings) == 2


def test_a_lost_answer_to_readings(server: MemoryServer, paul: Desk) -> None:
    paul.project.readings.add(1, [DAY], [1.0])

    def cut(name: str) -> None:
        if name == "put_readings answered":
            raise PlannerError("sync.offline", server="memory")

    paul.transport.hook = cut
    with pytest.raises(PlannerError):
        paul.sync()
    paul.transport.hook = lambda name: None
    paul.sync()
    assert len(next(iter(server.projects.values())).readings) == 1


class _Stop:
    """Cancels after some looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks

    def update(self, fraction: float | None, stage: str = "") -> None:
        return None

    def is_cancelled(self) -> bool:
        self.looks -= 1
        return self.looks < 0


def test_cancelled_anywhere_it_goes_on_later(paul: Desk, pia: Desk) -> None:
    from tests.helpers.desks import assert_alike

    paul.project.attach(big(1.2), name="a")
    for number in range(4):
        paul.edit(number, code=f"paul {number}")
        pia.edit(number + 4, code=f"pia {number}")
    for desk in (paul, pia, paul):
        looks = 0
        while True:
            try:
                desk.sync(progress=_Stop(looks))
                break
            except Cancelled:
                looks += 1
        assert looks > 1
    assert_alike(paul, pia)


def test_whoever_may_not_send_readings_syncs_all_the_same(
    paul: Desk, pia: Desk, server: MemoryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    paul.project.readings.add(1, [DAY], [1.5])
    asked = []

    def denied(*_: object) -> int:
        asked.append(1)
        raise PlannerError("sync.denied", server="city")

    with monkeypatch.context() as patch:
        patch.setattr(paul.transport, "put_readings", denied)
        assert paul.sync().readings_kept == 1
        assert paul.sync().readings_kept == 1
        assert len(asked) == 1  # each refusal is a line in the server's list
    server.members["paul"] = "operator"
    assert paul.sync().readings_kept == 0
    pia.sync()
    assert pia.project.readings.read(1).ts.tolist() == [DAY]
