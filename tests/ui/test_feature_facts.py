"""Lines that plugins add to the form of a feature: computed off the UI thread, a way to what they speak of."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QLabel, QPushButton

from planner_app.domain.errors import PlannerError
from planner_app.plugin_api.ui import FeatureFact, FeatureFacts


def test_facts_of_plugins(desktop: Any, town: Path, qtbot: Any) -> None:
    session, threads = desktop.session, []
    shown: list[tuple[str, tuple[int, ...]]] = []

    def facts(project: Any, layer_id: str, fid: int) -> list[FeatureFact]:
        threads.append(threading.current_thread())
        return [FeatureFact("Water", f"main of {fid}", layer_id, (3,)), FeatureFact("Missing", "gas")]

    def broken(project: Any, layer_id: str, fid: int) -> list[FeatureFact]:
        raise PlannerError("layer.unknown", layer="x", known="")

    def show(layer: str, fids: Any) -> None:
        shown.append((layer, tuple(fids)))

    session.feature_facts = [
        (FeatureFacts("a", "Services", lambda layer: layer.name == "规划用地", facts), show),
        (FeatureFacts("b", "Nobody", lambda layer: False, broken), show),
        (FeatureFacts("c", "Broken", lambda layer: layer.name == "规划用地", broken), show),
    ]
    with qtbot.waitSignal(session.project_changed, timeout=10_000):
        session.open_project(town)
    layer = next(one for one in session.project.layers() if one.name == "规划用地")
    session.selection.set(layer.id, [2])
    desktop.window.open_panel("feature")

    def texts(kind: type) -> list[str]:
        return [one.text() for one in desktop.window.task.findChildren(kind) if not one.isHidden()]

    qtbot.waitUntil(lambda: "main of 2" in texts(QPushButton) and "Broken" in texts(QLabel), timeout=5000)
    assert {"Services", "Water", "Missing", "gas"} <= set(texts(QLabel))
    assert "Nobody" not in texts(QLabel)
    assert threads[0] is not threading.main_thread()
    next(one for one in desktop.window.task.findChildren(QPushButton) if one.text() == "main of 2").click()
    assert shown == [(layer.id, (3,))]
    other = next(one for one in session.project.layers() if one.name == "农田")
    session.selection.set(other.id, [1])
    qtbot.waitUntil(lambda: "Services" not in texts(QLabel), timeout=5000)
