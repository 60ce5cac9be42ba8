"""Writing an opinion: .pdf, .docx and .html for people, .json sealed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project, RenderMap
from planner_app.report.paper import write_paper
from plugins.review.model.cases import store
from plugins.review.model.opinion.build import build_opinion
from plugins.review.model.opinion.document import opinion_paper
from plugins.review.model.opinion.seal import Sealed, read_sealed, seal, sealed_bytes
from plugins.review.model.opinion.signing import OpinionState, load_sealed, opinion_state
from plugins.review.model.opinion.types import Opinion

SUFFIXES = (".pdf", ".docx", ".html", ".json")


@dataclass(frozen=True, slots=True)
class Written:
    """An opinion as files. ``sha256``: of each; ``state``: of the drawing's opinion (draft, reviewed, signed)."""

    sha256: tuple[str, ...]
    seal: str
    number: str
    state: OpinionState


def write_opinion(
    opinion: Opinion | Sealed, path: Path, *, outdated: Sequence[str] = (), superseded: bool = False
) -> str:
    """Write an opinion in the format of the path's suffix; what people read is made from the sealed content.

    Args:
        outdated, superseded: shown across every page; see :func:`opinion_paper`.

    Returns:
        SHA-256 of the file.

    Raises:
        PlannerError: ``report.format_unknown``, ``report.not_written``, ``report.text_layer``,
            ``review.opinion_signed_file`` (a signed opinion stands there and is not overwritten by another).
    """
    suffix = path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise PlannerError("report.format_unknown", file=path.name, known=", ".join(SUFFIXES))
    sealed = opinion if isinstance(opinion, Sealed) else seal(opinion)
    if suffix == ".json":
        _keep_signed(path, sealed)
        _write(path, sealed_bytes(sealed))
    else:
        write_paper(opinion_paper(sealed, outdated=outdated, superseded=superseded), path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep_signed(path: Path, sealed: Sealed) -> None:
    """A signed opinion is superseded by another file, never overwritten."""
    try:
        there = read_sealed(path) if path.is_file() else None
    except PlannerError:  # whatever else stands there is an ordinary file
        return
    if there is not None and there.signed and there.seal != sealed.seal:
        raise PlannerError("review.opinion_signed_file", file=path.name, number=there.content["about"]["number"])


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: a torn sealed file would look like a forged one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise PlannerError("report.not_written", file=str(path), detail=error.strerror or str(error)) from error


def export_opinion(
    project: Project,
    drawing_ref: str,
    *paths: Path,
    rules: Sequence[Rule],
    render_map: RenderMap | None = None,
    approved: str = "",
    parcel: str = "",
    on: date | None = None,
    embed: bool = True,
    progress: Progress | None = None,
) -> Written:
    """Write the opinion on a drawing: the signed one while it still holds, else a draft of what it would be now.

    Args:
        paths: one file or several, all of the same opinion with the same seal.

    Raises:
        PlannerError: what :func:`build_opinion` and :func:`write_opinion` refuse. Cancelled.
    """
    progress = progress or NoProgress()
    for path in paths:
        if path.suffix.casefold() not in SUFFIXES:  # before the work, not after it
            raise PlannerError("report.format_unknown", file=path.name, known=", ".join(SUFFIXES))
    record = store.drawing(project, drawing_ref)
    state = opinion_state(project, record)
    if state.seal and not state.outdated:
        sealed = load_sealed(project, state.seal, embed=embed)
    else:
        opinion = build_opinion(
            project, record.id, rules=rules, render_map=render_map, approved=approved, parcel=parcel, on=on,
            progress=SubProgress(progress, 0.0, 0.8),
        )  # fmt: skip
        sealed = seal(opinion if embed else replace(opinion, inputs=replace(opinion.inputs, drawings={})))
    progress.update(0.82, "stage.review_opinion")
    written = tuple(write_opinion(sealed, path) for path in paths)
    progress.update(1.0)
    return Written(written, sealed.seal, sealed.content["about"]["number"], state)
