"""Ticks, ranges and colours of the chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor

from planner_app.plugin_api.ui import PanelContext

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from plugins.tunnel.model.monitoring.curves import Curve

_MINUTE, _DAY = 60_000, 86_400_000
#: Minutes between two ticks within a day, then days.
_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720)
_DAYS = (1, 2, 5, 7, 14, 30, 60, 120)
#: A limit further from the readings than this many times their own range would flatten them: it is left out of view.
_FAR = 5.0
#: Colours of further curves in light and dark, told apart also by those who do not see red and green.
_FURTHER = (("#B45F06", "#F0A860"), ("#7A3E9D", "#C79BE6"), ("#0F7B7B", "#5CC8C8"), ("#8A6D00", "#D9C04A"))


def time_ticks(start: int, end: int, here: tzinfo, most: int) -> list[tuple[int, str, bool]]:
    """(ms, label, strong) at round times of the desk; a strong one begins a day."""
    length = max(end - start, 1)
    most = max(most, 2)
    step = next((one for one in _MINUTES if length / (one * _MINUTE) <= most), 0)
    first = datetime.fromtimestamp(start / 1000, here).replace(second=0, microsecond=0)
    made = []
    if step:
        at = first.replace(minute=0, hour=0)
        ts = int(at.timestamp() * 1000)
        ts += -(-(start - ts) // (step * _MINUTE)) * step * _MINUTE
        while ts <= end:
            shown = datetime.fromtimestamp(ts / 1000, here)
            midnight = shown.hour == 0 and shown.minute == 0
            made.append((ts, shown.strftime("%m-%d" if midnight else "%H:%M"), midnight))
            ts += step * _MINUTE
        return made
    days = next((one for one in _DAYS if length / (one * _DAY) <= most), _DAYS[-1])
    at = first.replace(minute=0, hour=0)
    at += timedelta(days=-(at.toordinal() % days))
    while (ts := int(at.timestamp() * 1000)) <= end:
        if ts >= start:
            made.append((ts, at.strftime("%m-%d" if days < 60 else "%Y-%m"), True))
        at = (at + timedelta(days=days)).replace(hour=0)
    return made


def value_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """(value, label) at round values."""
    rough = (high - low) / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    step = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * 0.999)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [(at * step, f"{at * step:,.{digits}f}") for at in range(first, math.floor(high / step + 1e-9) + 1)]


def band_range(curves: Sequence[Curve]) -> tuple[float, float]:
    """Lowest and highest value of a band: the readings and, unless they lie far off, the limits."""
    import numpy as np

    lows = [float(np.nanmin(one.low)) for one in curves if not np.isnan(one.low).all()]
    highs = [float(np.nanmax(one.high)) for one in curves if not np.isnan(one.high).all()]
    limits = [limit.value for one in curves for limit in one.limits]
    if not lows:
        lows, highs = [min(limits, default=0.0)], [max(limits, default=1.0)]
    low, high = min(lows), max(highs)
    spread = max(high - low, abs(high) * 0.02, 1e-6)
    near = [one for one in limits if low - _FAR * spread <= one <= high + _FAR * spread]
    low, high = min([low, *near]), max([high, *near])
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    margin = (high - low) * 0.08
    return low - margin, high + margin


def curve_colour(context: PanelContext, place: int) -> QColor:
    """Colour of the n-th curve."""
    if not place:
        return QColor(context.colour("accent"))
    dark = QColor(context.colour("panel")).lightness() < 128
    return QColor(_FURTHER[(place - 1) % len(_FURTHER)][dark])


def thinned(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most two points a pixel column, its lowest and its highest: no peak is lost."""
    import numpy as np

    if len(x) < 3 * max(float(x[-1] - x[0]), 1.0):
        return x, y
    begins = np.flatnonzero(np.diff(np.floor(x), prepend=-np.inf))
    low, high = np.minimum.reduceat(y, begins), np.maximum.reduceat(y, begins)
    return np.repeat(x[begins], 2), np.column_stack([low, high]).ravel()
