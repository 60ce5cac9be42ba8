"""What the server's log says, as the history page and the evidence show it. Functions here run on the line's thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from planner_app.i18n import tr, word
from planner_app.sync import cells
from planner_app.sync.types import GEOMETRY, HistoryRow, Revision
from planner_app.ui.canvas.feature_text import feature_name, name_fields
from planner_app.ui.sync.disputes import value_text

if TYPE_CHECKING:
    from planner_app.domain.layer import LayerInfo
    from planner_app.project import Project
    from planner_app.sync.transport import Transport

Box = tuple[float, float, float, float]
#: Revisions read at once, and changes shown of one question.
PAGE, MOST_ROWS = 100, 2000


@dataclass(frozen=True, slots=True)
class Subject:
    """What the history is asked about: everything, one record, or a place on the map (project's CRS)."""

    kind: Literal["all", "record", "place"] = "all"
    name: str = ""
    layer: str = ""
    uuid: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class History:
    """Revisions, newest first, and the changes in them where the subject is no whole project."""

    subject: Subject
    revisions: tuple[Revision, ...]
    rows: tuple[HistoryRow, ...] = ()
    more: bool = False

    def changes(self, revision: int) -> list[HistoryRow]:
        """Changes of one revision."""
        return [row for row in self.rows if row.revision == revision]


@dataclass(frozen=True, slots=True)
class Change:
    """One changed cell in words; ``operation`` and names are the record's."""

    row: HistoryRow
    layer_name: str
    record: str
    column: str
    before: str
    after: str


def read_history(transport: Transport, project: str, subject: Subject, *, before: int = 0) -> History:
    """Revisions (all, or those that touched the subject) with what is needed to show them.

    Raises:
        PlannerError: what the transport raises.
    """
    if subject.kind == "all":
        page = transport.revisions(project, before=before, limit=PAGE)
        return History(subject, tuple(page), more=len(page) == PAGE)
    rows = transport.history(project, layer=subject.layer, uuid=subject.uuid, box=subject.box, limit=MOST_ROWS)
    wanted = {row.revision for row in rows}
    known = revisions_of(transport, project, wanted)
    newest_first = [known[number] for number in sorted(wanted & known.keys(), reverse=True)]
    return History(subject, tuple(newest_first), tuple(rows), len(rows) == MOST_ROWS)


def read_changes(transport: Transport, project: str, revision: int, most: int = MOST_ROWS) -> list[HistoryRow]:
    """What one revision changed, so many records at most."""
    return transport.history(project, revision=revision, limit=most)


def revisions_of(transport: Transport, project: str, numbers: Iterable[int]) -> dict[int, Revision]:
    """Who made these revisions; neighbours are read in one go."""
    wanted, found = set(numbers), dict[int, Revision]()
    while wanted:
        newest = max(wanted)
        for one in transport.revisions(project, before=newest + 1, limit=PAGE):
            found[one.revision] = one
        wanted -= found.keys() | {newest}
    return found


def origin(revision: Revision) -> str:
    """Where a revision came from: an address of the network, or the server's own computer."""
    return tr("the server itself") if revision.address == "local" else revision.address


def why(revision: Revision, layers: Iterable[LayerInfo] = ()) -> str:
    """Why somebody made a revision: the message, else the commands behind it, fields named as in these layers."""
    if revision.message:
        return revision.message
    named: dict[str, int] = {}
    for one in revision.why:
        text = word(f"command.{one.command}", _params(one.params, layers))
        named[text] = named.get(text, 0) + 1
    shown = [text if count == 1 else f"{text} ×{count}" for text, count in list(named.items())[:3]]
    return tr("; ").join(shown) + (" …" if len(named) > 3 else "")


def _params(text: str, layers: Iterable[LayerInfo] = ()) -> dict[str, object]:
    import json

    try:
        params = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(params, dict):
        return {}
    layer = next((one for one in layers if params.get("layer") in (one.id, one.name)), None)
    for key in ("field", "fields") if layer is not None else ():
        if isinstance(params.get(key), str):
            infos = [(name, layer.field(name)) for name in params[key].split(", ")] if layer is not None else []
            params[key] = tr(", ").join((info.alias or name) if info is not None else name for name, info in infos)
    return params


def operation_word(operation: str) -> tuple[str, str]:
    """(token, word) of what was done to a record."""
    return {
        "insert": ("pass", tr("new")), "update": ("needs_certificate", tr("edited")), "delete": ("fail", tr("deleted")),
    }.get(operation, ("cannot_judge", operation))  # fmt: skip


def read_changes_of(project: Project, rows: Sequence[HistoryRow], layers: Mapping[str, LayerInfo]) -> list[Change]:
    """Rows cell by cell, in words, records named as they are called now. ``layers``: by UUID. For a worker thread."""
    wanted: dict[str, set[str]] = {}
    for row in rows:
        if row.layer in layers:
            wanted.setdefault(row.layer, set()).add(row.uuid)
    names: dict[tuple[str, str], str] = {}
    for layer_uuid, uuids in wanted.items():
        layer, listed = layers[layer_uuid], ", ".join("'" + one.replace("'", "''") + "'" for one in sorted(uuids))
        columns = ["uuid", *name_fields(layer)]
        table = project.read(layer.id, columns=columns, where=f"uuid IN ({listed})", geometry=False)
        for number, uuid in enumerate(table.columns["uuid"]):
            names[layer_uuid, uuid] = feature_name(
                layer, {key: cells_[number] for key, cells_ in table.columns.items()}
            )
    return changes_of(rows, layers, names)


def changes_of(
    rows: Sequence[HistoryRow], layers: Mapping[str, LayerInfo], names: Mapping[tuple[str, str], str]
) -> list[Change]:
    """Rows cell by cell, in words. ``names``: by UUIDs of layer and record; else what the row itself tells."""
    found = []
    for row in rows:
        layer = layers.get(row.layer)
        name = names.get((row.layer, row.uuid)) or _record_name(row, layer)
        layer_name = layer.name if layer is not None else tr("(layer not here)")
        # Every cell of a new or deleted record would drown the rest: it stands for itself in one line.
        touched = dict.fromkeys([*row.before, *row.after]) if row.operation == "update" else {}
        for column in touched:
            if column != GEOMETRY:
                found.append(Change(row, layer_name, name, *_cell(row, column, layer)))
        if row.geometry_before != row.geometry_after or row.operation != "update":
            sides = (row.geometry_before, row.geometry_after)
            texts = ["" if one is None else value_text(one, GEOMETRY) for one in sides]
            column = tr("Geometry") if row.operation == "update" else tr("The whole record")
            found.append(Change(row, layer_name, name, column, *texts))
    return found


def _cell(row: HistoryRow, column: str, layer: LayerInfo | None) -> tuple[str, str, str]:
    field = layer.field(column) if layer is not None else None
    texts = []
    for side in (row.before.get(column), row.after.get(column)):
        try:
            value = cells.decode(side, field.type) if field is not None else side
        except ValueError:
            value = side
        texts.append(value_text(value, column, field.type if field is not None else ""))
    return (field.alias or field.name) if field is not None else column, texts[0], texts[1]


def _record_name(row: HistoryRow, layer: LayerInfo | None) -> str:
    known = {**row.before, **row.after}
    fields = name_fields(layer) if layer is not None else []
    return next((text for name in fields if (text := known.get(name))), row.uuid[:8])
