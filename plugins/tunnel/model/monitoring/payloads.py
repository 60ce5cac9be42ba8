"""What sensors send, read by formats that are data (``plugins/tunnel/formats/payloads.toml``)."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from planner_app.domain.errors import PlannerError
from plugins.tunnel.model.monitoring.csv_readings import AHEAD_MS, BELIEVED, read_time, read_value

SHIPPED = Path(__file__).resolve().parents[2] / "formats" / "payloads.toml"
_LONGEST = 120
_DEEPEST = 8
_GOOD, _SUSPECT, _BAD = 0, 1, 2
_QUALITIES = {
    "good": _GOOD, "ok": _GOOD, "0": _GOOD, "true": _GOOD, "192": _GOOD, "suspect": _SUSPECT, "uncertain": _SUSPECT,
    "1": _SUSPECT, "64": _SUSPECT, "bad": _BAD, "2": _BAD, "false": _BAD, "fault": _BAD,
}  # fmt: skip


class Sample(NamedTuple):
    """One reading as sent: ``ts`` Unix ms, ``value`` NaN for none, ``timed`` false where the arrival is the time."""

    sensor: str
    ts: int
    value: float
    quality: int = _GOOD
    kind: str = ""
    unit: str = ""
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Format:
    """One way of sending readings; ``keys``: what → names in a JSON object."""

    id: str
    kind: str
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pattern: re.Pattern[str] | None = None
    skip: frozenset[str] = frozenset()


def load_formats(extra: Path | None = None) -> list[Format]:
    """The shipped formats, behind those of a file of one's own.

    Raises:
        PlannerError: ``tunnel.formats_wrong``.
    """
    made = []
    for path in filter(None, (extra, SHIPPED)):
        try:
            rows = tomllib.loads(path.read_text(encoding="utf-8"))["format"]
            made += [_format(row) for row in rows]
        except (OSError, ValueError, KeyError, TypeError, AttributeError, re.error) as error:
            raise PlannerError("tunnel.formats_wrong", file=str(path), detail=str(error)) from error
    return made


def _format(row: Mapping[str, Any]) -> Format:
    kind = str(row["kind"])
    pattern = re.compile(row["pattern"]) if kind == "text" else None
    if kind not in ("json", "number", "text") or (pattern is not None and "value" not in pattern.groupindex):
        raise ValueError(f"kind = {kind!r}")
    keys = {what: tuple(str(name).casefold() for name in row.get(what, ())) for what in _KEYS}
    return Format(str(row["id"]), kind, keys, pattern, frozenset(str(one).casefold() for one in row.get("skip", ())))


_KEYS = ("sensor", "time", "value", "quality", "sensor_kind", "unit", "batch")


def read_payload(
    topic: str, payload: bytes, formats: Sequence[Format], here: tzinfo, now: int
) -> tuple[list[Sample], list[PlannerError]]:
    """The readings of one message and what could not be read of it.

    Args:
        here: zone of times that state none; now: moment of arrival, Unix ms.
    """
    try:
        text = payload.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return [], [PlannerError("tunnel.payload_unreadable", topic=topic, payload=payload[:40].hex(" "))]
    body: Any = None
    if text[:1] in ("{", "["):
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            return [], [PlannerError("tunnel.payload_unreadable", topic=topic, payload=text[:60])]
    samples: list[Sample] = []
    wrong: list[PlannerError] = []
    for form in formats:
        rows = list(_rows(form, body, text))
        if not rows:
            continue
        for row in rows:
            try:
                samples.append(_sample(row, form, topic, here, now))
            except PlannerError as error:
                wrong.append(error)
        return samples, wrong
    return [], [PlannerError("tunnel.payload_unreadable", topic=topic, payload=text[:60])]


def _rows(form: Format, body: Any, text: str) -> Iterator[Mapping[str, Any]]:
    if form.kind == "json":
        if body is not None:
            yield from _objects(form, body, {}, 0)
    elif body is None and form.kind == "number":
        if text and read_value(text) is not None:
            yield {"value": text}
    elif body is None and form.pattern is not None and (found := form.pattern.match(text)):
        named = {"ts": "time", "kind": "sensor_kind"}
        yield {named.get(key, key): value for key, value in found.groupdict().items() if value is not None}


def _objects(form: Format, body: Any, above: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """Objects of a message; those of a batch inherit what stands above them (its sensor, its time)."""
    if depth > _DEEPEST:
        return
    if isinstance(body, list):
        for one in body:
            yield from _objects(form, one, above, depth + 1)
        return
    if not isinstance(body, dict):
        yield {**above, "wrong": body}
        return
    folded = {str(key).casefold(): value for key, value in body.items()}
    row = dict(above)
    for what in _KEYS[:-1]:
        name = next((name for name in form.keys.get(what, ()) if name in folded), None)
        if name is not None:
            row[what] = folded[name]
    nested = next((folded[name] for name in form.keys["batch"] if isinstance(folded.get(name), list)), None)
    if nested is not None:
        yield from _objects(form, nested, row, depth + 1)
    else:
        yield row


def _sample(row: Mapping[str, Any], form: Format, topic: str, here: tzinfo, now: int) -> Sample:
    sensor = str(row.get("sensor", "")).strip() or _of_topic(topic, form.skip)
    if not sensor or len(sensor) > _LONGEST or not sensor.isprintable():
        raise PlannerError("tunnel.payload_no_sensor", topic=topic, payload=sensor[:40])
    if "value" not in row:
        raise PlannerError("tunnel.payload_no_value", topic=topic, payload=str(row.get("wrong", sensor))[:40])
    shown = row["value"]
    value = math.nan if shown is None else read_value(str(float(shown) if isinstance(shown, bool) else shown))
    if value is None:
        raise PlannerError("tunnel.payload_no_value", topic=topic, payload=str(shown)[:40])
    timed = row.get("time") not in (None, "")
    ts = now
    if timed:
        when = read_time(str(row["time"]).strip(), here, None)
        if when is None or not BELIEVED[0] <= when.year <= BELIEVED[1]:
            raise PlannerError("tunnel.payload_time", topic=topic, sensor=sensor, payload=str(row["time"])[:40])
        ts = round(when.timestamp() * 1000)
    quality = _QUALITIES.get(str(row.get("quality", 0)).strip().casefold(), _SUSPECT)
    if ts > now + AHEAD_MS:
        quality = max(quality, _SUSPECT)
    return Sample(sensor, ts, value, quality, _word(row.get("sensor_kind")), _word(row.get("unit")), timed)


def _word(value: Any) -> str:
    """A short text, or nothing."""
    return value if isinstance(value, str) and len(value) <= 40 and value.isprintable() else ""


def _of_topic(topic: str, skip: frozenset[str]) -> str:
    return next((part for part in reversed(topic.split("/")) if part and part.casefold() not in skip), "")
