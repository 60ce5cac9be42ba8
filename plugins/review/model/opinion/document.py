"""The opinion as people read it. It is made from the sealed content alone, so that what is printed is what is sealed:
today, or years later from the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from planner_app import __version__
from planner_app.domain.finding import Finding, Verdict
from planner_app.domain.rule import Rule
from planner_app.i18n import language, tr
from planner_app.report.findings import finding_message, verdict_word
from planner_app.report.paper import Banner, Block, Cell, Column, Facts, Heading, Item, Paper, Picture, Table, Text
from plugins.review.model.cases.records import Case, Comment, DrawingRecord, Issue, Markup, OutsideReport
from plugins.review.model.checking.types import Row, Surroundings
from plugins.review.model.conditions.print import crs_name
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.opinion import appendix
from plugins.review.model.opinion.restore import restore
from plugins.review.model.opinion.seal import Sealed
from plugins.review.model.opinion.types import AS_BUILT, Thread
from plugins.review.model.opinion.wording import (
    anchor_words,
    clause,
    day,
    difference,
    indicator_words,
    issue_chip,
    join,
    moment,
    note_text,
    number,
    part_words,
    placement_words,
    row_cells,
    rule_title,
    unit_source,
    value_text,
    verdict_cell,
)

#: Verdicts that speak against a drawing, gravest first.
_AGAINST = (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE, Verdict.CANNOT_JUDGE)


def against(findings: Sequence[Finding]) -> list[Finding]:
    """Findings that speak against the drawing, gravest first, blocking ones before warnings; then passes near a limit.
    Their places here are their numbers in the opinion."""
    found = [
        one
        for verdict in (Verdict.FAIL, Verdict.NEEDS_CERTIFICATE)
        for one in sorted(findings, key=lambda one: not one.blocking)
        if one.verdict is verdict
    ]
    return found + [one for one in findings if one.verdict is Verdict.PASS and one.borderline]


@dataclass(frozen=True, slots=True)
class View:
    """Sealed content as records again."""

    sealed: Sealed
    case: Case
    record: DrawingRecord
    conditions: Conditions | None
    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    rules: Mapping[str, Rule]
    threads: tuple[Thread, ...]
    markups: tuple[Markup, ...]
    reports: tuple[OutsideReport, ...]
    chain: tuple[DrawingRecord, ...]
    surroundings: Surroundings
    answered: Mapping[str, OutsideReport] = field(default_factory=dict)

    @property
    def content(self) -> Mapping[str, Any]:
        """The sealed content."""
        return self.sealed.content

    @property
    def as_built(self) -> bool:
        """An as-built opinion."""
        return bool(self.content["about"]["kind"] == AS_BUILT)

    def picture(self, kind: str, key: str = "") -> Picture | None:
        """A sealed picture; None where there is none, or its file is not at hand."""
        for entry in self.content["pictures"]:
            if entry["kind"] == kind and entry["key"] == key and entry["sha256"] in self.sealed.files:
                data = self.sealed.files[entry["sha256"]][1]
                if entry["media"].endswith("svg+xml"):
                    return Picture("", svg=data.decode("utf-8"))
                return Picture("", png=data)
        return None


def view(sealed: Sealed) -> View:
    """Sealed content as records again."""
    content = sealed.content
    threads = []
    for entry in content["issues"]:
        issue = restore(Issue, {key: value for key, value in entry.items() if key != "comments"})
        threads.append(Thread(issue, tuple(restore(Comment, one) for one in entry["comments"])))
    rules = [restore(Rule, one) for one in content["rules"]]
    reports = tuple(restore(OutsideReport, one) for one in content["reports"])
    return View(
        sealed,
        restore(Case, content["case"]),
        restore(DrawingRecord, content["drawing"]),
        restore(Conditions, content["conditions"]) if content["conditions"] else None,
        tuple(restore(Finding, one) for one in content["findings"]),
        tuple(restore(Row, one) for one in content["rows"]),
        {one.id: one for one in rules},
        tuple(threads),
        tuple(restore(Markup, one) for one in content["markups"]),
        reports,
        tuple(restore(DrawingRecord, one) for one in content["chain"]),
        restore(Surroundings, content["surroundings"]),
        {one.serves: one for one in reports if one.serves},
    )


def opinion_paper(sealed: Sealed, *, outdated: Sequence[str] = (), superseded: bool = False) -> Paper:
    """The document, worded in the chosen language.

    Args:
        outdated: entries of the case that have changed since it was sealed; superseded: a later one was signed.
    """
    shown = view(sealed)
    about = shown.content["about"]
    blocks: list[Block] = []
    if superseded or outdated:
        blocks.append(Banner("fail", tr("No longer valid"), _outdated_words(outdated, superseded=superseded)))
    blocks += [_verdict(shown), Facts(_project_lines(shown))]
    blocks += [*_indicators(shown), *_findings(shown), *_issues(shown), *appendix.reports(shown)]
    blocks += [*appendix.signatures(shown), *appendix.pictures(shown), *appendix.passes(shown)]
    blocks += [*appendix.conditions(shown), *appendix.reading(shown), *appendix.marks(shown), *appendix.chain(shown)]
    blocks += [*appendix.rules(shown), *appendix.seal(shown)]
    title = tr("As-built planning verification opinion") if shown.as_built else tr("Planning review opinion")
    return Paper(
        title,
        blocks,
        over=about["project"],
        under=tr("No. {number} · {date}", number=about["number"], date=day(about["made"])),
        foot=tr("{number} · seal {seal} · Planner {version}", number=about["number"], seal=sealed.seal[:16],
                version=__version__),
        mark=_mark(sealed, outdated=bool(outdated) or superseded),
        author=about["project"],
    )  # fmt: skip


def _mark(sealed: Sealed, *, outdated: bool) -> str:
    if outdated:
        return tr("No longer valid")
    roles = {one["role"] for one in sealed.signatures}
    return "" if roles >= {"reviewer", "approver"} else tr("Draft")


def _outdated_words(changed: Sequence[str], *, superseded: bool) -> str:
    told = [tr("A later opinion was signed in its place.")] if superseded else []
    if changed:
        shown = join([part_words(part) for part in changed[:8]]) + (" …" if len(changed) > 8 else "")
        told.append(tr("The case has changed since this was sealed: {changed}.", changed=shown))
    return " ".join(told)


# ---------------------------------------------------------------- head


def _verdict(shown: View) -> Banner:
    verdict = Verdict(shown.content["check"]["verdict"])
    told = []
    for one in (*_AGAINST, Verdict.PASS):
        found = [finding for finding in shown.findings if finding.verdict is one]
        if not found:
            continue
        text = tr("{verdict} {count}", verdict=verdict_word(one.value), count=len(found))
        blocking = sum(finding.blocking for finding in found)
        answered = sum(finding.rule in shown.answered for finding in found)
        if one is Verdict.FAIL and blocking < len(found):
            text += tr(" ({blocking} blocking, {rest} warnings)", blocking=blocking, rest=len(found) - blocking)
        if one is Verdict.NEEDS_CERTIFICATE and answered:
            text += tr(" ({count} answered by an attached report)", count=answered)
        told.append(text)
    near = sum(finding.borderline for finding in shown.findings)
    if near:
        told.append(tr("borderline {count}, to be checked by hand", count=near))
    waiting = sum(one.issue.status in ("open", "needs_drawing") for one in shown.threads)
    if waiting:
        told.append(tr("issues without an answer {count}", count=waiting))
    return Banner(verdict.value, verdict_word(verdict.value), join(told) or tr("No rule was applied."))


def _project_lines(shown: View) -> list[tuple[str, str]]:
    case, record, conditions = shown.case, shown.record, shown.conditions
    placement, reading = record.placement, shown.content["reading"]
    units = reading["units"]
    placed = placement_words(placement.method)
    if placement.rms is not None:
        placed += tr(", residual {rms} m", rms=f"{placement.rms:.3f}")
    document = " ".join(part for part in (conditions.number, day(conditions.issued)) if part) if conditions else ""
    approved = shown.content["approved"]
    lines = [
        (tr("Project"), case.title),
        (tr("Case"), case.number),
        (tr("Applicant"), case.applicant),
        (tr("Designer"), case.designer),
        (tr("Parcel"), case.parcel or (conditions.parcel if conditions else "")),
        (tr("City"), case.city),
        (tr("Planning conditions"), document or ("" if conditions else tr("none known"))),
        (tr("Rules as of"), shown.content["check"]["on"]),
        (tr("Drawing"), f"{record.number} {record.title}".strip()),
        (tr("Revision"), tr("{number} of {count}", number=record.revision, count=len(shown.chain))),
        (tr("File"), record.file_name),
        (tr("SHA-256 of the file"), record.sha256),
    ]
    if approved:
        told = approved["drawing"]
        lines.append((tr("Approved drawing"), f"{told['number']} {told['file_name']}"))
        lines.append((tr("SHA-256 of the approved file"), str(told["sha256"])))
    return [
        *lines,
        (tr("Layer convention"), _convention(shown, reading["convention"])),
        (tr("Units"), tr("{metres} m per unit, by {source}", metres=f"{units['metres_per_unit']:g}",
                         source=unit_source(units["source"]))),
        (tr("Placed"), placed),
        (tr("Coordinate system"), crs_name(shown.content["about"]["crs"])),
        (tr("Made by"), f"{shown.content['about']['made_by']} {moment(shown.content['about']['made'])}"),
    ]  # fmt: skip


def _convention(shown: View, name: str) -> str:
    """The title of a convention with its name."""
    first, second = ("title_zh", "title") if language() == "zh_CN" else ("title", "title_zh")
    for one in shown.content["conventions"]:
        if one["name"] == name and (one[first] or one[second]):
            return tr("{title} ({name})", title=one[first] or one[second], name=name)
    return name


# ---------------------------------------------------------------- indicators and findings


def _indicators(shown: View) -> list[Block]:
    if shown.as_built:
        blocks = _built_tables(shown)
    else:
        columns = [
            Column(tr("Indicator"), 19), Column(tr("Declared"), 13, "right"), Column(tr("Measured"), 13, "right"),
            Column(tr("Permitted"), 15, "right"), Column(tr("Verdict"), 14), Column(tr("Basis"), 26),
        ]  # fmt: skip
        blocks = [
            Heading(tr("Indicators"), str(len(shown.rows) or "")),
            Table(columns, [row_cells(row) for row in shown.rows], tr("Nothing was measured.")),
        ]
    notes = list(dict.fromkeys(_indicator_notes(shown)))
    if any(row.verdict is Verdict.FAIL and not row.blocking for row in shown.rows):
        notes.append(_warning_words())
    return blocks + [Text(text, "note") for text in notes]


def _built_tables(shown: View) -> list[Block]:
    """Indicators and buildings as approved and as built."""
    told = shown.content["as_built"]
    rows: list[list[str | Cell]] = []
    for one in told["indicators"]:
        title, unit = indicator_words(one["key"])
        factor, digits = (100.0 if unit == "%" else 1.0), (0 if one["key"] == "parking" else 2)
        before, after = (None if one[side] is None else one[side] * factor for side in ("approved", "built"))
        rows.append([title, number(before, digits), number(after, digits), difference(before, after, digits), unit])
    columns = [
        Column(tr("Indicator"), 32), Column(tr("Approved"), 20, "right"), Column(tr("As built"), 20, "right"),
        Column(tr("Difference"), 18, "right"), Column(tr("Unit"), 10),
    ]  # fmt: skip
    blocks: list[Block] = [Heading(tr("Indicators"), str(len(rows))), Table(columns, rows)]
    places = [
        Column(tr("Building"), 16),
        Column(tr("Moved north (m)"), 12, "right"), Column(tr("Moved east (m)"), 12, "right"),
        Column(tr("Furthest corner (m)"), 12, "right"), Column(tr("Footprint (m²)"), 18, "right"),
        Column(tr("Storeys"), 12, "right"), Column(tr("Height (m)"), 18, "right"),
    ]  # fmt: skip
    return [*blocks, Heading(tr("Buildings: approved → as built"), str(len(told["buildings"]) or "")),
            Table(places, [_building(one) for one in told["buildings"]], tr("No buildings."))]  # fmt: skip


def _building(one: Mapping[str, Any]) -> list[str | Cell]:
    def both(key: str, digits: int) -> str:
        return f"{number(one[f'{key}_approved'], digits)} → {number(one[f'{key}_built'], digits)}"

    return [
        one["name"], number(one["dy_m"], 3), number(one["dx_m"], 3), number(one["corner_m"], 3),
        both("footprint_m2", 2), both("storeys", 0), both("height_m", 2),
    ]  # fmt: skip


def _indicator_notes(shown: View) -> list[str]:
    """Why a value is missing or what was left out of it."""
    told = [note_text(note) for note in shown.content["measured"]["notes"]]
    for indicator in shown.content["indicators"].values():
        told += [note_text(note) for note in indicator["notes"]]
    return [*told, *(note_text(note) for note in shown.content["check"]["notes"])]


def _warning_words() -> str:
    return tr(
        "“Warning only”: the rule's text was not at hand in print or its confidence is not high. It warns and does not"
        " block until the city has confirmed it."
    )


def _findings(shown: View) -> list[Block]:
    found = against(shown.findings)
    blocks: list[Block] = [Heading(tr("Findings"), str(len(found) or ""))]
    if not found:
        blocks.append(Text(tr("No rule speaks against the drawing.")))
    blocks += [_finding(shown, at, finding) for at, finding in enumerate(found, start=1)]
    return [*blocks, *appendix.unjudged(shown)]


def _finding(shown: View, at: int, finding: Finding) -> Item:
    lines = [Text(told)] if (told := finding_message(finding)) else []
    if values := value_text(finding, as_built=shown.as_built):
        lines.append(Text(values, "note"))
    if ground := clause(finding):
        lines.append(Text(ground, "note", lead=tr("Ground")))
    if finding.verdict is Verdict.FAIL and not finding.blocking:
        lines.append(Text(_warning_words(), "note"))
    report = shown.answered.get(finding.rule)
    if report is not None:
        lines.append(Text(_answer(report, finding), "warning"))
    picture = shown.picture("finding", str(at))
    chip = verdict_cell(finding.verdict, finding.borderline)
    word = join([chip.text, chip.note]) if chip.note else chip.text
    title = " ".join(part for part in (f"{at}.", rule_title(shown.rules, finding.rule), finding.feature) if part)
    return Item(title, Cell(word, tone=chip.tone), lines, picture)


def _answer(report: OutsideReport, finding: Finding) -> str:
    told = {"report": report.title, "institution": report.institution or "–", "conclusion": report.conclusion or "–"}
    if finding.verdict is Verdict.NEEDS_CERTIFICATE:
        text = tr(
            "Answered by the attached report “{report}” ({institution}): {conclusion}. The program has not checked the"
            " report; whoever signs takes it over.",
            **told,
        )
    else:
        text = tr(
            "The attached report “{report}” ({institution}) speaks of this: {conclusion}. The verdict stays as it is.",
            **told,
        )
    return text


# ---------------------------------------------------------------- issues


def _issues(shown: View) -> list[Block]:
    blocks: list[Block] = [Heading(tr("Review comments"), str(len(shown.threads) or ""))]
    if not shown.threads:
        return [*blocks, Text(tr("No comments were made."))]
    return blocks + [_issue(shown, thread) for thread in shown.threads]


def _issue(shown: View, thread: Thread) -> Item:
    issue = thread.issue
    known = {one.id: one for one in shown.chain}
    raised = known.get(issue.raised_on)
    head = [
        tr("raised by {name} on {date}", name=issue.created_by or "–", date=day(issue.created_at)),
        tr("on {drawing}", drawing=raised.number) if raised else "",
        tr("for {name}", name=issue.assignee) if issue.assignee else "",
        tr("due {date}", date=day(issue.due)) if issue.due else "",
        rule_title(shown.rules, issue.rule) if issue.rule else "",
        anchor_words(issue.anchor_state),
    ]
    lines = [Text(join(head), "note")]
    for comment in thread.comments:
        lead = f"{comment.author or '–'} {moment(comment.time)}"
        attached = tr("[file {sha}]", sha=comment.attachment[:12]) if comment.attachment else ""
        lines.append(Text(" ".join(part for part in (comment.text, attached) if part), lead=lead))
    return Item(f"#{issue.number} {issue.title}", issue_chip(issue.status), lines,
                shown.picture("issue", str(issue.number)))  # fmt: skip
