"""The verbs ``tunnel orders`` and ``tunnel field``."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult
from plugins.tunnel.model.operation.verbs import _names, a_chainage, add_observation_arguments, observation_of

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.records import Conflict, Permit, WorkOrder


def _configure_orders(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path)
    parser.add_argument("--all", action="store_true", help=tr("closed ones, too"))
    parser.add_argument("--order", default="", metavar="ORDER", help=tr("one work order, to look at or to take on"))
    parser.add_argument("--new", default="", metavar="TITLE", help=tr("open a work order"))
    parser.add_argument("--from-defect", default="", metavar="DEFECT", help=tr("open one to repair this defect"))
    parser.add_argument("--kind", default="", metavar="KIND", help="repair, isolation, alarm, inspection, other")
    parser.add_argument("--subject", default="")
    parser.add_argument("--source", default="")
    parser.add_argument("--tunnel", default="", metavar="CODE")
    parser.add_argument("--m", type=a_chainage, default=None, metavar="M", help=tr("chainage, m or K0+123.4"))
    parser.add_argument("--step", action="append", default=[], metavar="TEXT", help=tr("what to do; repeatable"))
    parser.add_argument("--responsible", default="", metavar="NAME")
    parser.add_argument("--due", default="", metavar="DATE")
    parser.add_argument("--by", default="", metavar="NAME")
    parser.add_argument("--at", default="", metavar="TIME", help=tr("the moment, now unless given"))
    parser.add_argument("--permit", nargs=2, default=None, metavar=("FROM", "TO"), help=tr("times of the permit"))
    parser.add_argument("--names", default="", metavar="NAME,…", help=tr("who works"))
    parser.add_argument("--attendant", default="", metavar="NAME", help=tr("who stands by outside"))
    parser.add_argument("--measure", action="append", default=[], metavar="TEXT")
    parser.add_argument("--no-entry", action="store_true", help=tr("nobody goes inside"))
    parser.add_argument("--accept", default="", metavar="REASON", help=tr("why a test that only warns is accepted"))
    parser.add_argument("--gas", default="", metavar="READINGS", help='"o2=20.9 ch4=0 h2s=0 co=1 place=K0+100"')
    parser.add_argument("--status", default="", metavar="STATUS", help="permitted, in_progress, done, closed, open")
    parser.add_argument("--result", default="", metavar="TEXT", help=tr("what was done"))
    parser.add_argument("--photo", type=Path, default=None, metavar="FILE")
    parser.add_argument("--print", type=Path, default=None, metavar="X.pdf|.docx", help=tr("print the work order"))


def run_orders(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel orders``: work orders, opened, permitted, tested, taken on, closed, printed."""
    from plugins.tunnel.model.operation import figures, rows, tables

    rules = context.rules("tunnel.entry")
    acts = any((arguments.permit, arguments.gas, arguments.status, arguments.accept, arguments.print, arguments.due))
    with context.open_project(arguments.file) as project:
        order: WorkOrder | None = None
        if arguments.new or arguments.from_defect:
            order = _opened(project, arguments)
        elif arguments.order:
            order = rows.one(project, tables.ORDERS, arguments.order)
        elif acts:
            raise PlannerError("tunnel.order_which")
        if order is not None:
            order = _acted(project, order, arguments, rules)
            if arguments.print is not None:
                from plugins.tunnel.model.operation.sheets import print_order

                print_order(project, order, rules, arguments.print)
            data = {"order": order_json(order, rules, arguments.at)}
            return VerbResult(data | ({"out": str(arguments.print)} if arguments.print else {}))
        book = figures.read_book(project)
    its = book.orders if arguments.all else book.open_orders()
    return VerbResult({"orders": [order_json(one, rules, arguments.at) for one in its]})


def _opened(project: Project, arguments: argparse.Namespace) -> WorkOrder:
    from plugins.tunnel.model.operation import orders, rows, tables
    from plugins.tunnel.model.operation.words import defect_word

    given = {
        "title": arguments.new, "kind": arguments.kind or "other", "subject": arguments.subject,
        "source": arguments.source, "tunnel": arguments.tunnel, "m": arguments.m,
    }  # fmt: skip
    if arguments.from_defect:
        defect = rows.one(project, tables.DEFECTS, arguments.from_defect)
        given |= {
            "title": arguments.new or f"{defect.number} {defect_word(defect.code)}", "kind": arguments.kind or "repair",
            "source": f"defect:{defect.id}", "subject": defect.number, "tunnel": defect.tunnel, "m": defect.m,
            "compartment": defect.compartment,
        }  # fmt: skip
    order = orders.new_order(
        project, **given, by=arguments.by, steps=arguments.step, responsible=arguments.responsible, due=arguments.due
    )
    return orders.open_order(project, order)


def _acted(project: Project, order: WorkOrder, arguments: argparse.Namespace, rules: list[Any]) -> WorkOrder:
    """The order after what the arguments ask for, in the order in which it is done in life."""
    from plugins.tunnel.model.operation import forms, orders, rounds, rows, tables
    from plugins.tunnel.model.operation.records import OrderStatus, Permit

    permit: Permit | None = None
    if arguments.permit:
        permit = Permit(
            not arguments.no_entry, arguments.permit[0], arguments.permit[1], arguments.by, _names(arguments.names),
            arguments.attendant, tuple(arguments.measure),
        )  # fmt: skip
    elif arguments.accept:
        permit = order.permit or Permit()
    if permit is not None:
        if arguments.accept:
            permit = replace(permit, accepted=arguments.accept, accepted_by=arguments.by)
        project.execute(orders.SetOrder(order.id, {"permit": orders.check_permit(permit)}, order.number))
    if arguments.gas:
        given = {"time": arguments.at or rows.now(), "by": arguments.by}
        test = orders.check_test(forms.gas_test(arguments.gas, **given))
        project.execute(orders.AddGasTest(order.id, test, order.number))
    order = rows.one(project, tables.ORDERS, order.id)
    if arguments.status:
        if arguments.status not in {one.value for one in OrderStatus}:
            known = ", ".join(one.value for one in OrderStatus)
            raise PlannerError("tunnel.order_status", status=arguments.status, known=known)
        photo = rounds.attach_photo(project, arguments.photo) if arguments.photo else ""
        step = orders.advance(
            order, OrderStatus(arguments.status), by=arguments.by, at=arguments.at, rules=rules,
            result=arguments.result, photo=photo,
        )  # fmt: skip
        project.execute(step)
    return rows.one(project, tables.ORDERS, order.id)


def order_json(order: WorkOrder, rules: list[Any], at: str = "") -> dict[str, Any]:
    """A work order as the command line prints it; ``entry``: its gas tests judged for going in at a moment."""
    from planner_app.report.findings import finding_json
    from plugins.tunnel.model.operation import orders
    from plugins.tunnel.model.operation.forms import a_moment
    from plugins.tunnel.model.operation.tables import ORDERS

    plain = ORDERS.plain(order)
    moment = a_moment(at) if at else datetime.now(UTC)
    judged = order.status.value in ("open", "permitted", "in_progress")
    found = orders.judge_order(order, rules, moment) if judged else []
    return plain | {"id": order.id, "due": order.due or None, "entry": [finding_json(one) for one in found]}


# ---------------------------------------------------------------- field


def _configure_field(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help=tr("a project, or a field package to look at or write into"))
    parser.add_argument("--out", type=Path, default=None, metavar="X.fieldpkg", help=tr("hand rounds out"))
    parser.add_argument("--plan", action="append", default=[], metavar="PLAN", help=tr("these plans; repeatable"))
    parser.add_argument("--tunnel", action="append", default=[], metavar="CODE", help=tr("plans of these tunnels"))
    parser.add_argument("--take-in", type=Path, default=None, metavar="X.fieldpkg", help=tr("merge a package"))
    parser.add_argument("--resolve", choices=("ours", "theirs", "ask"), default="ask", help=tr("who wins conflicts"))
    parser.add_argument("--decide", default="", metavar="CONFLICT", help=tr("decide one conflict with --resolve"))
    parser.add_argument("--add-observation", action="store_true", help=tr("write an observation into a package"))
    parser.add_argument("--by", default="", metavar="NAME")
    parser.add_argument("--at", default="", metavar="TIME", help=tr("the moment, now unless given"))
    add_observation_arguments(parser)


def run_field(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel field``: hand a package out, write into it, take it in, decide conflicts."""
    if arguments.add_observation:
        return VerbResult(_written(arguments))
    if not arguments.out and not arguments.take_in and not arguments.decide and _is_zip(arguments.file):
        return VerbResult(_looked_at(arguments.file))
    with context.open_project(arguments.file) as project:
        if arguments.out is not None:
            return VerbResult(_handed_out(context, project, arguments))
        if arguments.take_in is not None:
            return VerbResult(_taken_in(context, project, arguments))
        if arguments.decide:
            _decided(project, arguments)
        return VerbResult({"conflicts": _open_conflicts(project)})


def _is_zip(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(2) == b"PK"
    except OSError:
        return False


def _handed_out(context: VerbContext, project: Project, arguments: argparse.Namespace) -> dict[str, Any]:
    from plugins.tunnel.model.operation.field_making import make_package

    by = arguments.by or project.user
    made = make_package(
        project, arguments.out, by=by, plans=arguments.plan, tunnels=arguments.tunnel, progress=context.progress
    )
    return {
        "out": str(arguments.out), "package": made.id, **{name: len(rows) for name, rows in made.base.items()},
        "assets": len(made.about["assets"]), "sections": len(made.about["sections"]), "photos": len(made.media),
    }  # fmt: skip


def _looked_at(path: Path) -> dict[str, Any]:
    from plugins.tunnel.model.operation.field_package import read_package

    package = read_package(path)
    new = {
        name: sum(uuid not in package.base.get(name, {}) for uuid in rows) for name, rows in package.data.items()
    }  # fmt: skip
    return {
        "manifest": package.manifest, "rows": {name: len(rows) for name, rows in package.data.items()}, "new": new,
        "rounds": package.about.get("rounds", []), "photos": len(package.media),
    }  # fmt: skip


def _written(arguments: argparse.Namespace) -> dict[str, Any]:
    from plugins.tunnel.model.operation.field_making import field_observation, field_round
    from plugins.tunnel.model.operation.field_package import read_package, write_package

    package = read_package(arguments.file)
    walk = field_round(package, arguments.plan[0] if arguments.plan else "", arguments.by, arguments.at)
    photo = b""
    if arguments.photo is not None:
        try:
            photo = arguments.photo.read_bytes()
        except OSError as error:
            raise PlannerError(
                "tunnel.photo_unreadable", file=arguments.photo.name, detail=error.strerror or str(error)
            ) from error
    seen = observation_of(arguments, time=arguments.at, tunnel=arguments.tunnel[0] if arguments.tunnel else "")
    kept = field_observation(package, walk, seen, photo=photo, same=arguments.same)
    write_package(package, arguments.file)
    return {"observation": kept.id, "round": walk.id, "m": kept.m, "photo": kept.photo or None}


def _taken_in(context: VerbContext, project: Project, arguments: argparse.Namespace) -> dict[str, Any]:
    from plugins.tunnel.model.operation import rows
    from plugins.tunnel.model.operation.field_merge import decide, take_in
    from plugins.tunnel.model.operation.field_package import read_package

    rows.prepare(project)
    done = take_in(project, read_package(arguments.take_in), context.progress)
    if not done.empty:
        project.execute(done)
    if arguments.resolve != "ask":
        for one in done.conflicts:
            project.execute(decide(project, one, arguments.resolve, arguments.by or project.user))
    return {
        "new": len(done.inserts), "changed": len(done.updates), "conflicts_found": len(done.conflicts),
        "conflicts": _open_conflicts(project),
    }  # fmt: skip


def _decided(project: Project, arguments: argparse.Namespace) -> None:
    from plugins.tunnel.model.operation import rows, tables
    from plugins.tunnel.model.operation.field_merge import decide

    every = [one for one in rows.read(project, tables.CONFLICTS) if one.id.startswith(arguments.decide.casefold())]
    if len(every) != 1:
        known = ", ".join(one["id"] for one in _open_conflicts(project)) or "–"
        raise PlannerError(
            "tunnel.record_unknown", id=arguments.decide, table=tables.CONFLICTS.title,
            table_zh=tables.CONFLICTS.title_zh, known=known,
        )  # fmt: skip
    project.execute(decide(project, every[0], arguments.resolve, arguments.by or project.user))


def _open_conflicts(project: Project) -> list[dict[str, Any]]:
    from plugins.tunnel.model.operation import rows, tables

    return [conflict_json(one) for one in rows.read(project, tables.CONFLICTS) if not one.decided]


def conflict_json(one: Conflict) -> dict[str, Any]:
    """A conflict as the command line prints it; ``column`` is None where the desk deleted the row."""
    return {
        "id": one.id, "table": one.table_name, "key": one.row,
        "column": None if one.column_name == "*" else one.column_name, "base": json.loads(one.base),
        "ours": json.loads(one.ours), "theirs": json.loads(one.theirs),
    }  # fmt: skip


ORDERS = Verb("tunnel orders", "work orders: permit, gas test, status, close-out, print", _configure_orders, run_orders)
FIELD = Verb("tunnel field", "field packages: hand out, write into, take in", _configure_field, run_field)
