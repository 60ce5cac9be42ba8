"""Readings from CSV files: any separator, encoding and time format; what cannot be used is named row by row."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import chain
from pathlib import Path
from time import time as now_s
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from planner_app.domain.errors import PlannerError
from planner_app.domain.text_encoding import read_text
from plugins.tunnel.model.monitoring.units import unit_in, unknown_unit_in

Note = tuple[str, dict[str, Any]]
_TIMES = ("time", "timestamp", "date", "datetime", "ts", "时间", "日期", "采集时间", "监测时间")
_VALUES = ("value", "val", "reading", "读数", "数值", "监测值", "值")
_QUALITIES = ("quality", "qc", "质量", "状态")
_FORMATS = (
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M",
    "%Y/%m/%d", "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日%H时%M分%S秒", "%Y年%m月%d日%H时%M分",
)  # fmt: skip
_MIDNIGHT = re.compile(r"(.+)[ T]24:00(?::00)?$")
_NOTHING = frozenset({"", "nan", "null", "none", "na", "n/a", "-", "--", "inf", "-inf", "无"})
#: Epoch numbers below this are seconds, above it milliseconds (year 5138 as seconds).
_SECONDS = 100_000_000_000
#: Readings are believed between these years; a clock that says otherwise has lost its time.
BELIEVED = (1980, 2100)
#: A reading this far ahead of our clock comes from a clock that is wrong: kept as suspect, not judged.
AHEAD_MS = 600_000
#: Quality of a reading that is kept but in doubt.
SUSPECT = 1


@dataclass(slots=True)
class CsvReadings:
    """Readings of one file in the file's order: ``ts`` Unix ms, ``value`` (NaN for none), ``quality``.

    ``unit``: of the values, where the head states it; ``rejected``: (row, reason) of rows left out; ``notes``: what
    looks odd: clock jumps, hours that summer time skips, missing values, two values at one time.
    """

    ts: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    quality: list[int] = field(default_factory=list)
    unit: str = ""
    rejected: list[tuple[int, Note]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def zone(name: str) -> tzinfo:
    """A time zone by IANA name or as ``+08:00``.

    Raises:
        PlannerError: ``tunnel.zone_unknown``.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    try:
        offset = datetime.strptime(name, "%z").tzinfo
    except ValueError:
        offset = None
    if offset is None:
        raise PlannerError("tunnel.zone_unknown", zone=name)
    return offset


def read_csv(path: Path, *, local: str = "Asia/Shanghai", time: str = "", value: str = "") -> CsvReadings:
    """Read a file with a head.

    Args:
        local: zone of times that state none.
        time, value: names of the columns; found by their usual names, else the first and the second one.

    Raises:
        PlannerError: ``import.unreadable``, ``tunnel.csv_columns``, ``tunnel.zone_unknown``.
    """
    here = zone(local)
    try:
        text = read_text(path)[0]
    except OSError as error:
        raise PlannerError("import.unreadable", file=path.name, detail=error.strerror or str(error)) from error
    rows = _rows(text)
    first = next(rows, (0, []))
    head = [cell.strip().lstrip("\ufeff") for cell in first[1]]
    made = CsvReadings()
    if len(head) > 1 and not time and not value and read_time(head[0], here, None) is not None:
        rows = chain([(first[0], head)], rows)  # no head: times come first
        head = ["time", "value"]
        made.notes.append(("tunnel.csv_headless", {}))
    columns = _columns(head, time, value, path.name)
    made.unit = unit_in(head[columns[1]])
    if not made.unit and (stated := unknown_unit_in(head[columns[1]])):
        made.notes.append(("tunnel.unit_unread", {"unit": stated, "column": head[columns[1]]}))
    before: int | None = None
    known: dict[int, float] = {}
    for number, row in rows:
        if any(cell.strip() for cell in row):
            before = _take(made, number, row, columns, here, before, known)
    _doubt_ahead(made)
    blank = sum(math.isnan(one) for one in made.value)
    if blank:
        made.notes.append(("tunnel.values_missing", {"count": blank}))
    return made


def _doubt_ahead(made: CsvReadings) -> None:
    """Readings of times that are yet to come are kept as suspect and told."""
    limit = round(now_s() * 1000) + AHEAD_MS
    ahead = [at for at, ts in enumerate(made.ts) if ts > limit]
    for at in ahead:
        made.quality[at] = max(made.quality[at], SUSPECT)
    if ahead:
        first = datetime.fromtimestamp(made.ts[ahead[0]] / 1000, UTC).isoformat()
        made.notes.append(("tunnel.clock_ahead", {"count": len(ahead), "time": first}))


def csv_columns(path: Path) -> tuple[list[str], str, str]:
    """Names of a file's columns, and which of them are taken for time and value unless somebody says otherwise.

    Raises:
        PlannerError: ``import.unreadable``, ``tunnel.csv_columns``.
    """
    try:
        text = read_text(path)[0]
    except OSError as error:
        raise PlannerError("import.unreadable", file=path.name, detail=error.strerror or str(error)) from error
    head = [cell.strip().lstrip("\ufeff") for cell in next(_rows(text), (0, []))[1]]
    at, shown, *_ = _columns(head, "", "", path.name)
    return head, head[at], head[shown]


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    separator = max(",;\t|", key=first.count)
    reader = csv.reader(text.splitlines(), delimiter=separator)
    for row in reader:
        yield reader.line_num, row


def _columns(head: list[str], time: str, value: str, file: str) -> tuple[int, int, int | None, str]:
    known = [name.casefold() for name in head]

    def place(wanted: str, usual: tuple[str, ...], otherwise: int | None) -> int | None:
        if wanted:
            if wanted.casefold() not in known:
                raise PlannerError("tunnel.csv_columns", file=file, wanted=wanted, found=", ".join(head) or "–")
            return known.index(wanted.casefold())
        return next((known.index(name) for name in usual if name in known), otherwise)

    at = place(time, _TIMES, 0)
    # What stands behind the time, not a running number in front of it.
    shown = place(value, _VALUES, 0 if at is not None and at + 1 >= len(head) else (at or 0) + 1)
    quality = place("", _QUALITIES, None)
    if at is None or shown is None or len(head) < 2 or at == shown:
        raise PlannerError("tunnel.csv_columns", file=file, wanted="time, value", found=", ".join(head) or "–")
    return at, shown, quality, "," if ";" in "".join(head) else "."


def _take(
    made: CsvReadings, number: int, row: list[str], columns: tuple[int, int, int | None, str], here: tzinfo,
    before: int | None, known: dict[int, float],
) -> int | None:  # fmt: skip
    at, shown, quality, _ = columns
    if max(at, shown) >= len(row):
        made.rejected.append((number, ("tunnel.row_short", {"cells": len(row)})))
        return before
    when = read_time(row[at].strip(), here, before)
    if when is None:
        made.rejected.append((number, ("tunnel.time_wrong", {"value": row[at].strip()[:40]})))
        return before
    ts = round(when.timestamp() * 1000)
    if not BELIEVED[0] <= when.year <= BELIEVED[1]:
        made.rejected.append((number, ("tunnel.clock_lost", {"time": when.isoformat()})))
        return before
    value = read_value(row[shown])
    if value is None:
        made.rejected.append((number, ("tunnel.value_wrong", {"value": row[shown].strip()[:40]})))
        return before
    shown_again = known.setdefault(ts, value)
    if shown_again != value and not (math.isnan(value) and math.isnan(shown_again)):
        params = {"row": number, "time": row[at].strip(), "value": value, "first": shown_again}
        made.notes.append(("tunnel.time_twice", params))
    if _skipped(when):
        made.notes.append(("tunnel.time_skipped", {"row": number, "time": row[at].strip()}))
    if before is not None and ts < before:
        made.notes.append(("tunnel.clock_back", {"row": number, "seconds": (before - ts) / 1000}))
    made.ts.append(ts)
    made.value.append(value)
    grade = row[quality].strip() if quality is not None and quality < len(row) else ""
    made.quality.append(int(grade) if grade in ("0", "1", "2") else 0)
    return ts


def _skipped(when: datetime) -> bool:
    """True for a local time that never was: clocks went on over it."""
    return when.astimezone(UTC).astimezone(when.tzinfo).replace(tzinfo=None) != when.replace(tzinfo=None)


def read_value(text: str) -> float | None:
    """A number; NaN for a cell that says there is none; None for what is no number."""
    shown = text.strip()
    if shown.casefold() in _NOTHING:
        return math.nan
    try:
        value = float(shown)
    except ValueError:
        try:
            value = float(shown.replace(",", ".")) if shown.count(",") == 1 and "." not in shown else math.inf
        except ValueError:
            return None
    return value if math.isfinite(value) else None


def read_time(text: str, here: tzinfo, before: int | None) -> datetime | None:
    """A time; without a zone it is local. The hour that the end of summer time repeats is taken in the file's order."""
    if text.isdigit() and len(text) in (12, 14) and (compact := _parsed(text)) is not None:
        text = compact.isoformat()
    if text.replace(".", "", 1).isdigit() and len(text) >= 9:
        seconds = float(text)
        try:
            return datetime.fromtimestamp(seconds if seconds < _SECONDS else seconds / 1000, UTC)
        except (OverflowError, OSError, ValueError):
            return None
    when = _parsed(text)
    if when is None or when.tzinfo is not None:
        return when
    first = when.replace(tzinfo=here)
    second = when.replace(tzinfo=here, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if (first.utcoffset() or timedelta()) < (second.utcoffset() or timedelta()):  # an hour that never was
        return first
    return second if before is not None and first.timestamp() * 1000 <= before else first


def _parsed(text: str) -> datetime | None:
    if midnight := _MIDNIGHT.match(text):  # 24:00 is the next day's 0:00
        day = _parsed(midnight[1].strip())
        return None if day is None else day + timedelta(days=1)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None
