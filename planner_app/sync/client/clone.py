"""A new project file of what a server has."""

from __future__ import annotations

import glob
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress
from planner_app.project import Project, lifecycle, replica
from planner_app.sync.client import files, looks, pulling, readings, standing
from planner_app.sync.transport import Transport
from planner_app.sync.types import ProjectDef, Scope

#: A file that was last written to so many seconds ago is nobody's any more.
_STALE: Final = 3600.0


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

    It is made beside its place and then renamed, so that it is whole or not there.

    Raises:
        PlannerError: ``sync.no_such_project``, ``project.exists`` and what creating a file raises.
        Cancelled: nothing is left.
    """
    there = _find(transport, project_name)
    if path.exists():
        raise PlannerError("project.exists", file=str(path))
    _sweep(path)
    making = lifecycle.beside(path)
    try:
        lifecycle.create(making, there.crs, there.name)
        with Project.open(making, alone=True) as project:
            with project.door.write(relaxed=True) as connection:
                connection.execute("UPDATE planner_meta SET value = ? WHERE key = 'uuid'", (there.uuid,))
                replica.put(connection, project=there.uuid, client_id=uuid.uuid4(), server=server)
                standing.remember_scope(connection, scope or Scope())
            pulling.pull(project, transport, progress or NoProgress())
            looks.arrange(project)
            files.heads(project, transport)
            readings.fetch(project, transport, progress or NoProgress())
        lifecycle.put_in_place(making, path)
    except PlannerError as error:
        if error.params.get("file") == str(making):
            raise PlannerError(error.code, **(error.params | {"file": str(path)})) from error
        raise
    except OSError as error:
        raise PlannerError("project.cannot_write", file=str(path), detail=str(error)) from error
    finally:
        for rest in ("", "-journal"):
            with suppress(OSError):
                making.with_name(making.name + rest).unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what clones to this place left that were killed: nobody has written to it for long."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.new"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE:
                left.unlink()


def layers_named(transport: Transport, project_name: str, wanted: Iterable[str]) -> frozenset[str]:
    """Layers of a project on the server by name, table or UUID.

    Raises:
        PlannerError: ``sync.no_such_project``, ``sync.no_projects``, ``sync.layers_unknown`` naming those there are,
            ``sync.no_layers``.
    """
    there = _find(transport, project_name)
    with transport.pull(there.uuid, 0) as state:
        layers = list(state.layers)
    found: set[str] = set()
    for name in wanted:
        named = {one.uuid for one in layers if name in (one.uuid, one.cells.get("name"), one.table)}
        if not named:
            known = ", ".join(one.cells.get("name") or one.table for one in layers)
            raise PlannerError("sync.layers_unknown" if known else "sync.no_layers", layer=name, known=known)
        found |= named
    return frozenset(found)


def _find(transport: Transport, project_name: str) -> ProjectDef:
    known = transport.hello().projects
    found = [one for one in known if project_name in (one.name, one.uuid)]
    if not found:
        names = ", ".join(one.name for one in known)
        raise PlannerError("sync.no_such_project" if names else "sync.no_projects", project=project_name, known=names)
    return found[0]
