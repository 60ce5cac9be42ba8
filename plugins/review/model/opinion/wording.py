"""How an opinion words and writes things: numbers, verdicts, states, clauses, dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from planner_app.i18n import language, tr, word
from planner_app.report.findings import verdict_word
from planner_app.report.paper import Cell
from plugins.review.model.checking.types import Row
from plugins.review.model.drawing.types import Note

DASH = "–"


def number(value: float | None, digits: int = 2, *, apart_from: float | None = None) -> str:
    """``9,600.00``. With more digits where the value would read like a limit that it is not: a density of 28.004 %
    against 28 % must not print as 28.00."""
    if value is None:
        return DASH
    while apart_from is not None and value != apart_from and digits < 9:
        if f"{value:.{digits}f}" != f"{apart_from:.{digits}f}":
            break
        digits += 1
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def row_cells(row: Row) -> list[str | Cell]:
    """A row of the table 申报 / 实测 / 规定 / 结论 / 依据."""
    factor = 100.0 if row.unit == "%" else 1.0
    digits = 0 if row.unit == "" and row.key == "parking" else 2
    limit = None if row.limit is None else row.limit * factor
    measured = None if row.measured is None else row.measured * factor
    declared = None if row.declared is None else row.declared * factor
    title = " ".join(part for part in (tr(row.title), row.feature) if part)
    return [
        tr("{title} ({unit})", title=title, unit=row.unit) if row.unit else title,
        number(declared, digits),
        number(measured, digits, apart_from=limit),
        f"{row.relation} {number(limit, digits)}".strip() if limit is not None else DASH,
        verdict_cell(row.verdict, row.borderline, warning=row.verdict is Verdict.FAIL and not row.blocking),
        row.clause or DASH,
    ]


def verdict_cell(verdict: Verdict, borderline: bool, note: str = "", *, warning: bool = False) -> Cell:
    """A verdict as a chip; near the limit it says so, a fail that does not block says that too."""
    if borderline:
        notes = [verdict_word(verdict.value), tr("borderline, check by hand")]
    else:
        notes = [tr("warning only")] if warning else []
    tone = "needs_certificate" if borderline and verdict is Verdict.PASS else verdict.value
    return Cell(verdict_word(verdict.value), join([*notes[1:], note] if borderline else [*notes, note]), tone)


def value_text(finding: Finding, *, as_built: bool = False) -> str:
    """``measured 7.40 m, limit 8.00 m``; empty where the finding has no numbers."""
    factor = 100.0 if finding.unit == "%" else 1.0
    words = {"storeys": tr("storeys"), "places": tr("places")}
    unit = f" {words.get(finding.unit, finding.unit)}" if finding.unit else ""
    values = (finding.declared, finding.measured, finding.limit)
    counts = finding.unit in ("", *words) and all(value is None or value == int(value) for value in values)
    told = []
    for label, value, other in (
        (tr("approved") if as_built else tr("declared"), finding.declared, None),
        (tr("as built") if as_built else tr("measured"), finding.measured, finding.limit),
        (tr("limit"), finding.limit, None),
    ):
        if value is not None:
            apart = None if other is None else other * factor
            told.append(f"{label} {number(value * factor, 0 if counts else 2, apart_from=apart)}{unit}")
    return join(told)


def clause(finding: Finding | Rule) -> str:
    """Standard, clause and edition."""
    edition = finding.edition
    place = " ".join(part for part in (finding.standard, finding.clause) if part)
    return tr("{clause} (edition {edition})", clause=place, edition=edition) if edition and place else place


def rule_title(rules: Mapping[str, Rule], rule_id: str) -> str:
    """The title of a rule in the language shown, else its id."""
    rule = rules.get(rule_id)
    if rule is None:
        return rule_id
    first, second = (rule.title_zh, rule.title) if language() == "zh_CN" else (rule.title, rule.title_zh)
    return first or second or rule_id


def join(parts: Sequence[str]) -> str:
    """Parts of a sentence, separated as the language does."""
    return ("；" if language() == "zh_CN" else "; ").join(part for part in parts if part)


def note_text(note: Note | Sequence[Any], **known: str) -> str:
    """A coded note as a sentence; a parameter ``x_zh`` stands in for ``x`` in Chinese. ``known``: values that the note
    may leave out."""
    code, params = str(note[0]), known | dict(note[1])
    if language() == "zh_CN":
        params |= {key.removesuffix("_zh"): value for key, value in params.items() if key.endswith("_zh") and value}
    return word(code, params)


def day(text: str) -> str:
    """A date, or the local date of a moment; what cannot be read stays as it is."""
    return _local(text, "%Y-%m-%d")


def moment(text: str) -> str:
    """``2026-11-18 14:02`` in local time."""
    return _local(text, "%Y-%m-%d %H:%M") if len(text) > 10 else text


def _local(text: str, form: str) -> str:
    if len(text) <= 10:
        return text
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return text
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone().strftime(form)


def issue_chip(status: str) -> Cell:
    """The status of an issue."""
    told = {
        "open": (tr("Awaiting reply"), "open"),
        "needs_drawing": (tr("Awaiting drawing"), "waiting"),
        "answered": (tr("Answered"), "waiting"),
        "closed": (tr("Closed"), "closed"),
    }
    text, tone = told.get(status, (status, ""))
    return Cell(text, tone=tone)


def anchor_words(state: str) -> str:
    """What became of an issue's place in a later revision; empty where nothing did."""
    return {
        "moved": tr("Its place has moved in a later revision."),
        "lost": tr("What it pointed at is no longer in the drawing."),
    }.get(state, "")


def role_words(role: str) -> str:
    """审查人, 审定人."""
    return {"reviewer": tr("Reviewer"), "approver": tr("Approver")}.get(role, role)


def conclusion_words(verdict: str) -> str:
    """同意, 修改后重报, 不同意."""
    return {
        "approved": tr("Agreed"), "returned": tr("To be amended and submitted again"), "rejected": tr("Not agreed"),
    }.get(verdict, verdict)  # fmt: skip


def placement_words(method: str) -> str:
    """How a drawing was placed."""
    return {
        "crs": tr("by its coordinate system"), "coordinates": tr("by the coordinates it is drawn in"),
        "geodata": tr("by the georeference in the file"), "map_conversion": tr("by the model's map conversion"),
        "control": tr("by control points"), "parcel": tr("onto the parcel"), "by_hand": tr("by hand"),
        "none": tr("not placed on the map"),
    }.get(method, method)  # fmt: skip


def unit_source(source: str) -> str:
    """How drawing units became metres."""
    return {
        "known_length": tr("a known length"), "parcel": tr("the parcel's area"), "coordinates": tr("the coordinates"),
        "header": tr("the file's header"), "dimension_text": tr("a dimension's text"), "assumed": tr("assumed"),
        "person": tr("set by the reviewer"), "declared": tr("the declared table"),
        "scale_text": tr("the written scale"), "parking": tr("the size of parking places"),
        "text_size": tr("the size of texts"),
    }.get(source, source)  # fmt: skip


def confidence_words(rule: Rule) -> str:
    """How sure a rule's text is, and where it comes from."""
    sure = {"high": tr("high"), "medium": tr("medium"), "low": tr("low")}.get(rule.confidence, rule.confidence)
    origin = {
        "found": tr("source found"), "memory": tr("from memory"), "computed": tr("computed"),
    }.get(rule.evidence, rule.evidence)  # fmt: skip
    if rule.confirmed:
        origin = tr("confirmed by the city")
    return join([sure, origin])


def markup_words(kind: str) -> str:
    """Kinds of marks."""
    return {
        "cloud": tr("Cloud"), "arrow": tr("Arrow"), "line": tr("Line"), "rectangle": tr("Rectangle"),
        "polygon": tr("Polygon"), "freehand": tr("Freehand"), "text": tr("Text"), "callout": tr("Callout"),
        "dimension": tr("Dimension"), "area": tr("Area"), "stamp": tr("Stamp"), "photo": tr("Photo"),
    }.get(kind, kind)  # fmt: skip


def part_words(part: str) -> str:
    """An entry of the sealed content as people call it: ``issues[3]`` is comment 4."""
    section, _, rest = part.replace("]", "").replace("[", ".").partition(".")
    name = {
        "case": tr("Case"), "drawing": tr("Drawing"), "chain": tr("Revisions"), "issues": tr("Review comments"),
        "markups": tr("Marks"), "reports": tr("Attached reports"), "findings": tr("Findings"), "rows": tr("Indicators"),
        "conditions": tr("Planning conditions"), "rules": tr("Rule table"),
    }.get(section, section)  # fmt: skip
    return " ".join(word for word in (name, str(int(rest) + 1) if rest.isdigit() else rest) if word)


def indicator_words(key: str) -> tuple[str, str]:
    """(title, unit) of an indicator; ratios are read in percent."""
    return {
        "site_area_m2": (tr("Site area"), "m²"), "footprint_m2": (tr("Footprint area"), "m²"),
        "gfa_m2": (tr("Gross floor area"), "m²"), "far_area_m2": (tr("Floor area counting for FAR"), "m²"),
        "far": (tr("Floor area ratio"), ""), "density": (tr("Building density"), "%"),
        "green_m2": (tr("Green area"), "m²"), "green_ratio": (tr("Green ratio"), "%"),
        "height_m": (tr("Building height"), "m"), "parking": (tr("Parking"), ""),
    }.get(key, (key, ""))  # fmt: skip


def difference(before: float | None, after: float | None, digits: int = 2) -> str:
    """``+12.40``; a dash where one of the two is missing."""
    if before is None or after is None:
        return DASH
    text = number(after - before, digits)
    return text if text.startswith("-") or not text.strip("0.,") else f"+{text}"
