from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from planner_app.plugin_api.viewport import Viewport
from planner_app.ui.canvas.background import Background
from planner_app.ui.canvas.scale_bar import bar_length


@pytest.fixture
def background(qtbot: Any) -> Iterator[Background]:
    made = Background()
    yield made
    made.close()


def test_work_runs_in_a_thread_and_is_delivered_on_the_ui_thread(background: Background, qtbot: Any) -> None:
    threads: list[threading.Thread] = []
    background.run("a", threading.current_thread, lambda worker: threads.extend([worker, threading.current_thread()]))
    qtbot.waitUntil(lambda: len(threads) == 2)
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()
    assert not background.busy("a")


def test_the_newest_of_a_kind_wins(background: Background, qtbot: Any) -> None:
    gate, ran, got = threading.Event(), [], []

    def work(number: int) -> int:
        gate.wait(5)
        ran.append(number)
        return number

    for number in range(10):
        background.run("a", lambda n=number: work(n), got.append)
    background.run("b", lambda: work(99), got.append)
    gate.set()
    qtbot.waitUntil(lambda: sorted(got) == [9, 99])
    assert len(ran) < 5


def test_errors_go_to_failed_or_the_log(background: Background, qtbot: Any, caplog: pytest.LogCaptureFixture) -> None:
    errors: list[Exception] = []
    background.run("a", lambda: 1 / 0, lambda _: None, errors.append)
    qtbot.waitUntil(lambda: len(errors) == 1)
    background.run("b", lambda: 1 / 0, lambda _: None)
    qtbot.waitUntil(lambda: "background work 'b' failed" in caplog.text)
    caplog.clear()


def test_dropped_work_and_work_after_the_end_deliver_nothing(background: Background, qtbot: Any) -> None:
    gate, got = threading.Event(), []
    background.run("a", lambda: gate.wait(5), got.append)
    background.drop("a")
    gate.set()
    background.close()
    background.run("a", lambda: 1, got.append)
    qtbot.wait(50)
    assert got == []


@pytest.mark.parametrize(("resolution", "metres"), [(1.0, 100), (0.02, 2), (0.4, 50), (30.0, 2000)])
def test_scale_bar_is_round_and_fits(resolution: float, metres: float) -> None:
    length, pixels = bar_length(Viewport(resolution=resolution, width=800, height=600))
    assert length == pytest.approx(metres)
    assert pixels == pytest.approx(metres / resolution)
    assert pixels <= 130
