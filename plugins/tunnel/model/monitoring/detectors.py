"""Detectors: each watches one sensor for one rule, reading by reading. The same code judges live and in a replay.

Times are Unix milliseconds. A detector is fed readings in time order and told the time between them (``wait``), so
that silence raises an alarm as well. It answers with what changed: ``Raised`` or ``Cleared``.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

MINUTE = 60_000
#: A reading that is bad or missing says nothing about the quantity.
BAD = 2


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm begins: at which time, and the value that did it (None for silence)."""

    ts: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Cleared:
    """An alarm ends."""

    ts: int


Change = Raised | Cleared


class Detector(Protocol):
    """What watches one sensor."""

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        """A reading; ``value`` is NaN where there is none."""

    def wait(self, now: int) -> list[Change]:
        """Time goes by without a reading."""

    def resume(self) -> None:
        """An alarm from before a restart stands: the next change is its end."""


class _Held:
    """A condition that must last ``delay`` before the alarm is raised, and stay away as long before it is cleared."""

    def __init__(self, delay: int, clear_delay: int) -> None:
        self.delay, self.clear_delay = delay, clear_delay
        self.active = False
        self._since: int | None = None
        self._value: float | None = None

    def judge(self, ts: int, value: float | None, met: bool, gone: bool) -> list[Change]:
        """``met``: the condition holds now; ``gone``: it is safely over (with hysteresis both may be false)."""
        wanted = gone if self.active else met
        if not wanted:
            self._since = None
            return []
        if self._since is None:
            self._since, self._value = ts, value
        if ts - self._since < (self.clear_delay if self.active else self.delay):
            return []
        began, self._since = self._since, None
        self.active = not self.active
        return [Raised(ts, value if self.delay else self._value)] if self.active else [Cleared(began)]


class Limit:
    """Above ``high`` or below ``low`` for ``delay_s``; over when it is back by ``hysteresis`` for ``clear_s``."""

    def __init__(
        self,
        high: float = math.inf,
        low: float = -math.inf,
        hysteresis: float = 0.0,
        delay_s: float = 0.0,
        clear_s: float = 0.0,
        inclusive: bool = True,
    ) -> None:
        self.high, self.low, self.hysteresis, self.inclusive = high, low, hysteresis, inclusive
        self._held = _Held(int(delay_s * 1000), int(clear_s * 1000))

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value) or quality >= BAD:
            return []
        met = (value >= self.high or value <= self.low) if self.inclusive else (value > self.high or value < self.low)
        gone = self.low + self.hysteresis < value < self.high - self.hysteresis
        return self._held.judge(ts, value, met, gone)

    def wait(self, now: int) -> list[Change]:
        return []

    def resume(self) -> None:
        self._held.active = True


class Rise:
    """Rises (``per_hour`` > 0) or falls (< 0) faster than so much an hour over ``window_s``: a leak before its [...]"""

    def __init__(self, per_hour: float, window_s: float = 1800.0, clear_s: float = 900.0) -> None:
        self.per_hour, self.window = per_hour, int(window_s * 1000)
        self._held = _Held(0, int(clear_s * 1000))
        self._kept: deque[tuple[int, float]] = deque()

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value) or quality >= BAD:
            return []
        self._kept.append((ts, value))
        while self._kept and ts - self._kept[0][0] > self.window:
            self._kept.popleft()
        first, since = self._kept[0]
        if ts - first < self.window * 0.6:  # too short a piece to tell a slope from noise
            return self._held.judge(ts, value, False, False)
        slope = (value - since) / ((ts - first) / 3_600_000)
        met = slope >= self.per_hour if self.per_hour > 0 else slope <= self.per_hour
        return self._held.judge(ts, value, met, not met)

    def wait(self, now: int) -> list[Change]:
        return []

    def resume(self) -> None:
        self._held.active = True


class Flatline:
    """Has not moved by more than ``span`` for ``hours``: a sensor that is stuck."""

    def __init__(self, hours: float, span: float = 0.0, least: int = 8) -> None:
        self.length, self.span, self.least = int(hours * 3_600_000), span, least
        self.active = False
        self._since: int | None = None
        self._low = self._high = math.nan
        self._count = 0

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value):
            return []
        low = value if self._since is None else min(self._low, value)
        high = value if self._since is None else max(self._high, value)
        if high - low > self.span:
            self._since, self._low, self._high, self._count = ts, value, value, 1
            if self.active:
                self.active = False
                return [Cleared(ts)]
            return []
        if self._since is None:
            self._since = ts
        self._low, self._high, self._count = low, high, self._count + 1
        if not self.active and ts - self._since >= self.length and self._count >= self.least:
            self.active = True
            return [Raised(ts, value)]
        return []

    def wait(self, now: int) -> list[Change]:
        return []

    def resume(self) -> None:
        self.active = True


class Missing:
    """Silent, or sending nothing but bad readings, for longer than ``after_s`` and than ``intervals`` times its usual
    interval (the median of the last ones), so that a gauge read once a day is not missed every hour."""

    def __init__(self, after_s: float, intervals: float = 4.0) -> None:
        self._least, self.intervals = int(after_s * 1000), intervals
        self.active = False
        self._last: int | None = None
        self._usual: deque[int] = deque(maxlen=15)

    @property
    def after(self) -> int:
        """Silence in ms that is too long."""
        usual = sorted(self._usual)[len(self._usual) // 2] if self._usual else 0
        return max(self._least, int(self.intervals * usual))

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value) or quality >= BAD:
            return self.wait(ts)
        changes = self.wait(ts) if len(self._usual) or self._last is None else []
        if self._last is not None and ts > self._last:
            self._usual.append(ts - self._last)
        self._last = ts if self._last is None else max(self._last, ts)
        if self.active:
            self.active = False
            changes.append(Cleared(ts))
        return changes

    def wait(self, now: int) -> list[Change]:
        if self._last is None:
            self._last = now
        if not self.active and now - self._last > self.after:
            self.active = True
            return [Raised(self._last + self.after, None)]
        return []

    def resume(self) -> None:
        self.active = True


class Outlier:
    """Further from the median of the last ``window`` readings than ``times`` their spread (MAD), ``in_a_row`` times."""

    def __init__(self, times: float = 6.0, window: int = 96, least: float = 0.0, in_a_row: int = 1) -> None:
        self.times, self.window, self.least, self.in_a_row = times, window, least, in_a_row
        self._kept: deque[float] = deque(maxlen=window)
        self._out = self._in = 0
        self.active = False

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value) or quality >= BAD:
            return []
        changes: list[Change] = []
        if len(self._kept) >= self.window // 2:
            ordered = sorted(self._kept)
            middle = ordered[len(ordered) // 2]
            spread = sorted(abs(one - middle) for one in ordered)[len(ordered) // 2] * 1.4826
            out = abs(value - middle) > max(self.times * spread, self.least)
            self._out, self._in = (self._out + 1, 0) if out else (0, self._in + 1)
            if not self.active and self._out >= self.in_a_row:
                self.active = True
                changes.append(Raised(ts, value))
            elif self.active and self._in >= 4:
                self.active = False
                changes.append(Cleared(ts))
        self._kept.append(value)
        return changes

    def wait(self, now: int) -> list[Change]:
        return []

    def resume(self) -> None:
        self.active = True


class Neighbours:
    """Differs by more than ``more_than`` from the median of its neighbours for ``delay_s``: one of them is wrong,
    or the
    trouble is here alone. Needs ``least`` neighbours heard within ``fresh_s``."""

    def __init__(
        self,
        heard: Callable[[int], list[float]],
        more_than: float,
        delay_s: float = 3600.0,
        least: int = 2,
    ) -> None:
        self._heard, self.more_than, self.least = heard, more_than, least
        self._held = _Held(int(delay_s * 1000), int(delay_s * 1000))

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value) or quality >= BAD:
            return []
        others = sorted(self._heard(ts))
        if len(others) < self.least:
            return self._held.judge(ts, value, False, False)
        middle = others[len(others) // 2] if len(others) % 2 else sum(others[len(others) // 2 - 1 :][:2]) / 2
        out = abs(value - middle) > self.more_than
        return self._held.judge(ts, value, out, not out)

    def wait(self, now: int) -> list[Change]:
        return []

    def resume(self) -> None:
        self._held.active = True


#: Rule kind → detector made from the rule's parameters.
SIMPLE: dict[str, Callable[..., Any]] = {
    "tunnel.limit": Limit,
    "tunnel.rise": Rise,
    "tunnel.flatline": Flatline,
    "tunnel.missing": Missing,
    "tunnel.outlier": Outlier,
}
