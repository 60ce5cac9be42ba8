"""What the project file keeps of a tunnel's operation: one record class per table.

Moments are ISO 8601 UTC, days ISO dates, chainages metres along the tunnel, ids are the rows' uuids; a photo is the
SHA-256 of an attachment. ``by`` is a person's name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Plan:
    """Who walks where how often, and looks at what.

    Attributes:
        compartments: kinds of compartments (综合, 燃气 …), empty for all.
        every_days: rounds follow each other in so many days from ``start`` on; ``ended``: last day, empty while it
            goes on.
    """

    id: str
    number: str = ""
    name: str = ""
    tunnel: str = ""
    from_m: float = 0.0
    to_m: float = 0.0
    compartments: tuple[str, ...] = ()
    every_days: int = 7
    look_at: tuple[str, ...] = ()
    responsible: str = ""
    start: str = ""
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A round carried out; ``plan_id`` empty for one that nobody planned."""

    id: str
    number: str = ""
    plan_id: str = ""
    tunnel: str = ""
    from_m: float = 0.0
    to_m: float = 0.0
    compartments: tuple[str, ...] = ()
    by: str = ""
    started: str = ""
    ended: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen at a place on a round. ``code``, ``grade``: of a possible defect ("" and 0: none).

    ``position``: where in the section (顶板, 左侧壁 …); ``defect_id``: the defect that a person took it for.
    """

    id: str
    inspection_id: str = ""
    tunnel: str = ""
    m: float = 0.0
    compartment: str = ""
    position: str = ""
    text: str = ""
    code: str = ""
    grade: int = 0
    photo: str = ""
    by: str = ""
    time: str = ""
    defect_id: str = ""


class DefectStatus(StrEnum):
    """Where a defect stands."""

    OPEN = "open"
    CLOSED = "closed"


#: 1 slight, to be watched · 2 moderate, repair planned · 3 serious, repair soon · 4 dangerous, at once.
GRADES = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Defect:
    """A fault at a place; grade and ``last_seen`` are those of its newest examination, ``wkb`` its place."""

    id: str
    number: str = ""
    tunnel: str = ""
    m: float = 0.0
    to_m: float | None = None
    compartment: str = ""
    position: str = ""
    code: str = ""
    grade: int = 1
    status: DefectStatus = DefectStatus.OPEN
    text: str = ""
    first_seen: str = ""
    last_seen: str = ""
    closed_at: str = ""
    closed_by: str = ""
    wkb: bytes | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """A defect seen once. ``event``: found | seen | repaired | reopened."""

    id: str
    defect_id: str = ""
    observation_id: str = ""
    event: str = "seen"
    grade: int = 1
    text: str = ""
    photo: str = ""
    by: str = ""
    time: str = ""


class OrderStatus(StrEnum):
    """Where a work order stands, in the order of its life."""

    OPEN = "open"  # 待许可
    PERMITTED = "permitted"  # 已许可
    IN_PROGRESS = "in_progress"  # 作业中
    DONE = "done"  # 待验收
    CLOSED = "closed"  # 已销号


#: Kinds of work order.
ORDER_KINDS = ("repair", "isolation", "alarm", "inspection", "other")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do in its order; done once ``done_at`` is set."""

    text: str
    done_by: str = ""
    done_at: str = ""


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to work. ``entry``: people go inside, so that gas tests count; ``valid_from``, ``valid_to``: moments.

    ``accepted``: why the issuer accepts a test that fails a rule which only warns, with ``accepted_by``.
    """

    entry: bool = True
    valid_from: str = ""
    valid_to: str = ""
    issued_by: str = ""
    names: tuple[str, ...] = ()
    attendant: str = ""
    measures: tuple[str, ...] = ()
    accepted: str = ""
    accepted_by: str = ""


@dataclass(frozen=True, slots=True)
class GasTest:
    """A gas test at a place: O₂ % vol, CH₄ %LEL, H₂S and CO mg/m³; None: not measured."""

    time: str
    place: str = ""
    o2: float | None = None
    ch4: float | None = None
    h2s: float | None = None
    co: float | None = None
    by: str = ""
    instrument: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """An entry of an order's life: it became ``status``."""

    status: str
    by: str
    time: str
    remark: str = ""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """Work to be done, from opening to close-out.

    Attributes:
        source: what it comes from: ``defect:<id>``, ``alarm:<sensor>/<rule>``, ``isolation:<place>`` or empty.
        subject: what is worked on; ``result``: what came of it, ``photo``: of that.
        life: every status with who and when.
    """

    id: str
    number: str = ""
    title: str = ""
    kind: str = "other"
    subject: str = ""
    source: str = ""
    tunnel: str = ""
    m: float | None = None
    compartment: str = ""
    status: OrderStatus = OrderStatus.OPEN
    responsible: str = ""
    due: str = ""
    steps: tuple[Step, ...] = ()
    permit: Permit | None = None
    gas_tests: tuple[GasTest, ...] = ()
    result: str = ""
    photo: str = ""
    life: tuple[Passed, ...] = field(default=())
    created_by: str = ""
    created_at: str = ""
    wkb: bytes | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A cell that both the field and the desk changed; both values stay until a person decides: ``ours`` or ``theirs``.

    ``base``, ``ours``, ``theirs``: JSON; ``column`` is ``*`` where the desk deleted the row.
    """

    id: str
    package: str = ""
    table_name: str = ""
    row: str = ""
    column_name: str = ""
    base: str = ""
    ours: str = ""
    theirs: str = ""
    found_at: str = ""
    decided: str = ""
    decided_by: str = ""
    decided_at: str = ""


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A row as it was last taken in from a field package (``taken``: JSON): what its next take-in is compared with."""

    id: str
    package: str = ""
    table_name: str = ""
    row: str = ""
    taken: str = ""
