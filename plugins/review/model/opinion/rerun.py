"""Computing a sealed opinion again, from the inputs and the rules embedded in it: years later, on another machine,
under a later edition of the rules, without the project it came from."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.review.model.checking.types import Subject as CheckSubject
from plugins.review.model.checking.types import Surroundings
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.indicators.rule_sets import AreaRules, CityRules, RuleSets
from plugins.review.model.opinion.canonical import differences, plain
from plugins.review.model.opinion.restore import restore
from plugins.review.model.opinion.seal import Sealed, program, read_sealed, subject_json
from plugins.review.model.opinion.types import Subject
from plugins.review.model.reading.convention import Convention

if TYPE_CHECKING:
    from plugins.review.model.cases.records import DrawingRecord

#: Sections that are computed; everything else is what people entered.
COMPUTED = (
    "reading",
    "repairs",
    "indicators",
    "buildings",
    "setbacks",
    "spacings",
    "measured",
    "check",
    "findings",
    "rows",
)


@dataclass(frozen=True, slots=True)
class Rerun:
    """What computing again gave.

    Attributes:
        same: every computed value is what was sealed, to the last bit.
        differences: (path, sealed, now) of those that are not, at most 200.
        program: (what, then, now) of the program and libraries that have another version.
    """

    same: bool
    seal: str
    number: str
    compared: int
    differences: tuple[tuple[str, Any, Any], ...] = ()
    program: tuple[tuple[str, str, str], ...] = ()


def rerun_sealed(
    project: Project | None,
    source: Path | bytes,
    *,
    drawing: Path | None = None,
    progress: Progress | None = None,
) -> Rerun:
    """Compute a sealed opinion again and compare.

    Args:
        project: where the drawing is taken from if it is not embedded; None: nowhere.
        source: the sealed file or its content; must be unchanged.
        drawing: the drawing's file, where it is neither embedded nor in the project.

    Raises:
        PlannerError: ``review.seal_broken`` and the others of :func:`read_sealed`, ``review.seal_no_drawing``,
            ``review.seal_shape`` (a record this program does not know), what reading the drawing refuses. Cancelled.
    """
    progress = progress or NoProgress()
    sealed = read_sealed(source)
    now = _computed(sealed, project, drawing, progress)
    before = {key: sealed.content[key] for key in COMPUTED}
    found = differences(before, now)
    then = sealed.content["about"]["program"]
    moved = tuple(
        (name, str(then.get(name, "")), version)
        for name, version in program().items()
        if str(then.get(name, "")) != version
    )
    progress.update(1.0)
    return Rerun(not found, sealed.seal, sealed.content["about"]["number"], _leaves(before), tuple(found), moved)


def _leaves(data: Any) -> int:
    if isinstance(data, Mapping):
        return sum(_leaves(one) for one in data.values())
    if isinstance(data, list):
        return sum(_leaves(one) for one in data)
    return 1


def _computed(sealed: Sealed, project: Project | None, given: Path | None, progress: Progress) -> dict[str, Any]:
    from plugins.review.model.cases.records import DrawingRecord
    from plugins.review.model.checking.check import check as judge
    from plugins.review.model.indicators.measure import measure
    from plugins.review.model.reading.site_plan import read_site_plan

    content = sealed.content
    record = restore(DrawingRecord, content["drawing"])
    context, on = content["context"], date.fromisoformat(content["check"]["on"])
    conventions = {one.name: one for one in (restore(Convention, entry) for entry in content["conventions"])}
    sets = RuleSets(
        tuple(restore(AreaRules, one) for one in content["area_rules"]),
        tuple(restore(CityRules, one) for one in content["city_rules"]),
    )
    conditions = restore(Conditions, content["conditions"]) if content["conditions"] else None
    drawing = _drawing(sealed, record, project, given, SubProgress(progress, 0.0, 0.7))
    plan = read_site_plan(drawing, record.options, conventions=conventions, parcel_area=context["parcel_area"])
    check(progress)
    progress.update(0.8, "stage.review_measure")
    indicators = measure(plan, drawing, on=on, city=context["city"], rule_sets=sets)
    check(progress)
    progress.update(0.9, "stage.review_check")
    with _mover(sealed, record) as to_project:
        subject = CheckSubject(
            plan, indicators, conditions, on, context["city"], to_project,
            restore(Surroundings, content["surroundings"]), context["answers"], sets.city(context["city"], on),
        )  # fmt: skip
        result = judge(subject, [restore(Rule, one) for one in content["rules"]])
    told = subject_json(Subject(record, plan, indicators, drawing.notes, len(drawing.entities)))
    told |= {
        "check": plain(
            {"verdict": result.verdict, "on": result.on, "notes": result.notes, "rule_set": result.rule_set}
        ),
        "findings": plain(result.findings),
        "rows": plain(result.rows),
    }
    return {key: told[key] for key in COMPUTED}


def _drawing(
    sealed: Sealed, record: DrawingRecord, project: Project | None, given: Path | None, progress: Progress
) -> Drawing:
    """The drawing, from the sealed file, the project or a file; its hash decides."""
    from plugins.review.model.drawing.intake import read_drawing

    data: bytes | None = None
    if record.sha256 in sealed.files:
        data = sealed.files[record.sha256][1]
    elif given is not None:
        data = given.read_bytes()
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise PlannerError("review.seal_other_drawing", file=given.name, drawing=record.file_name)
    elif project is not None and any(one.sha256 == record.sha256 for one in project.attachments()):
        data = project.read_attachment(record.sha256)
    if data is None:
        raise PlannerError("review.seal_no_drawing", drawing=record.file_name, sha256=record.sha256)
    with tempfile.TemporaryDirectory(prefix="planner-rerun-") as folder:
        path = Path(folder) / (Path(record.file_name).name or f"drawing.{record.format}")
        path.write_bytes(data)
        return read_drawing(path, progress)


@contextmanager
def _mover(sealed: Sealed, record: DrawingRecord) -> Iterator[Any]:
    """How the drawing was moved into the project's CRS: in a project of its own, made for the moment with the sealed
    CRS and transformation, so that it is the very code that moved it then."""
    if not record.placement.placed:
        yield None
        return
    from plugins.review.model.drawing.placing import mover

    with (
        tempfile.TemporaryDirectory(prefix="planner-rerun-") as folder,
        Project.create(Path(folder) / "rerun.sqlite", sealed.content["about"]["crs"], "rerun") as scratch,
    ):
        for key, value in sealed.content["settings"].items():
            scratch.set_setting(key, value)
        yield mover(record.placement, scratch)
