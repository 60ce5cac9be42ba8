"""The sections of a sealed opinion that are records of the project: what makes an opinion outdated when it changes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from planner_app.plugin_api.model import Project
from plugins.review.model.cases import store
from plugins.review.model.cases.records import Case, Comment, DrawingRecord, Issue, Markup, OutsideReport
from plugins.review.model.opinion.canonical import plain
from plugins.review.model.opinion.types import Thread

#: Sections that :func:`record_sections` makes.
RECORDS = ("case", "drawing", "chain", "issues", "markups", "reports")


def without(value: Any, *names: str) -> dict[str, Any]:
    """A record as JSON types without some of its fields."""
    return {key: one for key, one in plain(value).items() if key not in names}


def record_json(record: DrawingRecord) -> dict[str, Any]:
    """A drawing's record without what a later reading writes into it."""
    return without(record, "summary", "wkb")


def sections(
    case: Case,
    record: DrawingRecord,
    chain: Sequence[DrawingRecord],
    threads: Iterable[Thread],
    markups: Iterable[Markup],
    reports: Iterable[OutsideReport],
) -> dict[str, Any]:
    """Records as the sealed opinion holds them. A case's status is left out: signing changes it."""
    return {
        "case": without(case, "status"),
        "drawing": record_json(record),
        "chain": [record_json(one) for one in chain],
        "issues": [{**plain(one.issue), "comments": plain(one.comments)} for one in threads],
        "markups": plain(list(markups)),
        "reports": plain(list(reports)),
    }


def record_sections(project: Project, record: DrawingRecord) -> dict[str, Any]:
    """The same sections as the project has them now."""
    fresh = store.drawing(project, record.id)
    case = store.case(project, fresh.case_id)
    chain = store.revisions(project, fresh)
    return sections(case, fresh, chain, *said(project, case, chain), store.reports(project, case.id))


def said(project: Project, case: Case, chain: Sequence[DrawingRecord]) -> tuple[list[Thread], list[Markup]]:
    """What was said about a drawing: issues of the case on any of its revisions (or on no drawing) with their threads,
    and the marks that belong to them or stand on those drawings or on the map."""
    ids = {"", *(one.id for one in chain)}
    others = {one.id for one in store.drawings(project, case.id)} - ids
    by_issue: dict[str, list[Comment]] = {}
    for comment in store.comments(project):
        by_issue.setdefault(comment.issue_id, []).append(comment)
    issues: list[Issue] = [one for one in store.issues(project, case.id) if one.drawing_id not in others]
    threads = [Thread(one, tuple(by_issue.get(one.id, ()))) for one in issues]
    known = {one.id for one in issues}
    marks = [
        one
        for one in store.markups(project, case.id)
        if one.drawing_id not in others and (not one.issue_id or one.issue_id in known)
    ]
    return threads, marks
