"""What our issues' values are called in BCF files, and what other programs' values mean here."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

from plugins.review.model.cases.records import IssueStatus
from plugins.review.model.exchange.topics import Snippet

#: How our own data of an issue travels: a BimSnippet of this type, JSON, in this form.
SNIPPET, SNIPPET_FILE = "PlanningReviewIssue", "planning-review-issue.json"
SNIPPET_FORM = "urn:planner:review-issue:1"
TOPIC_KIND = "Planning review"

STATUS = {
    IssueStatus.OPEN: "Open", IssueStatus.NEEDS_DRAWING: "Needs drawing", IssueStatus.ANSWERED: "Answered",
    IssueStatus.CLOSED: "Closed",
}  # fmt: skip
_STATUSES = {
    IssueStatus.OPEN: "open new active reopened assigned inprogress inreview todo 待回复 打开 新建 进行中",
    IssueStatus.NEEDS_DRAWING: "needsdrawing needsinformation waiting onhold 待补图",
    IssueStatus.ANSWERED: "answered resolved solved fixed done finished readyforreview 已答复 已解决",
    IssueStatus.CLOSED: "closed approved verified rejected cancelled canceled void archived 已关闭 关闭",
}
_PRIORITIES = {
    "low": "low minor trivial onhold 低",
    "high": "high critical major urgent blocker veryhigh 高 紧急",
}
PRIORITY = {"low": "Low", "normal": "Normal", "high": "High"}


def status_meant(text: str) -> IssueStatus | None:
    """Our status for another program's word; None for words not known."""
    return next((status for status, words in _STATUSES.items() if _plain(text) in words.split()), None)


def priority_meant(text: str) -> str:
    """Our priority for another program's word."""
    return next((ours for ours, words in _PRIORITIES.items() if _plain(text) in words.split()), "normal")


def moment(text: str) -> str:
    """A time as records keep it: ISO 8601, UTC, seconds; "" for what is none."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return ""
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return found.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def day(text: str) -> str:
    """The date of a due date, as it was written where it was written; "" for none."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return ""


def due_time(due: str) -> str:
    """A due date as a time: noon, which is the same day almost everywhere."""
    return f"{day(due)}T12:00:00Z" if day(due) else ""


def snippet_of(data: dict[str, Any]) -> Snippet:
    """Our own data as a snippet."""
    content = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True).encode()
    return Snippet(SNIPPET, SNIPPET_FILE, SNIPPET_FORM, content)


def snippet_data(content: bytes | None) -> dict[str, Any]:
    """Our own data from a snippet's content; empty where it is not ours or was broken on its way."""
    if not content:
        return {}
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) and data.get("form") == SNIPPET_FORM else {}


def _plain(text: str) -> str:
    return re.sub(r"[\s_\-./]+", "", text).casefold()
