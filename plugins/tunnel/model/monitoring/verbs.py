"""The verbs ``tunnel readings``, ``tunnel watch`` and ``tunnel alarms``."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import language, tr, word
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult

if TYPE_CHECKING:
    from plugins.tunnel.model.monitoring.alarm_table import KeptAlarm
    from plugins.tunnel.model.monitoring.engine import Alarm

_SHOWN = 200


def _configure_readings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("csv", type=Path, metavar="CSV")
    parser.add_argument("--sensor", required=True, metavar="ID", help=tr("code or number; registered if it is new"))
    parser.add_argument("--kind", default="", help=tr("kind of a new sensor: o2, ch4, temp, rh, level …"))
    parser.add_argument("--unit", default="", help=tr("unit of the values"))
    parser.add_argument("--zone", default="Asia/Shanghai", help=tr("zone of times that state none"))
    parser.add_argument("--time", default="", metavar="COLUMN")
    parser.add_argument("--value", default="", metavar="COLUMN")


def _configure_alarms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--at", default="", metavar="TIME", help=tr("only alarms that stood at this time"))
    parser.add_argument("--sensor", default="", metavar="ID", help=tr("only this sensor"))
    parser.add_argument("--zone", default="Asia/Shanghai", help=tr("zone of times that state none"))
    parser.add_argument("--city", default="", metavar="NAME")


def _configure_acknowledge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--sensor", required=True, metavar="ID")
    parser.add_argument("--by", required=True, metavar="NAME", help=tr("who takes note"))
    parser.add_argument("--remark", default="", metavar="TEXT", help=tr("what was seen or done"))
    parser.add_argument("--rule", default="", metavar="ID", help=tr("only alarms of this rule"))
    parser.add_argument("--at", default="", metavar="TIME", help=tr("alarms that stood then, not those that stand now"))
    parser.add_argument("--zone", default="Asia/Shanghai", help=tr("zone of times that state none"))
    parser.add_argument("--city", default="", metavar="NAME")


def _configure_watch(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path)
    add("--mqtt", required=True, metavar="HOST[:PORT]", help=tr("the broker"))
    add("--topic", action="append", metavar="PATTERN", help=tr("topics to take in, tunnel/# unless given; repeatable"))
    add("--user", default="", help=tr("name at the broker; its password: file, PLANNER_MQTT_PASSWORD or keyring"))
    add("--password-file", type=Path, metavar="FILE", help=tr("file that holds the password"))
    add("--tls", action="store_true", help=tr("encrypted; the system's certificates are trusted"))
    add("--tls-ca", type=Path, metavar="FILE", help=tr("certificates to trust instead"))
    add("--zone", default="Asia/Shanghai", help=tr("zone of times that state none"))
    add("--city", default="", metavar="NAME")
    add("--formats", type=Path, metavar="FILE", help=tr("formats of payloads of your own, tried first"))
    add("--client-id", default="", metavar="ID", help=tr("name of the session at the broker"))
    add("--buffer", type=Path, metavar="FOLDER", help=tr("where readings wait while the file is busy"))
    add("--buffer-mb", type=int, default=4096, metavar="N", help=tr("room for them; beyond it the broker keeps them"))


def run_readings(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel readings``: take in a CSV file of one sensor."""
    from plugins.tunnel.model.monitoring.csv_readings import read_csv
    from plugins.tunnel.model.monitoring.intake import keep

    read = read_csv(arguments.csv, local=arguments.zone, time=arguments.time, value=arguments.value)
    with context.open_project(arguments.file) as project:
        done = keep(project, read, arguments.sensor, arguments.kind, arguments.unit, context.progress)
    sensor, new, (stored, known, late) = done
    warnings = [{"code": code, "message": word(code, params)} for code, params in read.notes[:_SHOWN]]
    if new:
        params = {"sensor": sensor.code, "number": sensor.number}
        warnings.insert(0, {"code": "tunnel.sensor_new", "message": word("tunnel.sensor_new", params)})
    rejected = [{"row": row, "reason": word(code, params)} for row, (code, params) in read.rejected]
    return VerbResult(
        {
            "rows": stored,
            "known": known,
            "late": late,
            "rejected": rejected,
            "from": _iso(min(read.ts)) if read.ts else None,
            "to": _iso(max(read.ts)) if read.ts else None,
            "sensor": sensor.code,
            "unit": sensor.unit,
            "warnings": warnings,
        }
    )


def run_alarms(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel alarms``: judge the stored readings."""
    when = _moment(arguments.at, arguments.zone)
    with context.open_project(arguments.file) as project:
        pairs, titles, unjudged = _judged(context, project, arguments, when)
    alarms = [alarm_json(alarm, titles) | _acknowledged(kept) for alarm, kept in pairs]
    return VerbResult({"alarms": alarms, "warnings": unjudged})


def run_acknowledge(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel acknowledge``: somebody takes note of alarms of a sensor, one command each."""
    from plugins.tunnel.model.monitoring.alarm_table import AcknowledgeAlarm

    when = _moment(arguments.at, arguments.zone)
    with context.open_project(arguments.file) as project:
        pairs, titles, _ = _judged(context, project, arguments, when)
        pairs = [(one, kept) for one, kept in pairs if arguments.rule in ("", one.rule)]
        open_ones = [one for one, kept in pairs if kept is None or not kept.ack_by]
        wanted = open_ones if when is not None else [one for one in open_ones if one.cleared is None] or open_ones[-1:]
        if not wanted:
            raise PlannerError("tunnel.alarm_none", sensor=arguments.sensor)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        for alarm in wanted:
            project.execute(AcknowledgeAlarm(alarm, arguments.by, at, arguments.remark))
    return VerbResult({"acknowledged": [alarm_json(alarm, titles) for alarm in wanted]})


def _judged(
    context: VerbContext, project: Project, arguments: argparse.Namespace, when: int | None
) -> tuple[list[tuple[Alarm, KeptAlarm | None]], dict[str, str], list[dict[str, str]]]:
    """Alarms in the order they were raised with their rows, those that stood ``when`` or all; titles by rule; what
    could not be judged."""
    from planner_app.domain.rule import in_force
    from plugins.tunnel.model.monitoring.alarm_table import merge_kept
    from plugins.tunnel.model.monitoring.engine import at_time, beside, calibration_alarms, replay
    from plugins.tunnel.model.monitoring.sensors import find_sensor, load_sensors

    every = load_sensors(project)
    sensors = [find_sensor(project, arguments.sensor)] if arguments.sensor else every
    # Its neighbours tell whether one sensor differs from them.
    heard = [one for one in every if any(beside(one, mine) for mine in sensors)] if arguments.sensor else every
    span, now = project.readings.span(), round(time.time() * 1000)
    day = datetime.fromtimestamp((when or (min(span[1], now) if span else 0)) / 1000, UTC).date()
    rules = in_force(context.rules("tunnel."), day, arguments.city)
    # All of it, also for a time in the past: an alarm cut off there could not be told from the next one.
    engine = replay(project, heard or sensors, rules, progress=context.progress)
    wanted = {one.number for one in sensors}
    judged = [one for one in engine.alarms.values() if one.sensor in wanted]
    pairs = merge_kept(project, judged + calibration_alarms(sensors, rules, day), wanted)
    if when is not None:
        pairs = [pair for pair in pairs if at_time({pair[0].key: pair[0]}, when)]
    titles = {rule.id: rule.title_zh if language() == "zh_CN" else rule.title for rule in rules}
    unjudged = [
        {"code": "tunnel.unit_unjudged", "message": word("tunnel.unit_unjudged", {
            "sensor": sensor.code, "unit": sensor.unit, "rule": titles[rule.id], "other": rule.unit or "–"})}
        for sensor, rule in engine.unjudged
        if sensor.number in wanted
    ]  # fmt: skip
    return sorted(pairs, key=lambda pair: pair[0].raised), titles, unjudged


def run_watch(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel watch``: collect readings and alarms until stopped."""
    from plugins.tunnel.model.monitoring.watch import run

    return run(context, arguments)


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


def _acknowledged(kept: Any) -> dict[str, Any]:
    """Who took note of an alarm: its row, or None."""
    if kept is None or not kept.ack_by:
        return {"acknowledged_by": None, "acknowledged_at": None, "remark": None}
    return {"acknowledged_by": kept.ack_by, "acknowledged_at": kept.ack_at or None, "remark": kept.ack_remark}


def _moment(text: str, local: str) -> int | None:
    """Unix ms; a time that states no zone is of the zone ``local``."""
    from plugins.tunnel.model.monitoring.csv_readings import zone

    here = zone(local)
    if not text:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise PlannerError("tunnel.moment_wrong", value=text) from error
    return round((when if when.tzinfo else when.replace(tzinfo=here)).timestamp() * 1000)


def _iso(ts: int) -> str:
    return datetime.fromtimestamp(ts / 1000, UTC).isoformat(timespec="milliseconds").replace(".000+", "+")


READINGS = Verb("tunnel readings", "take in readings of a sensor", _configure_readings, run_readings)
ALARMS = Verb("tunnel alarms", "alarms that stored readings raise, with their clause", _configure_alarms, run_alarms)
WATCH = Verb(
    "tunnel watch", "collect readings from a broker and raise alarms until stopped", _configure_watch, run_watch
)
ACKNOWLEDGE = Verb(
    "tunnel acknowledge", "take note of alarms of a sensor, with a name", _configure_acknowledge, run_acknowledge
)
