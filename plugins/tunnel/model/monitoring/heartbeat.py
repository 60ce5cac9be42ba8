"""A running ``planner tunnel watch`` says so in the project file, for every window that has it open on any machine."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, fields
from typing import Any

from planner_app.plugin_api.model import Project

_KEY = "tunnel.watch"
#: How often a collector writes, s; silent for so long it counts as gone, ms.
EVERY_S, LOST_MS = 10.0, 45_000


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a collector last said of itself.

    Attributes:
        broker: address; host, pid: where it runs; started, at, ended: Unix ms (``ended`` 0 while it runs).
        connected: to the broker; stored: readings since its start; waiting: bytes that are not in the file yet.
    """

    broker: str
    host: str = ""
    pid: int = 0
    started: int = 0
    at: int = 0
    ended: int = 0
    connected: bool = False
    stored: int = 0
    waiting: int = 0

    def alive(self, now: int) -> bool:
        """True if it spoke lately and did not say good-bye; a clock that is ahead of ours is no sign of death."""
        return not self.ended and now - self.at <= LOST_MS


def write_heartbeat(project: Project, beat: Heartbeat) -> None:
    """Keep the sign of life.

    Raises:
        PlannerError: the file cannot be written now.
    """
    project.set_setting(_KEY, json.dumps(asdict(beat), ensure_ascii=False))


def read_heartbeat(project: Project) -> Heartbeat | None:
    """The last collector's sign of life; None if there never was one."""
    text = project.setting(_KEY)
    if not text:
        return None
    try:
        found: dict[str, Any] = json.loads(text)
        return Heartbeat(**{one.name: found[one.name] for one in fields(Heartbeat) if one.name in found})
    except (ValueError, TypeError, AttributeError):
        return None


def now_ms() -> int:
    """This moment."""
    return round(time.time() * 1000)
