"""Detectors: each watches one sensor for one rule, reading by reading. The same code judges live and in a replay.

Times are Unix milliseconds. A detector is fed readings in time order and told the time between them (``wait``), so
that silence raises an alarm as well. It answers with what changed: ``Raised`` or ``Cleared``.
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

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
    """Rises (``per_hour`` > 0) or falls (< 0) faster than so much an hour over ``window_s``: a leak before its limit"""

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
    """Has not moved by more than ``span`` for ``hours``: a sensor that is stuck. After a gap of half of that (and of
    four times its usual interval) it begins anew: nobody knows what it would have shown."""

    def __init__(self, hours: float, span: float = 0.0, least: int = 8) -> None:
        self.length, self.span, self.least = int(hours * 3_600_000), span, least
        self.active = False
        self._since: int | None = None
        self._low = self._high = math.nan
        self._count, self._last = 0, 0

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value):
            return []
        if self._since is not None and not self.active and self._gap(ts):
            self._since = None
        self._last = ts
        low = value if self._since is None else min(self._low, value)
        high = value if self._since is None else max(self._high, value)
        if high - low > self.span:
            self._since, self._low, self._high, self._count = ts, value, value, 1
            if self.active:
                self.active = False
                return [Cleared(ts)]
            return []
        if self._since is None:
            self._since, self._count = ts, 0
        self._low, self._high, self._count = low, high, self._count + 1
        if not self.active and ts - self._since >= self.length and self._count >= self.least:
            self.active = True
            return [Raised(ts, value)]
        return []

    def _gap(self, ts: int) -> bool:
        """Whether it was silent for long before ``ts``, as far as its readings since the last change tell."""
        usual = (self._last - (self._since or 0)) / (self._count - 1) if self._count > 1 else math.inf
        return ts - self._last > max(self.length / 2, 4 * usual)

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


class Usual:
    """What a sensor usually shows: median and spread of the last ``days``, from at most 672 readings spread over them.

    The spread is half the distance of the quartiles, scaled to a standard deviation: the MAD of a symmetric spread,
    without sorting anew at each reading.
    """

    def __init__(self, days: float) -> None:
        self.length = int(days * 86_400_000)
        self._every = self.length // 672
        self._kept: deque[tuple[int, float]] = deque()
        self._ordered: list[float] = []
        self._middle = 0.0

    def add(self, ts: int, value: float) -> None:
        """Take a reading into account."""
        if not self._kept or ts - self._kept[-1][0] >= self._every:
            self._kept.append((ts, value))
            insort(self._ordered, value)

    def off(self, value: float) -> float:
        """Distance from the last median that was asked for."""
        return abs(value - self._middle)

    def score(self, ts: int, value: float) -> float | None:
        """How many standard deviations a value lies above (> 0) or below what is usual; None before half of the days
        were seen."""
        while self._kept and ts - self._kept[0][0] > self.length:
            del self._ordered[bisect_left(self._ordered, self._kept.popleft()[1])]
        count = len(self._ordered)
        if count < 24 or ts - self._kept[0][0] < self.length // 2:
            return None
        middle = self._ordered[count // 2]
        spread = (self._ordered[3 * count // 4] - self._ordered[count // 4]) / 1.349
        far = value - middle
        self._middle = middle
        return far / spread if spread > 0 else math.copysign(math.inf, far) if far else 0.0


class Outlier:
    """Further than ``times`` the usual spread (and than ``least``) from the median of the last ``days``, for
    ``delay_s``; over when it is back for ``clear_s``."""

    def __init__(
        self, times: float = 5.0, days: float = 14.0, least: float = 0.0, delay_s: float = 1800.0,
        clear_s: float = 3600.0,
    ) -> None:  # fmt: skip
        self.times, self.least, self.usual = times, least, Usual(days)
        self._held = _Held(int(delay_s * 1000), int(clear_s * 1000))

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value) or quality >= BAD:
            return []
        score = self.usual.score(ts, value)
        far = score is not None and abs(score) > self.times and self.usual.off(value) > self.least
        self.usual.add(ts, value)
        return [] if score is None else self._held.judge(ts, value, far, not far)

    def wait(self, now: int) -> list[Change]:
        return []

    def resume(self) -> None:
        self._held.active = True


class Drift:
    """A change that no single reading shows: two-sided CUSUM (Page 1954) of the distance from what is usual.

    Each hour adds what the distance, in standard deviations and at most 6, exceeds ``slack`` by; the alarm is raised
    beyond ``sum_h`` and over when nothing is left of it. A pause adds no more than an hour.
    """

    def __init__(self, slack: float = 1.5, sum_h: float = 18.0, days: float = 28.0, least: float = 0.0) -> None:
        self.slack, self.sum, self.least, self.usual = slack, sum_h, least, Usual(days)
        self.active = False
        self._up = self._down = 0.0
        self._last: int | None = None

    def feed(self, ts: int, value: float, quality: int) -> list[Change]:
        if math.isnan(value) or quality >= BAD:
            return []
        score, changes = self.usual.score(ts, value), list[Change]()
        if score is not None:
            hours = min(max(ts - (self._last or ts), 0) / 3_600_000, 1.0)
            score = max(-6.0, min(6.0, score if self.usual.off(value) > self.least else 0.0))
            self._up = min(max(0.0, self._up + (score - self.slack) * hours), 2 * self.sum)
            self._down = min(max(0.0, self._down + (-score - self.slack) * hours), 2 * self.sum)
            if not self.active and max(self._up, self._down) > self.sum:
                self.active = True
                changes.append(Raised(ts, value))
            elif self.active and not self._up and not self._down:
                self.active = False
                changes.append(Cleared(ts))
        self._last = ts
        self.usual.add(ts, value)
        return changes

    def wait(self, now: int) -> list[Change]:
        return []

    def resume(self) -> None:
        self.active = True
        self._up = self._down = self.sum  # both: what is usual tells soon which one it was


class Neighbours:
    """Differs by more than ``more_than`` from the median of its neighbours for ``delay_s``: one of them is wrong, or
    the trouble is here alone. Needs ``least`` neighbours heard within ``fresh_s``."""

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
    "tunnel.drift": Drift,
}
