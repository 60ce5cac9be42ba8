"""The verb ``tunnel shift``: read the shift log, write into it, hand over."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.model import Verb, VerbContext, VerbResult


def _configure(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path)
    add("--add", metavar="TEXT", help=tr("write an entry"))
    add("--by", default="", metavar="NAME", help=tr("who writes it, or who hands over"))
    add("--sensor", default="", metavar="ID", help=tr("the entry speaks of this sensor's standing alarm"))
    add("--hand-over", dest="to", metavar="NAME", help=tr("hand over to this person"))
    add("--remark", default="", metavar="TEXT", help=tr("what the next shift must know"))
    add("--out", type=Path, metavar="FILE", help=tr("print the hand-over: .pdf, .docx or .html"))
    add("--number", default="", metavar="NUMBER", help=tr("the hand-over to print, the last one unless given"))
    add("--zone", default="Asia/Shanghai", help=tr("zone of printed times"))
    add("--city", default="", metavar="NAME")


def run_shift(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel shift``."""
    from plugins.tunnel.model.monitoring import shift
    from plugins.tunnel.model.monitoring.csv_readings import zone
    from plugins.tunnel.model.monitoring.sensors import find_sensor
    from plugins.tunnel.model.monitoring.standing import Monitor

    here = zone(arguments.zone)
    with context.open_project(arguments.file) as project:
        sensor = find_sensor(project, arguments.sensor) if arguments.sensor else None
        wanted = arguments.to is not None or sensor is not None
        overview = Monitor(project, context.rules("tunnel."), arguments.city).look(context.progress) if wanted else None
        if arguments.add is not None:
            standing = [one.alarm for one in overview.standing] if overview is not None else []
            about = next((one for one in standing if sensor is not None and one.sensor == sensor.number), None)
            if sensor is not None and about is None:
                raise PlannerError("tunnel.shift_no_alarm", sensor=sensor.code)
            project.execute(shift.AddEntry(shift.entry_of(arguments.by, arguments.add, about)))
        if arguments.to is not None:
            assert overview is not None
            record = shift.handover_of(project, overview, arguments.by, arguments.to, arguments.remark)
            project.execute(shift.HandOverShift(record))
        entries, handovers = shift.read_entries(project), shift.read_handovers(project)
        if arguments.out is not None:
            from planner_app.report.paper import write_paper
            from plugins.tunnel.model.monitoring.shift_report import handover_paper

            record = shift.find_handover(handovers, arguments.number)
            lines = shift.entries_between(entries, record.since, record.at)
            write_paper(handover_paper(record, lines, project.name, here), arguments.out)
    data = {"entries": [asdict(one) for one in entries], "handovers": [asdict(one) for one in handovers]}
    return VerbResult(data | ({"file": str(arguments.out)} if arguments.out is not None else {}))


SHIFT = Verb("tunnel shift", "the shift log: read it, write into it, hand over", _configure, run_shift)
