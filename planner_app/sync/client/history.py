"""Bringing back what a record, a place or a layer was after a revision, as a new command that can be undone."""

from __future__ import annotations

from planner_app.domain.changeset import ChangeSet
from planner_app.project import Project
from planner_app.sync.transport import Transport
from planner_app.sync.types import Scope


def restore(
    project: Project, transport: Transport, layer: str, revision: int, *, uuids: list[str] | None = None,
    scope: Scope | None = None,
) -> ChangeSet:  # fmt: skip
    """Write the records of a layer as they were after a revision: those named, those in the area, or all.

    Records that did not exist then are deleted where they are named or all are meant.

    Args:
        layer: the layer's id here.

    Raises:
        PlannerError: ``layer.unknown``, ``layer.locked``, ``layer.no_right``, ``sync.revision_unknown``.
    """
    raise NotImplementedError
