"""Attachments by their hash: up before the records that name them, their heads down, content when it is wanted."""

from __future__ import annotations

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.project import Project, attachments, replica
from planner_app.project.connection import patiently
from planner_app.sync.transport import Transport
from planner_app.sync.types import Blob


def known(project: Project) -> dict[str, Blob]:
    """Attachments that the server has, as of the last look."""
    with project.door.read() as connection:
        rows = patiently(
            lambda: connection.execute(
                "SELECT sha256, name, media_type, size, chunks FROM planner_replica_blob"
            ).fetchall(),
            project.path,
        )
    return {row[0]: Blob(*row) for row in rows}


def heads(project: Project, transport: Transport) -> None:
    """Learn which attachments the server has."""
    with project.door.read() as connection:
        key = replica.get(connection, "project")
    there, before = transport.blobs(key), known(project)
    new = [(b.sha256, b.name, b.media_type, b.size, b.chunks) for b in there if b.sha256 not in before]
    if new:
        with project.door.write(relaxed=True) as connection:
            connection.executemany("INSERT OR IGNORE INTO planner_replica_blob VALUES (?, ?, ?, ?, ?)", new)


def send(project: Project, transport: Transport, progress: Progress) -> None:
    """Send attachments that the server lacks, piece by piece; pieces that arrived are not sent again."""
    there = known(project)
    mine = [one for one in project.attachments() if one.sha256 not in there]
    if not mine:
        return
    with project.door.read() as connection:
        key = replica.get(connection, "project")
    total, done = max(1, sum(one.size for one in mine)), 0
    for one in mine:
        number, _ = attachments.get(project.door, one.sha256)
        count = max(1, -(-one.size // attachments.PIECE)) if one.size else 0
        blob = Blob(one.sha256, one.name, one.media_type, one.size, count)
        have = transport.blob_pieces(key, one.sha256)
        for at in range(count):
            check(progress)
            if have is not None and at not in have:
                data = attachments.piece(project.door, number, at)
                transport.put_piece(key, one.sha256, at, data or b"")
            done += attachments.PIECE
            progress.update(min(1.0, done / total), "stage.sync_files")
        if have is not None:
            transport.finish_blob(key, blob)
        with project.door.write(relaxed=True) as connection:
            connection.execute(
                "INSERT OR IGNORE INTO planner_replica_blob VALUES (?, ?, ?, ?, ?)",
                (blob.sha256, blob.name, blob.media_type, blob.size, blob.chunks),
            )


def fetch(project: Project, transport: Transport, sha256: str, progress: Progress) -> None:
    """Bring an attachment's content into the file.

    Raises:
        PlannerError: ``attachment.missing``, ``attachment.damaged``.
    """
    if any(one.sha256 == sha256 for one in project.attachments()):
        return
    blob = known(project).get(sha256)
    if blob is None:
        heads(project, transport)
        blob = known(project).get(sha256)
    if blob is None:
        raise PlannerError("attachment.missing", sha256=sha256)
    with project.door.read() as connection:
        key = replica.get(connection, "project")
    number, have = attachments.fetching(project.door, sha256, blob.name, blob.media_type)
    for at in range(blob.chunks):
        check(progress)
        if at not in have:
            attachments.keep_piece(project.door, number, at, transport.get_piece(key, sha256, at))
        progress.update((at + 1) / blob.chunks, "stage.sync_files")
    attachments.fetched(project.door, number, sha256)
