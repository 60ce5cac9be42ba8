"""Selection, jobs and settings without a window."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import shapely
from PySide6.QtCore import QThread

from planner_app.domain.errors import Cancelled, PlannerError
from planner_app.domain.layer import FieldInfo, NewLayer
from planner_app.domain.progress import Progress, check
from planner_app.project import Batch, Command, Transaction
from planner_app.ui.jobs import JobRunner
from planner_app.ui.session import SelectionModel
from planner_app.ui.settings import Settings


def test_selection_replaces_adds_and_toggles(qtbot: Any) -> None:
    selection = SelectionModel()
    heard: list[int] = []
    selection.changed.connect(lambda: heard.append(selection.count()))
    selection.set("a", [3, 1, 3])
    assert selection.fids("a") == (3, 1)
    selection.set("b", [7])
    assert selection.layer_ids() == ("b",)
    selection.add("a", [5])
    assert selection.count() == 2
    selection.toggle("b", [7, 8])
    assert selection.fids("b") == (8,)
    selection.toggle("b", [8])
    assert selection.layer_ids() == ("a",)
    before = len(heard)
    selection.set("a", [5])
    assert len(heard) == before  # nothing changed, nothing is announced
    selection.clear()
    assert heard[-1] == 0


def test_job_finishes_on_the_ui_thread(qtbot: Any) -> None:
    runner = JobRunner()
    seen: dict[str, Any] = {}

    def work(progress: Progress) -> int:
        seen["work"] = threading.get_ident()
        progress.update(0.5, "stage.opening")
        return 42

    def done(result: int) -> None:
        seen["done"], seen["result"] = threading.get_ident(), result
        seen["qt"] = QThread.currentThread() is runner.thread()

    job = runner.run("count", work, done)
    qtbot.waitUntil(lambda: "done" in seen, timeout=5000)
    assert seen["result"] == 42
    assert seen["qt"]
    assert seen["work"] != seen["done"]
    assert (job.state, job.fraction, job.stage) == ("done", 0.5, "stage.opening")


def test_cancelling_stops_within_a_second_and_says_nothing(qtbot: Any) -> None:
    runner = JobRunner()
    failures: list[Exception] = []
    runner.failed_unhandled.connect(failures.append)
    started = threading.Event()

    def work(progress: Progress) -> None:
        started.set()
        while True:
            check(progress)
            time.sleep(0.01)

    job = runner.run("endless", work, lambda _: pytest.fail("done was called"))
    assert started.wait(5)
    job.cancel()
    qtbot.waitUntil(lambda: job.state == "cancelled", timeout=1000)
    assert failures == []
    assert isinstance(job.error, Cancelled)


def test_unhandled_error_of_a_job_is_announced(qtbot: Any) -> None:
    runner = JobRunner()
    failures: list[Exception] = []
    runner.failed_unhandled.connect(failures.append)

    def work(_progress: Progress) -> None:
        raise PlannerError("layer.unknown", layer="x", known="")

    runner.run("bad", work)
    qtbot.waitUntil(lambda: bool(failures), timeout=5000)
    assert isinstance(failures[0], PlannerError)


def test_shutdown_cancels_what_runs(qtbot: Any) -> None:
    runner = JobRunner()
    started = threading.Event()

    def work(progress: Progress) -> None:
        started.set()
        while not progress.is_cancelled():
            time.sleep(0.01)

    runner.run("endless", work)
    assert started.wait(5)
    assert runner.shutdown(2.0)


def test_shutdown_does_not_wait_for_what_never_began() -> None:
    runner = JobRunner()
    hold = threading.Event()
    for _ in range(20):  # more than there are threads
        runner.run("waits", lambda job: hold.wait(10))
    threading.Timer(0.2, hold.set).start()
    started = time.monotonic()
    assert runner.shutdown(5.0)
    assert time.monotonic() - started < 3


def test_settings_survive_and_keep_defaults_for_what_is_missing(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)
    assert settings.language == "system"
    settings.language = "zh_CN"
    settings.columns = [1, 2, 3]
    settings.plugins["planning.min_area"] = 2.5
    settings.plugins['quo"te'] = '滨海 \\ "新城"\n'
    settings.remember_project(tmp_path / "a.sqlite", "甲\t乙", "EPSG:4549")
    again = Settings.load(tmp_path)
    assert again == settings
    (tmp_path / "settings.toml").write_text("theme = 7\nlanguage = 'en'\nfuture = 1\n", encoding="utf-8")
    partial = Settings.load(tmp_path)
    assert (partial.theme, partial.language) == ("system", "en")
    (tmp_path / "settings.toml").write_text("not toml [", encoding="utf-8")
    assert Settings.load(tmp_path) == Settings(path=tmp_path / "settings.toml")


def test_recent_list_moves_the_newest_up_and_is_bounded(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)
    for number in range(20):
        settings.remember_project(tmp_path / f"{number}.sqlite", str(number), "EPSG:4549")
    settings.remember_project(tmp_path / "15.sqlite", "15", "EPSG:4549")
    assert Path(settings.recent[0]).name == "15.sqlite"
    assert len(settings.recent) == len(settings.recent_info) == 12
    assert len(set(settings.recent)) == 12


def test_after_the_end_nothing_is_active_though_not_all_was_told(qtbot: Any) -> None:
    """A window that closes right after the shut-down must not ask about jobs that have ended."""
    runner = JobRunner()
    runner.run("wait", lambda progress: progress.is_cancelled())
    assert runner.active()
    assert runner.shutdown()
    assert runner.active() == []


@dataclass(frozen=True)
class _MakeAndFill(Command):
    """A layer and its first feature in one step, as plugins make their tables."""

    name: ClassVar[str] = "make_and_fill"

    def params(self) -> dict[str, Any]:
        return {}

    def apply(self, tx: Transaction) -> None:
        layer = tx.create_layer(NewLayer("施工", "point", (FieldInfo("name", "text"),)), table="work")
        tx.insert(layer.id, Batch([shapely.to_wkb(shapely.Point(500000, 2860000))], {"name": ["坑"]}))


def test_a_layer_that_an_undo_takes_away_takes_its_selection_along(opened: Any) -> None:
    session = opened.session
    other = session.project.layers()[0].id
    session.project.execute(_MakeAndFill())
    session.selection.replace({"work": [1], other: [2]})
    session.undo()
    assert session.selection.layer_ids() == (other,)
    session.redo()
    assert session.project.layer("work").name == "施工"
