"""The verbs ``tunnel readings`` and ``tunnel alarms``."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult

_SHOWN = 200


def _configure_readings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("csv", type=Path, metavar="CSV")
    parser.add_argument("--sensor", required=True, metavar="ID", help=tr("code or number; registered if it is new"))
    parser.add_argument("--kind", default="", help=tr("kind of a new sensor: o2, ch4, temp, rh, level …"))
    parser.add_argument("--unit", default="", help=tr("unit of a new sensor"))
    parser.add_argument("--zone", default="Asia/Shanghai", help=tr("zone of times that state none"))
    parser.add_argument("--time", default="", metavar="COLUMN")
    parser.add_argument("--value", default="", metavar="COLUMN")


def _configure_alarms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--at", default="", metavar="TIME", help=tr("only alarms that stood at this time"))
    parser.add_argument("--sensor", default="", metavar="ID", help=tr("only this sensor"))
    parser.add_argument("--city", default="", metavar="NAME")


def run_readings(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel readings``: take in a CSV file of one sensor."""
    from plugins.tunnel.model.monitoring.csv_readings import read_csv
    from plugins.tunnel.model.monitoring.sensors import need_sensor

    read = read_csv(arguments.csv, local=arguments.zone, time=arguments.time, value=arguments.value)
    with context.open_project(arguments.file) as project:
        sensor, new = need_sensor(project, arguments.sensor, arguments.kind, arguments.unit)
        stored = project.readings.add(sensor.number, read.ts, read.value, read.quality, context.progress)
    warnings = [{"code": code, "message": word(code, params)} for code, params in read.notes[:_SHOWN]]
    if new:
        params = {"sensor": sensor.code, "number": sensor.number}
        warnings.insert(0, {"code": "tunnel.sensor_new", "message": word("tunnel.sensor_new", params)})
    rejected = [{"row": row, "reason": word(code, params)} for row, (code, params) in read.rejected]
    return VerbResult(
        {
            "rows": stored.new,
            "known": stored.known,
            "late": stored.late,
            "rejected": rejected,
            "from": _iso(min(read.ts)) if read.ts else None,
            "to": _iso(max(read.ts)) if read.ts else None,
            "sensor": sensor.code,
            "warnings": warnings,
        }
    )


def run_alarms(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel alarms``: judge the stored readings."""
    from planner_app.domain.rule import in_force
    from plugins.tunnel.model.monitoring.engine import at_time, calibration_alarms, replay
    from plugins.tunnel.model.monitoring.sensors import find_sensor, load_sensors

    when = _moment(arguments.at)
    with context.open_project(arguments.file) as project:
        sensors = [find_sensor(project, arguments.sensor)] if arguments.sensor else load_sensors(project)
        span = project.readings.span()
        day = datetime.fromtimestamp((when or (span[1] if span else 0)) / 1000, UTC).date()
        rules = in_force(context.rules("tunnel."), day, arguments.city)
        engine = replay(project, sensors, rules, end=None if when is None else when + 1, progress=context.progress)
    alarms = at_time(engine.alarms, when) if when is not None else list(engine.alarms.values())
    alarms += calibration_alarms(sensors, rules, day)
    titles = {rule.id: rule.title_zh if language() == "zh_CN" else rule.title for rule in rules}
    return VerbResult({"alarms": [alarm_json(alarm, titles) for alarm in sorted(alarms, key=lambda one: one.raised)]})


def alarm_json(alarm: Any, titles: dict[str, str]) -> dict[str, Any]:
    """An alarm with the keys of the command line; times in UTC."""
    return {
        "sensor": alarm.code,
        "level": alarm.level,
        "rule": alarm.rule,
        "title": titles.get(alarm.rule, alarm.rule),
        "raised": _iso(alarm.raised),
        "cleared": None if alarm.cleared is None else _iso(alarm.cleared),
        "value": alarm.value,
        "worst": alarm.worst,
        "unit": alarm.unit,
        "standard": alarm.standard,
        "clause": alarm.clause,
        "edition": alarm.edition,
        "confidence": alarm.confidence,
    }


def _moment(text: str) -> int | None:
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise PlannerError("tunnel.moment_wrong", value=text) from error
    return round((when if when.tzinfo else when.astimezone()).timestamp() * 1000)


def _iso(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).isoformat(timespec="milliseconds").replace(".000+", "+")


READINGS = Verb("tunnel readings", "take in readings of a sensor", _configure_readings, run_readings)
ALARMS = Verb("tunnel alarms", "alarms that stored readings raise, with their clause", _configure_alarms, run_alarms)
