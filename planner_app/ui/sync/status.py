"""How a project stands to the city server, in a word, an icon and a colour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr

if TYPE_CHECKING:
    from planner_app.sync.client.session import SyncState

Kind = Literal["local", "synced", "ahead", "behind", "conflicts", "offline", "syncing", "stopped"]

#: Icon and theme token of each kind.
LOOKS: dict[Kind, tuple[str, str]] = {
    "local": ("monitor", "secondary"),
    "synced": ("circle-check", "pass"),
    "ahead": ("cloud-upload", "accent"),
    "behind": ("cloud-download", "accent"),
    "conflicts": ("git-merge", "needs_certificate"),
    "offline": ("cloud-off", "cannot_judge"),
    "syncing": ("refresh-cw", "accent"),
    "stopped": ("cloud-alert", "fail"),
}


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """What pill and panel show.

    Attributes:
        to_push, to_pull: records waiting here and there; conflicts: records a person must choose in;
            quarantined: records the server does not take.
        last: when the last sync ended; since: when the line broke (both ISO 8601 UTC, or empty).
        fraction, stage: of the running sync. error: why syncing stopped.
    """

    kind: Kind = "local"
    to_push: int = 0
    to_pull: int = 0
    conflicts: int = 0
    quarantined: int = 0
    last: str = ""
    since: str = ""
    fraction: float | None = None
    stage: str = ""
    error: PlannerError | None = None

    @staticmethod
    def of(state: SyncState) -> SyncStatus:
        """As the file itself knows."""
        figures = (state.to_push, state.to_pull, state.conflicts, state.quarantined, state.last)
        if state.kind == "unregistered":
            return SyncStatus()
        if state.conflicts or state.quarantined:
            return SyncStatus("conflicts", *figures)
        return SyncStatus("behind" if state.to_pull else "ahead" if state.to_push else "synced", *figures)


def sentences(*parts: str) -> str:
    """Sentences one after the other, as the language sets them."""
    told = ""
    for part in filter(None, parts):
        told = tr("{sentence} {next}", sentence=told, next=part) if told else part
    return told


def moment(stamp: str) -> datetime | None:
    """A UTC time as a local one; None for what is no time."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone()


def short_time(stamp: str, today: datetime | None = None) -> str:
    """``14:02`` today, ``10-03 14:02`` this year, ``2025-10-03`` before; "" for what is no time."""
    when, now = moment(stamp), today or datetime.now().astimezone()
    if when is None:
        return ""
    if when.date() == now.date():
        return when.strftime("%H:%M")
    return when.strftime("%m-%d %H:%M" if when.year == now.year else "%Y-%m-%d")


def long_time(stamp: str) -> str:
    """``2026-10-03 14:02:11`` in the computer's zone; the text itself if it is no time."""
    when = moment(stamp)
    return when.strftime("%Y-%m-%d %H:%M:%S") if when is not None else stamp


def state_word(status: SyncStatus) -> str:
    """The state in the few words that fit a pill."""
    if status.kind == "synced":
        time = short_time(status.last)
        return tr("Synced · {time}", time=time) if time else tr("Synced")
    if status.kind == "ahead":
        return tr("{count} to push", count=f"{status.to_push:,}")
    if status.kind == "behind":
        return tr("{count} to pull", count=f"{status.to_pull:,}")
    if status.kind == "conflicts":
        count = status.conflicts + status.quarantined
        return tr("{count} to decide", count=f"{count:,}")
    if status.kind == "offline":
        time = short_time(status.since)
        return tr("Offline since {time}", time=time) if time else tr("Offline")
    if status.kind == "syncing":
        return tr("Syncing") if status.fraction is None else tr("Syncing {share}", share=f"{status.fraction:.0%}")
    return tr("Sync stopped") if status.kind == "stopped" else tr("Local file")


def state_sentence(status: SyncStatus) -> str:
    """What the state means, for a tooltip and the panel's head."""
    waiting = tr("Waiting here to be pushed: {count}.", count=f"{status.to_push:,}") if status.to_push else ""
    sentence = {
        "local": tr("This project lives in a file on this computer. It is not connected to a city server."),
        "synced": tr("Everything here and on the server is the same."),
        "ahead": waiting,
        "behind": sentences(
            tr("Waiting on the server, by others: {count}.", count=f"{status.to_pull:,}"), waiting
        ),
        "conflicts": _to_decide(status),
        "offline": sentences(
            tr("The server cannot be reached. Work on; everything is kept here and synced later."), waiting
        ),
        "syncing": tr("Changes go to the server and come from it; you can work on."),
        "stopped": tr("Syncing stopped and waits for you."),
    }  # fmt: skip
    return sentence[status.kind]


def _to_decide(status: SyncStatus) -> str:
    parts = []
    if status.conflicts:
        parts.append(tr("Clashing with edits of others: {count}.", count=f"{status.conflicts:,}"))
    if status.quarantined:
        parts.append(tr("Not taken by the server: {count}.", count=f"{status.quarantined:,}"))
    return sentences(*parts)
