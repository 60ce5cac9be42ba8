"""What the alarm rules find and how often they cry wolf, against a static 3-sigma chart, in one run.

    .venv/bin/python -m tests.bench.bench_alarms [--json]

``ours`` are the shipped rules' detectors with their shipped figures, the same for every series; ``3-sigma`` is the
Shewhart chart one draws first: mean ± 3 standard deviations of the first 14 days, runs of readings outside it, joined
over up to 3 readings back inside. An alarm within an event is a hit (the first one gives the delay), one outside all
events is false; rates are per week of data outside events.

Real series (``$PLANNER_DATA/series``): NAB's ambient temperature with its two labelled windows (which begin about a
week before what they label: the delay counts from the label); river level, river flow across a change of clocks,
temperature, humidity and CO2 of an office: nothing is labelled there, so every alarm counts as false. Planted faults
(seed 7): the NAB temperature outside its windows with stuck, silent, jumping and drifting stretches of known begin and
end; its own gaps count as silence. Generated: the sample town's month of 80 sensors with its known events, all shipped
rules at once. The figures of ``drift`` lie in the middle of those that find both of NAB's windows; nothing else was
tuned to a series.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np

from planner_app.domain.rule import Rule, parse_rules
from plugins.tunnel.model.monitoring.csv_readings import read_csv
from plugins.tunnel.model.monitoring.detectors import SIMPLE
from plugins.tunnel.model.monitoring.engine import AlarmEngine, Sensor

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3_600_000
DAY, WEEK = 24 * HOUR, 168 * HOUR
FAMILIES = ("flatline", "missing", "outlier", "drift", "neighbours")
Points = list[tuple[int, float]]


@dataclass(frozen=True)
class Event:
    """What is to be found: hits count from ``begin`` to ``end``, the delay from ``label``."""

    kind: str
    begin: int
    end: int
    label: int


@dataclass
class Score:
    """How a detector did on a series."""

    series: str
    method: str
    events: int = 0
    hits: int = 0
    false: int = 0
    weeks: float = 0.0
    delays_h: list[float] = field(default_factory=list)

    def row(self) -> dict[str, object]:
        """As the table shows it."""
        rate = round(self.false / self.weeks, 3) if self.weeks else 0.0
        delay = round(median(self.delays_h), 1) if self.delays_h else None
        hits = f"{self.hits}/{self.events}" if self.events else "–"
        figures = {"hits": hits, "false": self.false, "false_per_week": rate, "delay_h": delay}
        return {"series": self.series, "method": self.method} | figures


def judged(series: str, method: str, alarms: Sequence[int], events: Sequence[Event], length: int) -> Score:
    """Hits, false alarms and delays of the moments at which alarms were raised."""
    inside = sum(one.end - one.begin for one in events)
    score = Score(series, method, len(events), weeks=(length - inside) / WEEK)
    for event in events:
        found = [ts for ts in alarms if event.begin <= ts <= event.end]
        if found:
            score.hits += 1
            score.delays_h.append((found[0] - event.label) / HOUR)
    score.false = sum(not any(one.begin <= ts <= one.end for one in events) for ts in alarms)
    return score


def shipped() -> list[Rule]:
    """The rules of the plugin."""
    file = ROOT / "plugins" / "tunnel" / "rules" / "alarms.toml"
    return parse_rules(file.read_text("utf-8"), file.name)


def family(rules: Sequence[Rule], name: str) -> Rule:
    """A family's rule for temperatures, let loose on any kind of sensor."""
    kinds = [one for one in rules if one.kind == f"tunnel.{name}"]
    rule = next(one for one in kinds if "temp" in one.params["sensor_kind"] or one.params["sensor_kind"] == "")
    return replace(rule, params=dict(rule.params) | {"sensor_kind": ""})


def ours(points: Points, rule: Rule) -> list[int]:
    """Moments at which one rule raised an alarm on one series."""
    engine = AlarmEngine([Sensor(1, "S", "any")], [rule])
    for ts, value in points:
        engine.feed(1, ts, value)
    return [one.raised for one in engine.alarms.values()]


def three_sigma(points: Points) -> list[int]:
    """The peer: moments at which readings leave the static band."""
    start = points[0][0]
    first = np.array([value for ts, value in points if ts < start + 14 * DAY and not math.isnan(value)])
    middle, spread = float(first.mean()), float(first.std())
    raised, back = [], 99
    for ts, value in points:
        if math.isnan(value) or abs(value - middle) <= 3 * spread:
            back += 1
            continue
        if back > 3:
            raised.append(ts)
        back = 0
    return raised


def series(folder: Path, file: str, column: str = "", fahrenheit: bool = False) -> Points:
    """A real series; times without a zone are taken as UTC."""
    read = read_csv(folder / file, local="UTC", value=column)
    values = [(value - 32) / 1.8 for value in read.value] if fahrenheit else read.value
    return sorted(zip(read.ts, values, strict=True))


def labelled(folder: Path, points: Points) -> list[Event]:
    """NAB's windows; what they label stands in the middle of their readings, as NAB lays them."""
    windows = json.loads((folder / "nab_combined_windows.json").read_text("utf-8"))
    found = []
    for begin, end in windows["realKnownCause/ambient_temperature_system_failure.csv"]:
        inside = [ts for ts, _ in points if _ms(begin) <= ts <= _ms(end)]
        found.append(Event("failure", inside[0], inside[-1], inside[len(inside) // 2]))
    return found


def gaps(points: Points) -> list[Event]:
    """Where a real series is silent for over four hours."""
    return [Event("gap", a, b + HOUR, a) for (a, _), (b, _) in pairwise(points) if b - a > 4 * HOUR]


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


#: Fault → (hours, what it makes of a reading: (value, hours since its begin, spread of the series) → value).
FAULTS: dict[str, tuple[float, Callable[[float, float, float], float]]] = {
    "stuck": (36.0, lambda value, hours, spread: math.inf),  # held at the value it had
    "silent": (12.0, lambda value, hours, spread: math.nan),
    "jump": (12.0, lambda value, hours, spread: value + 8 * spread),
    "drift": (96.0, lambda value, hours, spread: value + 0.06 * hours * spread),
}
#: Which family is there to find which fault.
FOUND_BY = {"stuck": "flatline", "silent": "missing", "jump": "outlier", "drift": "drift"}


def planted(points: Points, clean: Sequence[Event], count: int = 5) -> tuple[Points, list[Event]]:
    """A series with ``count`` faults of each kind at random, at least five days apart, none in the first month."""
    rng = np.random.default_rng(7)
    values = np.array([value for _, value in points])
    spread = float(np.nanstd(np.diff(values)) * 2)
    taken = [(one.begin - 5 * DAY, one.end + 5 * DAY) for one in clean]
    made = dict(points)
    events = []
    for kind in [kind for kind in FAULTS for _ in range(count)]:
        hours, change = FAULTS[kind]
        for _ in range(5_000):
            begin = points[int(rng.integers(0, len(points)))][0]
            end = begin + int(hours * HOUR)
            far = all(end + 5 * DAY < a or begin - 5 * DAY > b for a, b in taken)
            whole = sum(begin <= ts < end for ts, _ in points) >= 0.95 * hours
            if far and whole and begin > points[0][0] + 30 * DAY and end < points[-1][0] - 2 * DAY:
                break
        else:
            continue
        taken.append((begin, end))
        held = made[begin]
        for ts, value in points:
            if begin <= ts < end:
                new = change(value, (ts - begin) / HOUR, spread)
                made[ts] = held if math.isinf(new) else new
        events.append(Event(kind, begin, end + int(hours * HOUR // 2), begin))
    return sorted(made.items()), events


def neighbours(points: Points, rules: Sequence[Rule]) -> list[Score]:
    """Three sensors of one tunnel with their own noise; one of them goes off by 8 °C for a day, six times."""
    rng = np.random.default_rng(7)
    begins = [points[int(len(points) * share)][0] for share in (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)]
    events = [Event("apart", one, one + 30 * HOUR, one) for one in begins]
    sensors = [Sensor(n, f"T{n}", "temp", "℃", "GL01", "综合", 100.0 * n) for n in range(3)]
    engine = AlarmEngine(sensors, [one for one in rules if one.id == "alarm.neighbours"])
    seen: Points = []
    for ts, value in points:
        for sensor in sensors:
            apart = 8.0 if sensor.number == 1 and any(one <= ts < one + DAY for one in begins) else 0.0
            shown = value + sensor.number * 0.5 + float(rng.normal(0, 0.4)) + apart
            engine.feed(sensor.number, ts, shown)
            if sensor.number == 1:
                seen.append((ts, shown))
    length = points[-1][0] - points[0][0]
    raised = [one.raised for one in engine.alarms.values() if one.sensor == 1]
    others = sum(one.sensor != 1 for one in engine.alarms.values())
    mine = judged("NAB ×3, one goes off", "ours: neighbours", raised, events, length)
    mine.false += others
    return [mine, judged("NAB ×3, one goes off", "3-sigma", three_sigma(seen), events, length)]


def sample(rules: Sequence[Rule]) -> list[Score]:
    """The sample town's month: its events by the rules that are there for them, and every other alarm as false."""
    from sample_projects.town import make_sample

    made = make_sample(1)
    data, truth = made.readings, made.truth["readings"]["events"]
    known = {int(n): (str(kind), str(room), float(m)) for n, kind, _, room, m in made.town.extra["sensors"]}
    tunnel_of = {int(n): str(tunnel) for n, _, tunnel, _, _ in made.town.extra["sensors"]}
    sensors = [Sensor(n, str(n), kind, "", tunnel_of[n], room, m) for n, (kind, room, m) in known.items()]
    engine = AlarmEngine(sensors, [one for one in rules if one.kind != "tunnel.calibration"])
    rows = sorted(zip(data.ts.tolist(), data.sensor.tolist(), data.value.tolist(), data.quality.tolist(), strict=True))
    begun = time.perf_counter()
    for ts, who, value, grade in rows:
        engine.feed(who, ts, value, grade)
    rate = len(rows) / (time.perf_counter() - begun)
    hours = {"gas_leak": 24, "standing_gas": 24, "low_oxygen": 12, "cable_overheating": 36, "standing_heat": 24,
             "flooding": 48, "stuck": 110, "gap": 14, "standing_silence": 24, "spikes": 720}  # fmt: skip
    events = []
    for one in truth:
        at = one["ts"] * 1000
        for who in one.get("sensors", [one.get("sensor_id")]):
            events.append((who, Event(one["kind"], at, at + hours[one["kind"]] * HOUR, at)))
    length = rows[-1][0] - rows[0][0]
    name = f"sample month, 80 sensors ({rate:,.0f} readings/s)"
    total = Score(name, "ours: all rules", weeks=length / WEEK * len(sensors))
    peer = Score("sample month, 80 sensors", "3-sigma", weeks=length / WEEK * len(sensors))
    by_sensor: dict[int, Points] = {}
    for ts, who, value, _ in rows:
        by_sensor.setdefault(who, []).append((ts, value))
    for sensor in sensors:
        mine = [event for who, event in events if who == sensor.number]
        raised = [one.raised for one in engine.alarms.values() if one.sensor == sensor.number]
        for score, moments in ((total, raised), (peer, three_sigma(by_sensor[sensor.number]))):
            part = judged("", "", moments, [one for one in mine if one.kind != "spikes"], length)
            score.events, score.hits = score.events + part.events, score.hits + part.hits
            score.false += part.false if not any(one.kind == "spikes" for one in mine) else 0
            score.delays_h += part.delays_h
    return [total, peer]


def table(folder: Path, *, with_sample: bool = True) -> list[Score]:
    """Every score of the run."""
    rules = shipped()
    nab = series(folder, "nab_ambient_temperature_system_failure.csv", fahrenheit=True)
    windows = labelled(folder, nab)
    real: list[tuple[str, Points, list[Event]]] = [("NAB temperature", nab, windows)]
    real += [
        ("river level, daily", series(folder, "pastas_waterlevel_rivex.csv"), []),
        ("river flow, hourly, DST", series(folder, "river_water_flow_hourly.csv"), []),
    ]
    office = "uci_occupancy_temp_rh_light_co2.csv"
    for at, name in ((1, "temperature"), (2, "humidity"), (4, "CO2")):
        real.append((f"office {name}, 6 days", series(folder, office, f"V{at}"), []))
    scores = []
    for name, points, events in real:
        length = points[-1][0] - points[0][0]
        both: list[int] = []
        # What is usual in an office cannot be told from less than a week of it.
        for kind in ("outlier", "drift") if length > 14 * DAY else ("flatline", "missing"):
            raised = ours(points, family(rules, kind))
            both += raised
            scores.append(judged(name, f"ours: {kind}", raised, events, length))
        if events:
            scores.append(judged(name, "ours: outlier or drift", sorted(both), events, length))
        scores.append(judged(name, "3-sigma", three_sigma(points), events, length))
    bad, faults = planted(nab, windows)
    length = bad[-1][0] - bad[0][0]
    peer = three_sigma(bad)
    for kind, finder in FOUND_BY.items():
        raised = ours(bad, family(rules, finder))
        mine = [one for one in faults if one.kind == kind]
        others = [one for one in (*faults, *windows) if one.kind != kind]
        if kind == "silent":
            mine += [one for one in gaps(nab) if all(one.end < b.begin or one.begin > b.end for b in others)]
        for method, moments in ((f"ours: {finder}", raised), ("3-sigma", peer)):
            clear = [ts for ts in moments if not any(one.begin <= ts <= one.end for one in others)]
            scores.append(judged(f"NAB, planted: {kind}", method, clear, mine, length))
    scores += neighbours(nab, rules)
    return scores + (sample(rules) if with_sample else [])


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folder = Path(os.environ.get("PLANNER_DATA", ROOT.parent / "shared" / "data")) / "series"
    if not folder.is_dir():
        print(f"no series in {folder}; set PLANNER_DATA", file=sys.stderr)
        return 2
    assert {f"tunnel.{one}" for one in FAMILIES if one != "neighbours"} <= set(SIMPLE)
    rows = [one.row() for one in table(folder)]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    print(f"{'series':52} {'method':24} {'hits':>6} {'false':>6} {'/week':>7} {'delay h':>8}")
    for row in rows:
        delay = "–" if row["delay_h"] is None else f"{row['delay_h']:.1f}"
        figures = f"{row['hits']:>6} {row['false']:>6} {row['false_per_week']:>7.3f} {delay:>8}"
        print(f"{row['series']:52} {row['method']:24} {figures}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
