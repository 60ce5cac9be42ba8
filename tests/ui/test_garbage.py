"""Cycles are collected on the window's thread, and Python's own collection is back when the window has gone."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from PySide6.QtCore import QObject

from planner_app.ui.garbage import Garbage


class _Knot:
    def __init__(self) -> None:
        self.me = self


def test_the_timer_collects_what_python_no_longer_does(qtbot: Any) -> None:
    keeper = QObject()
    garbage = Garbage(keeper)
    garbage.start()
    try:
        assert not gc.isenabled()
        knot = _Knot()
        gone = weakref.ref(knot)
        del knot
        assert gone() is not None
        waste = [[] for _ in range(gc.get_threshold()[0] + 10)]
        garbage.look()
        assert gone() is None
        assert waste
    finally:
        garbage.stop()
    assert gc.isenabled()
