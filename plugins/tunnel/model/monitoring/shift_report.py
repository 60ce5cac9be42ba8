"""A hand-over on paper: who to whom, what stood, what is open, what was noted, and two places to sign."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from planner_app.i18n import tr
from planner_app.report.paper import Cell, Column, Facts, Heading, Paper, Signature, Signatures, Table, Text
from plugins.tunnel.model.monitoring.shift import Entry, HandOver
from plugins.tunnel.model.monitoring.words import level_word, number

_TONES = {"alarm": "fail", "warning": "needs_certificate", "fault": "cannot_judge"}


def handover_paper(record: HandOver, entries: Sequence[Entry], project: str, here: tzinfo) -> Paper:
    """The document of a hand-over; times in the zone of the desk."""
    figures = record.figures or {}
    facts = Facts(
        [
            (tr("Handed over by"), record.giver), (tr("Taken over by"), record.taker),
            (tr("Time"), local(record.at, here)), (tr("Shift since"), local(record.since, here)),
            (tr("Sensors"), str(figures.get("sensors", ""))), (tr("Silent sensors"), str(figures.get("silent", ""))),
            (tr("Calibrations due"), str(figures.get("due", ""))),
        ]
    )  # fmt: skip
    alarms = Table(
        [
            Column(tr("Level"), 11), Column(tr("Sensor"), 21), Column(tr("Alarm"), 22), Column(tr("Since"), 16),
            Column(tr("Value"), 10, "right"), Column(tr("Clause"), 20),
        ],
        [
            [
                Cell(level_word(str(one.get("level", ""))), tone=_TONES.get(str(one.get("level", "")), "cannot_judge")),
                Cell(str(one.get("sensor", "")), note=_acknowledged(one.get("acknowledged_by"))),
                Cell(str(one.get("title", "")), note=str(one.get("limit", ""))),
                local(str(one.get("raised", "")), here),
                number(one.get("value"), str(one.get("unit", ""))), str(one.get("clause", "")),
            ]
            for one in record.alarms
        ],
        tr("No alarm stood."),
    )  # fmt: skip
    orders = Table(
        [Column(tr("Number"), 18), Column(tr("Work order"), 52), Column(tr("Responsible"), 30)],
        [[one.get("number", ""), one.get("title", ""), one.get("responsible", "")] for one in record.orders],
        tr("No work order is open."),
    )
    log = Table(
        [Column(tr("Time"), 20), Column(tr("Author"), 16), Column(tr("Entry"), 64)],
        [[local(one.at, here), one.author, Cell(one.text, note=one.sensor)] for one in entries],
        tr("Nothing was noted."),
    )
    sign = [
        Signature(role, [(tr("Name"), name), (tr("Signature"), ""), (tr("Date"), "")])
        for role, name in ((tr("Handed over by"), record.giver), (tr("Taken over by"), record.taker))
    ]
    return Paper(
        tr("Shift hand-over"),
        [
            facts,
            Heading(tr("Standing alarms"), str(len(record.alarms))), alarms,
            Heading(tr("Open work orders"), str(len(record.orders))), orders,
            Heading(tr("Shift log"), str(len(entries))), log,
            Heading(tr("Remarks")), Text(record.remark or tr("None.")),
            Signatures(sign),
        ],
        over=project, under=f"{record.number} · {local(record.at, here)}", author=record.giver,
    )  # fmt: skip


def _acknowledged(name: object) -> str:
    return tr("acknowledged by {name}", name=name) if name else tr("not acknowledged")


def local(text: str, here: tzinfo) -> str:
    """A kept moment at the desk; empty for none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return when.astimezone(here).strftime("%Y-%m-%d %H:%M") if when.tzinfo else text
