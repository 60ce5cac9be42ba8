"""Field packages handed out, and writing into them without a project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import Progress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.tunnel.model.operation import rows, tables
from plugins.tunnel.model.operation.field_orders import chosen_orders, entry_forms, with_orders
from plugins.tunnel.model.operation.field_package import Package, Rows, keep, new_package, write_package
from plugins.tunnel.model.operation.figures import Book, read_book
from plugins.tunnel.model.operation.forms import a_moment, somebody
from plugins.tunnel.model.operation.places import Places
from plugins.tunnel.model.operation.records import GRADES, Defect, Examination, Inspection, Observation, Plan
from plugins.tunnel.model.operation.rounds import check_code, photo_type
from plugins.tunnel.model.operation.schedule import RoundState, standing
from plugins.tunnel.model.operation.words import DEFECT_CODES, GRADE_WORDS

#: Tables whose rows have a code, a tunnel and a chainage: what people meet on their way.
_ASSETS = ("tunnel_node", "sensor", "equipment", "manhole_cover", "valve")
_POINTS = 2000


def chosen_plans(book: Book, refs: Sequence[str] = (), tunnels: Sequence[str] = ()) -> list[Plan]:
    """Plans by number, id or tunnel; without either those with a round that is due or overdue.

    Raises:
        PlannerError: ``tunnel.record_unknown``.
    """
    going = [one.plan for one in book.standings]
    if refs:
        found = [_by_ref(book.plans, ref) for ref in refs]
    elif tunnels:
        found = [plan for plan in going if plan.tunnel in tunnels]
    else:
        due = {RoundState.DUE, RoundState.OVERDUE}
        found = [one.plan for one in book.standings if one.state in due]
    return list({plan.id: plan for plan in found}.values())


def _by_ref(plans: Sequence[Plan], ref: str) -> Plan:
    folded = ref.strip().casefold()
    for plan in plans:
        if folded in (plan.id, plan.number.casefold(), plan.number.casefold().removeprefix("xj-").lstrip("0")):
            return plan
    known = ", ".join(plan.number for plan in plans) or "–"
    raise PlannerError(
        "tunnel.record_unknown", id=ref, table=tables.PLANS.title, table_zh=tables.PLANS.title_zh, known=known
    )


def make_package(
    project: Project,
    path: Path,
    *,
    by: str,
    plans: Sequence[str] = (),
    tunnels: Sequence[str] = (),
    orders: Sequence[str] | None = None,
    rules: Sequence[Rule] = (),
    progress: Progress | None = None,
) -> Package:
    """Hand out rounds: their plans, what was already walked and seen in the round that is open, open defects of their
    stretches with their examinations and photos, sections and assets on the way; and open work orders.

    Args:
        orders: numbers or ids of work orders; None: those on the way, or all open ones where nothing is named.
        rules: of kinds ``tunnel.entry.*``, so that a gas test can be judged in the field.

    Raises:
        PlannerError: ``tunnel.field_nothing``, ``tunnel.record_unknown``, ``tunnel.order_closed``, ``tunnel.nobody``,
            ``tunnel.field_not_written``, ``attachment.damaged``.
    """
    by = somebody(by)
    book, places = read_book(project), Places(project)
    chosen = chosen_plans(book, plans, tunnels) if plans or tunnels or not orders else []
    standings = [standing(plan, book.inspections, book.day) for plan in chosen]
    current = {found for one in standings if one.now is not None for found in one.now.inspections}
    spans = {plan.tunnel: _span(chosen, plan.tunnel) for plan in chosen}
    work = chosen_orders(book, orders, spans, tunnels, everything=not plans)
    if not chosen and not work:
        raise PlannerError("tunnel.field_nothing")
    spans = with_orders(spans, work, places)
    inspections = [one for one in book.inspections if one.id in current]
    observations = [one for one in book.observations if one.inspection_id in current]
    repairs = {one.source.removeprefix("defect:") for one in work}
    near = {one.id for one in book.open_defects() if one.tunnel in spans and _within(one.m, spans[one.tunnel])}
    defects = [one for one in book.defects if one.id in near or one.id in repairs]
    ids = {one.id for one in defects}
    examinations = [one for one in book.examinations if one.defect_id in ids]
    handed: Rows = {}
    for table, records in (
        (tables.PLANS, chosen), (tables.INSPECTIONS, inspections), (tables.OBSERVATIONS, observations),
        (tables.DEFECTS, defects), (tables.EXAMINATIONS, examinations), (tables.ORDERS, work),
    ):  # fmt: skip
        every: Sequence[Any] = records
        handed[table.name] = {one.id: table.plain(one) for one in every}
    about = {
        "tunnels": [_tunnel(places, code, name) for code, name in places.tunnels() if code in spans],
        "sections": _sections(project, spans), "assets": _assets(project, spans),
        "rounds": [
            {"plan": one.plan.id, "opens": one.now.opens.isoformat(), "due": one.now.due.isoformat(),
             "state": one.state.value, "covered": round(one.now.covered, 4)}
            for one in standings if one.now is not None
        ],
        "defect_codes": {code: {"en": en, "zh": zh} for code, (_, en, zh) in DEFECT_CODES.items()},
        "entry": entry_forms(rules, book.day),
        "grades": {str(grade): {"en": en, "zh": zh} for grade, (en, zh) in GRADE_WORDS.items()},
    }  # fmt: skip
    made = new_package(project.name, project.crs, book.day.isoformat(), by, rows.now(), about, handed)
    photos = [one.photo for one in examinations] + [one.photo for one in observations] + [one.photo for one in work]
    for sha256 in filter(None, photos):
        if progress is not None:
            check(progress)
        made.new_media[sha256] = project.read_attachment(sha256)
    write_package(made, path)
    return made


def _span(plans: Sequence[Plan], tunnel: str) -> tuple[float, float]:
    its = [plan for plan in plans if plan.tunnel == tunnel]
    return min(plan.from_m for plan in its), max(plan.to_m for plan in its)


def _within(m: float | None, span: tuple[float, float]) -> bool:
    return m is not None and span[0] - 1 <= m <= span[1] + 1


def _tunnel(places: Places, code: str, name: str) -> dict[str, Any]:
    axis = places.axis(code)
    low, high = axis.ends
    step = max(len(axis.m) // _POINTS, 1)
    points = [
        [round(float(m), 3), *(None if value != value else round(float(value), 3) for value in xyz)]
        for m, xyz in zip(axis.m[::step], axis.xyz[::step], strict=True)
    ]
    return {
        "code": code, "name": name, "from_m": round(low, 2), "to_m": round(high, 2),
        "compartments": list(places.compartments(code)), "axis": points,
    }  # fmt: skip


def _sections(project: Project, spans: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    from plugins.tunnel.model.space.load import among, number, text
    from plugins.tunnel.model.space.load import rows as read
    from plugins.tunnel.model.space.tables import SECTION

    found = []
    for row in read(project, SECTION, among("tunnel", list(spans))):
        low, high = number(row["from_m"]), number(row["to_m"])
        span = spans[text(row["tunnel"])]
        if low is not None and high is not None and low <= span[1] and high >= span[0]:
            found.append({"code": text(row["code"]), "tunnel": text(row["tunnel"]), "from_m": low, "to_m": high})
    return found


def _assets(project: Project, spans: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    from plugins.tunnel.model.space.load import number, text

    found: list[dict[str, Any]] = []
    for layer in project.layers():
        name = layer.role.removeprefix("tunnel.") if layer.role else layer.id
        if name not in _ASSETS or any(layer.field(one) is None for one in ("code", "tunnel", "m")):
            continue
        columns = [one for one in ("code", "kind", "tunnel", "m", "compartment") if layer.field(one) is not None]
        its = project.read(layer.id, columns=columns, geometry=False)
        for values in zip(*(its.columns[one] for one in columns), strict=True):
            row = dict(zip(columns, values, strict=True))
            tunnel, m = text(row["tunnel"]), number(row["m"])
            if tunnel in spans and _within(m, spans[tunnel]):
                found.append({"table": name, **{one: row.get(one) for one in columns}, "m": m})
    return sorted(found, key=lambda row: (row["tunnel"], row["m"]))


# ---------------------------------------------------------------- in the field, without a project


def field_round(package: Package, plan_ref: str, by: str, at: str = "") -> Inspection:
    """The round a person walks on a plan: theirs of that day, begun if there is none.

    Raises:
        PlannerError: ``tunnel.record_unknown``, ``tunnel.nobody``, ``tunnel.moment_wrong``.
    """
    by, when = somebody(by), rows.moment(a_moment(at)) if at else rows.now()
    plans = [
        tables.PLANS.from_plain(uuid, row) for uuid, row in package.data.get(tables.PLANS.name, {}).items()
    ]  # fmt: skip
    plan = _by_ref(plans, plan_ref) if plan_ref or len(plans) != 1 else plans[0]
    for uuid, row in package.data.get(tables.INSPECTIONS.name, {}).items():
        one = tables.INSPECTIONS.from_plain(uuid, row)
        if one.plan_id == plan.id and one.by == by and rows.day_of(one.started) == rows.day_of(when):
            return one
    begun = Inspection(
        rows.new_id(), "", plan.id, plan.tunnel, plan.from_m, plan.to_m, plan.compartments, by, when, when
    )  # fmt: skip
    keep(package, tables.INSPECTIONS, begun)
    return begun


def field_observation(
    package: Package, round_: Inspection, seen: Observation, *, photo: bytes = b"", same: str = ""
) -> Observation:
    """Write an observation into a package (which is not saved by this).

    Args:
        photo: content of a JPEG, PNG or WebP file.
        same: number or id of the defect in the package that this is; its next examination is written, too.

    Raises:
        PlannerError: ``tunnel.observation_empty``, ``tunnel.grade_wrong``, ``tunnel.m_outside``,
            ``tunnel.compartment_kind_unknown``, ``tunnel.photo_unreadable``, ``tunnel.record_unknown``.
    """
    import hashlib

    if photo:
        if not photo_type(photo):
            raise PlannerError("tunnel.photo_unreadable", file="", detail="JPEG, PNG, WebP")
        digest = hashlib.sha256(photo).hexdigest()
        package.new_media[digest] = photo
        seen = replace(seen, photo=digest)
    if not (seen.text.strip() or seen.code or seen.photo):
        raise PlannerError("tunnel.observation_empty")
    if seen.grade and seen.grade not in GRADES:
        raise PlannerError("tunnel.grade_wrong", grade=seen.grade)
    check_code(seen.code)
    defect = _defect(package, same) if same else None
    time = rows.moment(a_moment(seen.time)) if seen.time else rows.now()
    seen = replace(
        seen, id=rows.new_id(), inspection_id=round_.id, tunnel=seen.tunnel or round_.tunnel, by=seen.by or round_.by,
        time=time, defect_id=defect.id if defect else "",
    )  # fmt: skip
    _check_place(package, seen)
    keep(package, tables.OBSERVATIONS, seen)
    if time > round_.ended:
        keep(package, tables.INSPECTIONS, replace(round_, ended=time))
    if defect is not None:
        grade = seen.grade or defect.grade
        examined = Examination(
            rows.new_id(), defect.id, seen.id, "seen", grade, seen.text, seen.photo, seen.by, time
        )  # fmt: skip
        keep(package, tables.EXAMINATIONS, examined)
        keep(package, tables.DEFECTS, replace(defect, grade=grade, last_seen=max(time, defect.last_seen)))
    return seen


def _check_place(package: Package, seen: Observation) -> None:
    """The same checks as at the desk, against what the package says of the tunnel."""
    about = next((one for one in package.about.get("tunnels", []) if one.get("code") == seen.tunnel), None)
    if about is None:
        known = ", ".join(str(one.get("code")) for one in package.about.get("tunnels", []))
        raise PlannerError("tunnel.tunnel_unknown", id=seen.tunnel, known=known or "–")
    low, high = float(about["from_m"]), float(about["to_m"])
    if not low - 0.05 <= seen.m <= high + 0.05:
        raise PlannerError("tunnel.m_outside", tunnel=seen.tunnel, m=seen.m, low=low, high=high)
    kinds = about.get("compartments") or []
    if seen.compartment and kinds and seen.compartment not in kinds:
        raise PlannerError(
            "tunnel.compartment_kind_unknown", name=seen.compartment, tunnel=seen.tunnel, known=", ".join(kinds)
        )


def _defect(package: Package, ref: str) -> Defect:
    every = package.data.get(tables.DEFECTS.name, {})
    for uuid, row in every.items():
        if ref.strip().casefold() in (uuid, str(row.get("number", "")).casefold()):
            return tables.DEFECTS.from_plain(uuid, row)
    known = ", ".join(str(row.get("number", "")) for row in every.values()) or "–"
    raise PlannerError(
        "tunnel.record_unknown", id=ref, table=tables.DEFECTS.title, table_zh=tables.DEFECTS.title_zh, known=known
    )
