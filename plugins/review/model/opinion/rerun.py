"""Computing a sealed opinion again, from the inputs and the rules embedded in it: years later, on another machine,
under a later edition of the rules, without the project it came from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from planner_app.domain.rule import Rule
from planner_app.plugin_api.model import Project
from plugins.review.model.cases.opened import OpenDrawing, assemble
from plugins.review.model.cases.records import DrawingRecord
from plugins.review.model.cases.store import file_digest
from plugins.review.model.checking.types import Check, Surroundings
from plugins.review.model.checking.types import Subject as CheckSubject
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Drawing
from plugins.review.model.indicators.rule_sets import AreaRules, CityRules, RuleSets
from plugins.review.model.indicators.types import Indicators
from plugins.review.model.opinion.canonical import differences, plain
from plugins.review.model.opinion.restore import restore
from plugins.review.model.opinion.seal import Sealed, check_json, program, read_sealed, subject_json
from plugins.review.model.opinion.types import AS_BUILT, Subject
from plugins.review.model.reading.convention import Convention

#: Sections that are computed; everything else is what people entered.
COMPUTED = (
    "reading", "repairs", "indicators", "buildings", "setbacks", "spacings", "measured", "check", "findings", "rows",
)  # fmt: skip


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
    drawings: Sequence[Path] = (),
    progress: Progress | None = None,
) -> Rerun:
    """Compute a sealed opinion again and compare.

    Args:
        project: where the drawing is taken from if it is not embedded; None: nowhere.
        source: the sealed file or its content; must be unchanged.
        drawings: files of drawings that are neither embedded nor in the project; their hashes tell which is which.

    Raises:
        PlannerError: ``review.seal_broken`` and the others of :func:`read_sealed`, ``review.seal_no_drawing``,
            ``review.seal_shape`` (a record this program does not know), what reading the drawing refuses. Cancelled.
    """
    progress = progress or NoProgress()
    sealed = read_sealed(source)
    now = _computed(sealed, project, drawings, progress)
    before = {key: sealed.content[key] for key in now}
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


def _computed(sealed: Sealed, project: Project | None, given: Sequence[Path], progress: Progress) -> dict[str, Any]:
    """The computed sections, from the inputs."""
    content = sealed.content
    inputs = _Inputs(
        date.fromisoformat(content["check"]["on"]),
        content["context"]["city"],
        {one.name: one for one in (restore(Convention, entry) for entry in content["conventions"])},
        RuleSets(
            tuple(restore(AreaRules, one) for one in content["area_rules"]),
            tuple(restore(CityRules, one) for one in content["city_rules"]),
        ),
        [restore(Rule, one) for one in content["rules"]],
        restore(Conditions, content["conditions"]) if content["conditions"] else None,
        content["context"]["parcel_areas"],
    )
    with _scratch(content) as scratch:
        opened = _open(sealed, content["drawing"], inputs, project, given, scratch, SubProgress(progress, 0.0, 0.5))
        check(progress)
        if content["about"]["kind"] == AS_BUILT:
            record = content["approved"]["drawing"]
            plan = _open(sealed, record, inputs, project, given, scratch, SubProgress(progress, 0.5, 0.8))
            return _compare(plan, opened, inputs)
        progress.update(0.8, "stage.review_check")
        return _judge(opened, inputs, content)


@dataclass(frozen=True, slots=True)
class _Inputs:
    on: date
    city: str
    conventions: Mapping[str, Convention]
    rule_sets: RuleSets
    rules: list[Rule]
    conditions: Conditions | None
    parcel_areas: Mapping[str, float | None]


def _judge(opened: OpenDrawing, inputs: _Inputs, content: Mapping[str, Any]) -> dict[str, Any]:
    from plugins.review.model.checking.check import check as judge
    from plugins.review.model.indicators.measure import measure

    indicators = measure(opened.plan, opened.drawing, on=inputs.on, city=inputs.city, rule_sets=inputs.rule_sets)
    subject = CheckSubject(
        opened.plan, indicators, inputs.conditions, inputs.on, inputs.city, opened.to_project,
        restore(Surroundings, content["surroundings"]), content["context"]["answers"],
        inputs.rule_sets.city(inputs.city, inputs.on),
    )  # fmt: skip
    found = judge(subject, inputs.rules)
    return _sections(opened, indicators, found)


def _compare(plan: OpenDrawing, built: OpenDrawing, inputs: _Inputs) -> dict[str, Any]:
    from plugins.review.model.asbuilt.compare import as_built_json, compare_opened

    found = compare_opened(
        plan, built, conditions=inputs.conditions, rules=inputs.rules, on=inputs.on, city=inputs.city,
        rule_sets=inputs.rule_sets,
    )  # fmt: skip
    told = _sections(built, found.facts.after, Check(found.findings, (), found.verdict, found.on, notes=found.notes))
    approved = subject_json(_subject(plan, found.facts.before))
    return told | {"approved": plain(approved), "as_built": plain(as_built_json(found))}


def _sections(opened: OpenDrawing, indicators: Indicators, found: Check) -> dict[str, Any]:
    told = subject_json(_subject(opened, indicators))
    told |= {"check": check_json(found), "findings": plain(found.findings), "rows": plain(found.rows)}
    return {key: told[key] for key in COMPUTED}


def _subject(opened: OpenDrawing, indicators: Indicators) -> Subject:
    return Subject(opened.record, opened.plan, indicators, opened.drawing.notes, len(opened.drawing.entities))


def _open(
    sealed: Sealed, entry: Mapping[str, Any], inputs: _Inputs, project: Project | None, given: Sequence[Path],
    scratch: Project, progress: Progress,
) -> OpenDrawing:  # fmt: skip
    from plugins.review.model.reading.site_plan import read_site_plan

    record = restore(DrawingRecord, entry)
    drawing = _drawing(sealed, record, project, given, progress)
    area = inputs.parcel_areas.get(record.sha256)
    plan = read_site_plan(drawing, record.options, conventions=inputs.conventions, parcel_area=area)
    return assemble(scratch, record, drawing, plan, record.placement)


def _drawing(
    sealed: Sealed, record: DrawingRecord, project: Project | None, given: Sequence[Path], progress: Progress
) -> Drawing:
    """The drawing, from the sealed file, the project or a file; its hash decides."""
    from plugins.review.model.drawing.intake import read_drawing

    data: bytes | None = None
    if record.sha256 in sealed.files:
        data = sealed.files[record.sha256][1]
    elif found := next((path for path in given if file_digest(path) == record.sha256), None):
        data = found.read_bytes()
    elif project is not None and any(one.sha256 == record.sha256 for one in project.attachments()):
        data = project.read_attachment(record.sha256)
    elif given:
        name = ", ".join(path.name for path in given)
        raise PlannerError("review.seal_other_drawing", file=name, drawing=record.file_name)
    if data is None:
        raise PlannerError("review.seal_no_drawing", drawing=record.file_name, sha256=record.sha256)
    with tempfile.TemporaryDirectory(prefix="planner-rerun-") as folder:
        path = Path(folder) / (Path(record.file_name).name or f"drawing.{record.format}")
        path.write_bytes(data)
        return read_drawing(path, progress)


@contextmanager
def _scratch(content: Mapping[str, Any]) -> Iterator[Project]:
    """A project of its own, made for the moment with the sealed CRS and transformation, so that the very code that
    placed the drawing then places it now."""
    with (
        tempfile.TemporaryDirectory(prefix="planner-rerun-") as folder,
        Project.create(Path(folder) / "rerun.sqlite", content["about"]["crs"], "rerun") as scratch,
    ):
        for key, value in content["settings"].items():
            scratch.set_setting(key, value)
        yield scratch
