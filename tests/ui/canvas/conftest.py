"""A map on a fake project and a fake engine, so that each test says what the engine answers and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from planner_app.ui.canvas.map_canvas import MapCanvas
from planner_app.ui.session import Session
from planner_app.ui.settings import Settings
from planner_app.ui.theme import Theme
from tests.ui.canvas.fake_town import Bench, FakeEngine, FakeProject, Table, line_layer, parcels_layer


@pytest.fixture
def make_bench(qtbot: Any, tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*tables: Table, open_project: bool = True) -> Bench:
        engine = FakeEngine()
        session = Session(Settings(path=tmp_path / "settings.toml"), Theme("light"), engine)  # type: ignore[arg-type]
        project = FakeProject(*tables)
        canvas = MapCanvas(session)
        canvas.resize(800, 600)
        qtbot.addWidget(canvas)
        canvas.show()
        qtbot.waitExposed(canvas)
        if open_project:
            session.adopt(project)  # type: ignore[arg-type]
        made.append(Bench(canvas, session, project, engine, qtbot))
        return made[-1]

    yield make
    for bench in made:
        bench.canvas.close_canvas()
        bench.session.shutdown()


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """The town with its first picture shown in red."""
    bench = make_bench(line_layer(), parcels_layer())
    bench.settle()
    return bench
