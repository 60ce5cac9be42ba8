"""Trace, isolate, clearances, emergencies: what would happen, on the map and in cards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugins.tunnel.ui.analysis.page import AnalysisPage
    from plugins.tunnel.ui.state import TunnelState


def install(state: TunnelState, page: Callable[[], AnalysisPage]) -> None:
    """Offer the tasks by name: ``trace``, ``isolate`` and ``emergency`` take a place such as ``line:12``.

    Args:
        page: opens the analysis page and returns it.
    """

    def ask(task: str, *arguments: str) -> None:
        page().ask(task, *arguments)

    for task in ("trace", "isolate", "clearance", "emergency"):
        state.commands[task] = partial(ask, task)
