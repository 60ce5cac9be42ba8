"""What follows the findings and comments of an opinion: reports, signatures, pictures, how the drawing was read, the
rule table, the seal."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from planner_app.domain.finding import Verdict
from planner_app.domain.rule import in_force
from planner_app.i18n import tr
from planner_app.report.findings import finding_message, verdict_word
from planner_app.report.paper import (
    Block,
    Cell,
    Column,
    Facts,
    Heading,
    Picture,
    Signature,
    Signatures,
    Table,
    Text,
)
from plugins.review.model.conditions.print import indicator_rows, setback_cells
from plugins.review.model.opinion.wording import (
    clause,
    conclusion_words,
    confidence_words,
    day,
    join,
    markup_words,
    moment,
    note_text,
    role_words,
    rule_title,
    value_text,
)

if TYPE_CHECKING:
    from plugins.review.model.opinion.document import View

#: Rows of a list in print; the rest is counted and stands in the sealed file.
_MOST_ROWS = 200
#: Width of the large pictures: two of them fill a page.
_WIDE = 0.82


def reports(shown: View) -> list[Block]:
    """Reports made elsewhere, and the rule each serves."""
    if not shown.reports:
        return []
    verdicts = {finding.rule: finding.verdict for finding in shown.findings}
    rows: list[list[str | Cell]] = []
    for one in shown.reports:
        verdict = verdicts.get(one.serves)
        serves = Cell(rule_title(shown.rules, one.serves), verdict_word(verdict.value) if verdict else "")
        rows.append([
            Cell(one.title, one.kind), Cell(one.institution or "–", day(one.issued)), one.conclusion or "–",
            serves if one.serves else tr("no rule"), one.attachment,
        ])  # fmt: skip
    columns = [
        Column(tr("Report"), 22), Column(tr("Institution, date"), 18), Column(tr("Conclusion"), 22),
        Column(tr("Serves the rule"), 18), Column("SHA-256", 20),
    ]  # fmt: skip
    return [Heading(tr("Attached reports"), str(len(rows))), Table(columns, rows)]


def signatures(shown: View) -> list[Block]:
    """Boxes of the two roles; empty lines where nobody has signed."""
    boxes = []
    for role in ("reviewer", "approver"):
        found = next((one for one in shown.sealed.signatures if one["role"] == role), None)
        lines = [
            (tr("Conclusion"), conclusion_words(found["verdict"]) if found else ""),
            (tr("Remark"), found["remark"] if found else ""),
            (tr("Signed by"), found["name"] if found else ""),
            (tr("Signed on"), moment(found["time"]) if found else ""),
        ]
        boxes.append(Signature(role_words(role), lines, tr("Seal {seal}", seal=shown.sealed.seal) if found else ""))
    note = tr("A signature here records who agreed to this very content; it is no electronic signature with a key.")
    return [Heading(tr("Signatures")), Signatures(boxes), Text(note, "note")]


def pictures(shown: View) -> list[Block]:
    """Site plan with the findings, map, sheets."""
    blocks: list[Block] = []
    site = shown.picture("site")
    if site is not None:
        caption = tr("Site as read. Numbers are those of the findings; red: fails, orange: needs a certificate.")
        if shown.as_built:
            caption += tr(" Dashed: outlines as approved.")
        blocks.append(replace(site, caption=caption, width=_WIDE))
    picture = shown.picture("map")
    if picture is not None:
        blocks.append(replace(picture, caption=tr("Map of the project around the site"), width=_WIDE))
    for entry in shown.content["pictures"]:
        if entry["kind"] == "sheet":
            sheet = shown.picture("sheet", entry["key"])
            if sheet is not None:
                blocks.append(replace(sheet, caption=tr("Sheet {page}", page=entry["key"])))
    wide = [one for one in blocks if isinstance(one, Picture)]
    return [Heading(tr("Pictures")), *wide] if wide else []


def passes(shown: View) -> list[Block]:
    """Rules that the drawing meets."""
    found = [one for one in shown.findings if one.verdict is Verdict.PASS and not one.borderline]
    rows: list[list[str | Cell]] = [
        [
            Cell(rule_title(shown.rules, one.rule), one.feature),
            value_text(one, as_built=shown.as_built) or finding_message(one),
            clause(one) or "–",
        ]
        for one in found
    ]
    if not rows:
        return []
    columns = [Column(tr("Rule"), 32), Column(tr("Finding"), 36), Column(tr("Ground"), 32)]
    return [Heading(tr("Rules met"), str(len(rows))), *_table(columns, rows)]


def unjudged(shown: View) -> list[Block]:
    """Rules that could not be judged, each with the reason: a missing layer or field never passes."""
    rows: list[list[str | Cell]] = []
    for one in shown.findings:
        if one.verdict is Verdict.CANNOT_JUDGE:
            rule = Cell(rule_title(shown.rules, one.rule), one.feature)
            rows.append(
                [rule, finding_message(one), value_text(one, as_built=shown.as_built) or "–", clause(one) or "–"]
            )
    if not rows:
        return []
    columns = [Column(tr("Rule"), 22), Column(tr("Reason"), 34), Column(tr("Values"), 18), Column(tr("Ground"), 26)]
    return [Heading(verdict_word("cannot_judge"), str(len(rows)), 3), *_table(columns, rows)]


def conditions(shown: View) -> list[Block]:
    """What the parcel's conditions demand, those included that no rule judges."""
    known = shown.conditions
    if known is None:
        return []
    rows: list[list[str | Cell]] = [[title, f"{told} {unit}".strip()] for title, told, unit in indicator_rows(known)]
    for setback in known.setbacks:
        side, metres, parts = setback_cells(setback)
        rows.append([tr("Setback: {side}", side=side), f"≥ {metres} m, {parts}"])
    if known.use:
        rows.insert(0, [tr("Land use"), join([known.use, *known.compatible])])
    rows += [[tr("Further demand, not judged"), text] for text in known.other]
    columns = [Column(tr("Condition"), 34), Column(tr("Requirement"), 66)]
    heading = Heading(tr("Planning conditions"), " ".join(part for part in (known.number, day(known.issued)) if part))
    return [heading, Table(columns, rows, tr("The document sets no indicators."))]


def reading(shown: View) -> list[Block]:
    """How the drawing was understood, and every repair that reading it took."""
    told = shown.content["reading"]
    lines = [(tr("Entities"), f"{told['entities']:,}"), (tr("Elements read"), f"{told['elements']:,}")]
    blocks: list[Block] = [Heading(tr("Reading of the drawing")), Facts(lines)]
    if told["unread"]:
        unread = ", ".join(f"{name} ({count})" for name, count in told["unread"].items())
        blocks.append(Text(unread, "note", lead=tr("Layers without a role")))
    sources = [*told["drawing_notes"], *told["units"]["notes"], *told["notes"], *shown.surroundings.notes]
    sources += shown.content["drawing"]["placement"]["notes"]
    name = {"drawing": shown.record.number}
    blocks += [Text(text, "note") for text in dict.fromkeys(note_text(note, **name) for note in sources)]
    rows: list[list[str | Cell]] = [
        [one["layer"], one["handle"], note_text(one["detail"]), tr("taken back") if one["undone"] else tr("applied")]
        for one in shown.content["repairs"]
    ]
    columns = [Column(tr("Layer"), 24), Column(tr("Entity"), 14), Column(tr("Repair"), 48), Column(tr("State"), 14)]
    blocks.append(Heading(tr("Repairs"), str(len(rows) or ""), 3))
    return [*blocks, *_table(columns, rows, tr("Nothing had to be repaired."))]


def marks(shown: View) -> list[Block]:
    """Marks on map and sheet."""
    if not shown.markups:
        return []
    numbers = {one.issue.id: f"#{one.issue.number}" for one in shown.threads}
    rows: list[list[str | Cell]] = [
        [markup_words(one.kind), tr("sheet") if one.surface == "sheet" else tr("map"), one.text or "–",
         numbers.get(one.issue_id, "–"), one.author or "–", moment(one.time)]
        for one in shown.markups
    ]  # fmt: skip
    columns = [
        Column(tr("Mark"), 12), Column(tr("On"), 8), Column(tr("Text"), 36), Column(tr("Comment"), 10),
        Column(tr("By"), 14), Column(tr("Time"), 20),
    ]  # fmt: skip
    return [Heading(tr("Marks"), str(len(rows))), *_table(columns, rows)]


def chain(shown: View) -> list[Block]:
    """Revisions of the drawing."""
    rows: list[list[str | Cell]] = [
        [one.number, str(one.revision), one.file_name, one.imported_by or "–", moment(one.imported_at), one.sha256]
        for one in shown.chain
    ]
    columns = [
        Column(tr("Drawing"), 12), Column(tr("Revision"), 8, "right"), Column(tr("File"), 28), Column(tr("By"), 10),
        Column(tr("Imported"), 14), Column("SHA-256", 28),
    ]  # fmt: skip
    return [Heading(tr("Revisions"), str(len(rows))), Table(columns, rows)]


def rules(shown: View) -> list[Block]:
    """The rules in force on the day the check was made for."""
    on = date.fromisoformat(shown.content["check"]["on"])
    city = shown.content["context"]["city"]
    judged = {finding.rule for finding in shown.findings}
    every = in_force(shown.rules.values(), on, city)
    every += [rule for key, rule in shown.rules.items() if key in judged and rule not in every]
    rows: list[list[str | Cell]] = [
        [
            Cell(rule_title(shown.rules, rule.id), rule.id), clause(rule) or "–",
            " – ".join(end.isoformat() if end else "" for end in (rule.valid_from, rule.valid_to)).strip(" –") or "–",
            confidence_words(rule), tr("yes") if rule.may_block else tr("no, warns only"),
        ]
        for rule in every
    ]  # fmt: skip
    columns = [
        Column(tr("Rule"), 28), Column(tr("Ground"), 30), Column(tr("In force"), 16), Column(tr("Confidence"), 14),
        Column(tr("May block"), 12),
    ]  # fmt: skip
    notes = [
        tr(
            "Rules in force on {date}. Limits from memory are marked so: no standard's full text was at hand when they"
            " were entered, and they do not block until the city has confirmed them against print.",
            date=on.isoformat(),
        ),
        tr(
            "This review compares the drawing with planning conditions and planning rules; the safety review of"
            " construction drawings is not part of it."
        ),
    ]
    return [Heading(tr("Rule table"), str(len(rows))), Table(columns, rows, tr("No rule was in force.")),
            *(Text(text, "note") for text in notes)]  # fmt: skip


def seal(shown: View) -> list[Block]:
    """Hashes of the seal and of the inputs."""
    inputs = shown.content["inputs"]
    labels = {
        "drawing": tr("Drawing"), "approved_drawing": tr("Approved drawing"), "conditions": tr("Planning conditions"),
        "parcel": tr("Parcel"), "surroundings": tr("Surroundings"), "conventions": tr("Layer conventions"),
        "rules": tr("Rule table"), "area_rules": tr("Floor-area rules"), "city_rules": tr("City rules"),
        "transformation": tr("Transformation"),
    }  # fmt: skip
    rows: list[list[str | Cell]] = [[tr("Seal of this opinion"), shown.sealed.seal]]
    rows += [[text, inputs[key]] for key, text in labels.items() if inputs.get(key)]
    if shown.content["about"]["supersedes"]:
        rows.append([tr("Supersedes the opinion with the seal"), shown.content["about"]["supersedes"]])
    note = tr(
        "SHA-256. The sealed file (.json) holds all of this; “planner review seal verify” finds any changed byte in it,"
        " “planner review seal rerun” computes everything again from it."
    )
    return [Heading(tr("Seal")), Table([Column(tr("Content"), 30), Column("SHA-256", 70)], rows), Text(note, "note")]


def _table(columns: list[Column], rows: list[list[str | Cell]], empty: str = "") -> list[Block]:
    """A table of at most 200 rows, with a line that counts the others."""
    blocks: list[Block] = [Table(columns, rows[:_MOST_ROWS], empty)]
    if len(rows) > _MOST_ROWS:
        rest = len(rows) - _MOST_ROWS
        blocks.append(Text(tr("{count} more stand in the sealed file.", count=rest), "note"))
    return blocks
