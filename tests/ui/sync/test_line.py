"""The line: one connection, opened when needed, thrown away when it broke, never waited for on the UI thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject
from shiboken6 import isValid

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.ui.sync.line import Line


class Wire:
    """A transport that knows its number and whether it was closed."""

    def __init__(self, number: int) -> None:
        self.number, self.closed, self.threads = number, False, set[int]()

    def use(self) -> int:
        assert not self.closed
        self.threads.add(threading.get_ident())
        return self.number

    def close(self) -> None:
        self.closed = True


class Exchange:
    def __init__(self) -> None:
        self.wires: list[Wire] = []

    def open(self) -> Any:
        self.wires.append(Wire(len(self.wires)))
        return self.wires[-1]


@pytest.fixture
def line(qapp: Any) -> Iterator[Line]:
    made = Line("test")
    yield made
    made.close()


def broken(_transport: Any) -> None:
    raise PlannerError("sync.offline")


def test_one_connection_and_one_thread_for_many_calls(line: Line) -> None:
    exchange = Exchange()
    line.connect_by(exchange.open)
    assert [line.call(lambda wire: wire.use()).result(5) for _ in range(5)] == [0] * 5
    assert len(exchange.wires[0].threads) == 1
    assert threading.get_ident() not in exchange.wires[0].threads
    line.close()
    assert exchange.wires[0].closed


def test_a_broken_line_is_thrown_away_and_said(line: Line, qtbot: Any) -> None:
    exchange = Exchange()
    line.connect_by(exchange.open)
    assert line.call(lambda wire: wire.use()).result(5) == 0
    with qtbot.waitSignal(line.failed) as said, pytest.raises(PlannerError):
        line.call(broken).result(5)
    assert said.args[0].code == "sync.offline"
    assert exchange.wires[0].closed
    with qtbot.waitSignal(line.worked):
        assert line.call(lambda wire: wire.use()).result(5) == 1


def test_a_refusal_keeps_the_connection(line: Line) -> None:
    exchange = Exchange()
    line.connect_by(exchange.open)

    def refuse(_wire: Any) -> None:
        raise PlannerError("sync.denied")

    with pytest.raises(PlannerError):
        line.call(refuse).result(5)
    assert line.call(lambda wire: wire.use()).result(5) == 0


def test_another_address_closes_the_connection(line: Line) -> None:
    first, second = Exchange(), Exchange()
    line.connect_by(first.open)
    line.call(lambda wire: wire.use()).result(5)
    line.connect_by(second.open)
    line.call(lambda wire: wire.use()).result(5)
    assert first.wires[0].closed
    line.connect_by(None)
    with pytest.raises(PlannerError) as error:
        line.call(lambda wire: wire.use()).result(5)
    assert error.value.code == "sync.not_connected"
    assert second.wires[0].closed


def test_cancelling_ends_the_waiting_while_the_line_hangs(line: Line) -> None:
    exchange, hang = Exchange(), threading.Event()
    line.connect_by(exchange.open)
    with pytest.raises(Cancelled):
        line.wait(lambda _wire: hang.wait(10), lambda: True)
    hang.set()
    assert line.call(lambda wire: wire.use()).result(5) == 0


def test_answers_come_on_the_ui_thread(line: Line, qtbot: Any) -> None:
    line.connect_by(Exchange().open)
    told: list[tuple[Any, int]] = []
    line.ask(lambda wire: wire.use(), lambda n: told.append((n, threading.get_ident())), pytest.fail)
    line.ask(broken, pytest.fail, lambda e: told.append((e, threading.get_ident())))
    qtbot.waitUntil(lambda: len(told) == 2)
    assert {thread for _, thread in told} == {threading.get_ident()}


def test_a_line_may_go_while_its_thread_is_at_work(qtbot: Any) -> None:
    """A dialog is closed while the server has not answered: nothing is told, nothing crashes."""
    parent, hang, told = QObject(), threading.Event(), list[Any]()
    made = Line("going", parent)
    exchange = Exchange()
    made.connect_by(exchange.open)
    for _ in range(20):
        made.ask(lambda wire: hang.wait(5) and wire.use(), told.append, told.append)
    parent.deleteLater()
    qtbot.waitUntil(lambda: not isValid(made))
    hang.set()
    qtbot.waitUntil(lambda: exchange.wires[0].closed)  # and its connection is given back
    qtbot.wait(20)
    assert told == []
