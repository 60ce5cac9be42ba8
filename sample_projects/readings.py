"""A month of sensor readings every 15 minutes, with leaks, a flood, a stuck sensor and gaps in believable places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from sample_projects.curves import Array
from sample_projects.tables import Town

#: First reading: 2024-10-01 00:00 Beijing time, as Unix seconds.
START = int(datetime(2024, 9, 30, 16, tzinfo=UTC).timestamp())
STEP = 900
DAYS = 30
COUNT = DAYS * 96

GOOD, SUSPECT, BAD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Readings:
    """n readings: sensor number, Unix milliseconds, value, quality (0 good, 1 suspect, 2 bad)."""

    sensor: npt.NDArray[np.int64]
    ts: npt.NDArray[np.int64]
    value: Array
    quality: npt.NDArray[np.int64]


def make_readings(town: Town) -> tuple[Readings, dict[str, Any]]:
    """The readings of all sensors and the events in them (whose times are Unix seconds).

    Needs the sensors that ``make_tunnel`` placed.
    """
    rng = np.random.default_rng([town.seed, 51])
    sensors: list[tuple[int, str, str, str, float]] = town.extra["sensors"]
    hours = np.arange(COUNT) / 4.0
    season = -0.045 * hours / 24  # °C per day, autumn
    rain = _rain(rng, hours)
    events: list[dict[str, Any]] = []
    kinds: dict[str, list[int]] = {}
    for number, kind, *_ in sensors:
        kinds.setdefault(kind, []).append(number)
    leak, stuck, thin, hot, wet = (kinds[k][len(kinds[k]) // 2] for k in ("ch4", "rh", "o2", "cable_temp", "level"))
    beyond = kinds["ch4"][len(kinds["ch4"]) // 2 + 1]  # the next gas zone smells the leak later and less
    noisy = kinds["temp"][2]
    # What stands when the month ends: the desk has something to do.
    seeping, warm, mute = kinds["ch4"][1], kinds["cable_temp"][2], kinds["rh"][-2]
    outage = {n for n, _, tunnel, _, m in sensors if tunnel == "GL01" and 1500 < m < 2300}
    ids: list[npt.NDArray[np.int64]] = []
    times: list[npt.NDArray[np.int64]] = []
    values: list[Array] = []
    qualities: list[npt.NDArray[np.int64]] = []
    for number, kind, _, room, _ in sensors:
        value = _usual(rng, kind, room, hours, season, rain)
        quality = np.zeros(COUNT, np.int64)
        if number == leak:
            value += _bump(hours, 16 * 24 + 2.0, 3.0, 26.0)
            events.append(_event("gas_leak", number, 16 * 24 + 2.0, float(value.max()), "%LEL"))
        if number == beyond:
            value += _bump(hours, 16 * 24 + 2.75, 3.0, 9.0)
        if number == thin:
            value -= _bump(hours, 21 * 24 + 9.5, 1.5, 1.7)
            events.append(_event("low_oxygen", number, 21 * 24 + 9.5, float(value.min()), "%"))
        if number == hot:
            value += _bump(hours, 11 * 24 + 18.0, 6.0, 34.0)
            events.append(_event("cable_overheating", number, 11 * 24 + 18.0, float(value.max()), "℃"))
        if number == wet:
            value += _bump(hours, 8 * 24 + 20.0, 5.0, 0.72)
            events.append(_event("flooding", number, 8 * 24 + 20.0, float(value.max()), "m"))
        if number == seeping:
            value += _bump(hours, COUNT / 4 - 3.0, 3.0, 22.0)
            events.append(_event("standing_gas", number, COUNT / 4 - 3.0, float(value.max()), "%LEL"))
        if number == warm:
            value += _bump(hours, COUNT / 4 - 6.0, 6.0, 36.0)
            events.append(_event("standing_heat", number, COUNT / 4 - 6.0, float(value.max()), "℃"))
        if number == stuck:
            held = slice(12 * 96, 16 * 96)
            value[held] = value[12 * 96]
            events.append(_event("stuck", number, 12 * 24.0, float(value[12 * 96]), "%"))
        if number == noisy:
            spikes = rng.choice(COUNT, 14, replace=False)
            value[spikes] += rng.choice([-1, 1], 14) * rng.uniform(9, 20, 14)
            quality[spikes] = SUSPECT
            events.append(_event("spikes", number, float(hours[spikes.min()]), 14.0, "count"))
        kept = rng.random(COUNT) > 0.004
        if number in outage:
            kept[19 * 96 + 30 : 19 * 96 + 54] = False
        if number == mute:
            kept[-20:] = False
            events.append(_event("standing_silence", number, COUNT / 4 - 5.0, 20.0, "count"))
        if number % 29 == 5:
            start = int(rng.integers(200, COUNT - 400))
            kept[start : start + int(rng.integers(8, 60))] = False
        low, high = {"rh": (20.0, 100.0), "level": (0.0, 2.0), "ch4": (0.0, 100.0)}.get(kind, (-20.0, 120.0))
        shown = np.clip(value, low, high).astype(np.float64).round({"level": 3, "o2": 2}.get(kind, 1))
        index = np.flatnonzero(kept)
        ids.append(np.full(len(index), number))
        times.append(START + STEP * index)
        values.append(shown[index])
        qualities.append(quality[index])
    events.append({"kind": "gap", "sensors": sorted(outage), "ts": START + STEP * (19 * 96 + 30), "readings": 24})
    readings = Readings(
        np.concatenate(ids), np.concatenate(times) * 1000, np.concatenate(values), np.concatenate(qualities)
    )
    return readings, {"start": START, "step_s": STEP, "readings": len(readings.ts), "events": events}


def _usual(rng: np.random.Generator, kind: str, room: str, hours: Array, season: Array, rain: Array) -> Array:
    """What a healthy sensor shows: level, daily swing, weather and a slow wander."""
    day = np.sin((hours - 9) / 24 * 2 * np.pi)
    wander = np.cumsum(rng.normal(0, 1, len(hours)))
    wander = (wander - np.linspace(wander[0], wander[-1], len(hours))) / (np.abs(wander).max() + 1e-9)
    noise = rng.normal(0, 1, len(hours))
    base = rng.normal(0, 1)
    shown: Array
    if kind == "o2":
        shown = 20.62 + 0.06 * base - 0.05 * day + 0.08 * wander + 0.025 * noise
    elif kind == "ch4":
        shown = np.abs(1.2 + 0.4 * base + 0.5 * wander + 0.25 * noise)
    elif kind == "temp":
        shown = (25.5 if room == "电力" else 23.5) + 0.6 * base + 0.9 * day + season + 0.6 * wander + 0.12 * noise
    elif kind == "rh":
        shown = 76 + 3 * base - 3.5 * day + 4 * wander + 9 * rain + 0.7 * noise
    elif kind == "level":
        shown = np.abs(0.06 + 0.02 * base + 0.02 * wander + 0.16 * rain + 0.004 * noise)
    else:
        work = np.clip(np.sin((hours - 7) / 24 * 2 * np.pi), -0.4, 1)
        shown = 38 + 2 * base + 6.5 * work + season + 1.2 * wander + 0.3 * noise
    return shown


def _rain(rng: np.random.Generator, hours: Array) -> Array:
    """Wetness from 0 to 1: seven showers and the storm of the ninth day."""
    wet = np.zeros(len(hours))
    for start in [*rng.uniform(0, hours[-1], 7), 8 * 24 + 17.0]:
        since = hours - start
        wet += np.where(since > 0, np.exp(-since / 14) * (1 - np.exp(-since / 1.5)), 0) * (
            1.6 if start == 8 * 24 + 17.0 else rng.uniform(0.3, 0.8)
        )
    return np.minimum(wet, 1.0)


def _bump(hours: Array, start: float, length: float, height: float) -> Array:
    """Rises within ``length`` hours and decays over about as long."""
    since = hours - start
    rise = np.clip(since / length, 0, 1)
    fall = np.where(since > length, np.exp(-(since - length) / (length * 0.8)), 1.0)
    return np.asarray(height * rise * fall)


def _event(kind: str, sensor: int, hour: float, extreme: float, unit: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "sensor_id": sensor,
        "ts": START + round(hour * 3600),
        "extreme": round(extreme, 3),
        "unit": unit,
    }
