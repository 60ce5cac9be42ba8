"""The dock's table of clearances."""

from __future__ import annotations

import math

from PySide6.QtCore import QObject

from planner_app.i18n import tr
from planner_app.plugin_api.widgets import Column, RowTable
from planner_app.report.findings import verdict_word
from plugins.tunnel.model.clearance.report import Pair
from plugins.tunnel.model.clearance.verbs import message
from plugins.tunnel.ui.analysis.words import clause

GRAVITY = ("fail", "needs_certificate", "cannot_judge", "pass")


def side(pair: Pair, at: int) -> str:
    """One side of a pair as people write it: code and what runs there."""
    from plugins.tunnel.model.space.kinds import NAMES

    name, kind = (pair.a, pair.b)[at], pair.kinds[at]
    own = {"tunnel": tr("tunnel"), "building": tr("building"), "structure": tr("works"), "drain": tr("Drainage")}
    shown = own.get(kind) or tr(NAMES.get(kind, NAMES["unknown"]))
    return f"{name.partition(':')[2] or name} · {shown}"


def metres(value: float | None) -> str:
    """Metres to the centimetre; – where not known."""
    return "–" if value is None or math.isnan(value) or math.isinf(value) else f"{value:,.2f}"


def _sortable(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value


def pair_rows(parent: QObject) -> RowTable[Pair]:
    """A model of pairs: three distances, what is required, verdict, clause."""
    return RowTable(
        [
            Column(tr("Verdict"), lambda one: _verdict(one),
                   lambda one: float(GRAVITY.index(str(one.deciding.verdict))),
                   pill=lambda one: str(one.deciding.verdict)),
            Column(tr("A"), lambda one: side(one, 0), width=190),
            Column(tr("B"), lambda one: side(one, 1), width=190),
            Column(tr("Plan (m)"), lambda one: metres(one.plan), lambda one: _sortable(one.plan), right=True),
            Column(tr("Vertical (m)"), lambda one: metres(one.vertical), lambda one: _sortable(one.vertical),
                   right=True),
            Column(tr("True (m)"), lambda one: metres(one.true), lambda one: _sortable(one.true), right=True),
            Column(tr("Required (m)"), lambda one: metres(one.deciding.required),
                   lambda one: _sortable(one.deciding.required), right=True),
            Column(tr("Clause"), lambda one: clause(one.deciding.rule), width=190),
            Column(tr("Judgement"), lambda one: message(one.deciding), width=420),
        ],
        parent,
    )  # fmt: skip


def _verdict(one: Pair) -> str:
    said = verdict_word(str(one.deciding.verdict))
    return f"{said} · {tr('borderline')}" if one.deciding.borderline else said
