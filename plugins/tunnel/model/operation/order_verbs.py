"""The verb ``tunnel orders``, and what it shares with ``tunnel field``: taking an order on."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.i18n import tr
from planner_app.plugin_api.model import Project, Verb, VerbContext, VerbResult
from plugins.tunnel.model.operation.verbs import _names, a_chainage

if TYPE_CHECKING:
    from plugins.tunnel.model.operation.records import Permit, WorkOrder


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
    add_act_arguments(parser)
    parser.add_argument("--photo", type=Path, default=None, metavar="FILE")
    parser.add_argument("--print", type=Path, default=None, metavar="X.pdf|.docx", help=tr("print the work order"))


def add_act_arguments(parser: argparse.ArgumentParser) -> None:
    """What may be done to a work order, at the desk or in a field package."""
    parser.add_argument("--permit", nargs=2, default=None, metavar=("FROM", "TO"), help=tr("times of the permit"))
    parser.add_argument("--names", default="", metavar="NAME,…", help=tr("who works"))
    parser.add_argument("--attendant", default="", metavar="NAME", help=tr("who stands by outside"))
    parser.add_argument("--measure", action="append", default=[], metavar="TEXT")
    parser.add_argument("--no-entry", action="store_true", help=tr("nobody goes inside"))
    parser.add_argument("--accept", default="", metavar="REASON", help=tr("why a test that only warns is accepted"))
    parser.add_argument("--gas", default="", metavar="READINGS", help='"o2=20.9 ch4=0 h2s=0 co=1 place=K0+100"')
    parser.add_argument(
        "--did", action="append", type=int, default=[], metavar="N", help=tr("step N is done; repeatable")
    )
    parser.add_argument("--status", default="", metavar="STATUS", help="permitted, in_progress, done, closed, open")
    parser.add_argument("--result", default="", metavar="TEXT", help=tr("what was done"))


def asked(arguments: argparse.Namespace) -> bool:
    """True if something is to be done to an order."""
    return any((arguments.permit, arguments.gas, arguments.status, arguments.accept, arguments.did))


def run_orders(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel orders``: work orders, opened, permitted, tested, taken on, closed, printed."""
    from plugins.tunnel.model.operation import figures, rows, tables
    from plugins.tunnel.model.operation.places import Places

    rules = context.rules("tunnel.entry")
    acts = asked(arguments) or arguments.print or arguments.due
    with context.open_project(arguments.file) as project:
        order: WorkOrder | None = None
        if arguments.new or arguments.from_defect:
            order = _opened(project, arguments)
        elif arguments.order:
            order = rows.one(project, tables.ORDERS, arguments.order)
        elif acts:
            raise PlannerError("tunnel.order_which")
        if order is not None:
            order = act(_keeper(project), order, arguments, rules)
            if arguments.print is not None:
                from plugins.tunnel.model.operation.sheets import print_order

                print_order(project, order, rules, arguments.print)
            data = {"order": order_json(order, rules, arguments.at)}
            return VerbResult(data | ({"out": str(arguments.print)} if arguments.print else {}))
        book = figures.read_book(project)
        Places(project).must_know(arguments.tunnel, book.orders)
    its = book.orders if arguments.all else book.open_orders()
    shown = [order_json(one, rules, arguments.at) for one in its if arguments.tunnel in ("", one.tunnel)]
    return VerbResult({"orders": shown})


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


@dataclass(frozen=True)
class Keeper:
    """Where orders are kept: a project or a field package. ``do``: carries a command out; ``now``: an order as it is
    then; ``photo``: keeps a file and says what rows call it."""

    do: Callable[[Any], object]
    now: Callable[[str], WorkOrder]
    photo: Callable[[Path], str]


def _keeper(project: Project) -> Keeper:
    from plugins.tunnel.model.operation import rounds, rows, tables

    return Keeper(
        project.execute, lambda ref: rows.one(project, tables.ORDERS, ref),
        lambda path: rounds.attach_photo(project, path),
    )  # fmt: skip


def act(kept: Keeper, order: WorkOrder, arguments: argparse.Namespace, rules: list[Any]) -> WorkOrder:
    """The order after what the arguments ask for, in the order in which it is done in life."""
    from plugins.tunnel.model.operation import forms, orders, rows
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
        kept.do(orders.SetOrder(order.id, {"permit": orders.check_permit(permit)}, order.number))
    if arguments.gas:
        given = {"time": arguments.at or rows.now(), "by": arguments.by}
        test = orders.check_test(forms.gas_test(arguments.gas, **given))
        kept.do(orders.AddGasTest(order.id, test, order.number))
    if arguments.did:
        done_at = rows.moment(forms.a_moment(arguments.at)) if arguments.at else rows.now()
        kept.do(orders.tick(kept.now(order.id), arguments.did, arguments.by, done_at))
    order = kept.now(order.id)
    if arguments.status:
        if arguments.status not in {one.value for one in OrderStatus}:
            known = ", ".join(one.value for one in OrderStatus)
            raise PlannerError("tunnel.order_status", status=arguments.status, known=known)
        step = orders.advance(
            order, OrderStatus(arguments.status), by=arguments.by, at=arguments.at, rules=rules,
            result=arguments.result, photo=kept.photo(arguments.photo) if arguments.photo else "",
        )  # fmt: skip
        kept.do(step)
    return kept.now(order.id)


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


ORDERS = Verb("tunnel orders", "work orders: permit, gas test, status, close-out, print", _configure_orders, run_orders)
