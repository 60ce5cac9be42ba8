"""A new project file of what a server has."""

from __future__ import annotations

from pathlib import Path

from planner_app.domain.progress import Progress
from planner_app.sync.transport import Transport
from planner_app.sync.types import Scope


def clone(
    transport: Transport,
    project_name: str,
    path: Path,
    scope: Scope | None = None,
    progress: Progress | None = None,
    *,
    server: str = "",
) -> None:
    """Make a project file of a project on the server, all of it or the layers and the area of ``scope``.

    Raises:
        PlannerError: ``sync.project_unknown``, ``project.exists`` and what creating a file raises.
        Cancelled: nothing is left.
    """
    raise NotImplementedError
