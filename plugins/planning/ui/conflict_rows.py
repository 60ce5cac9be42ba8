"""The patches of a conflict check as rows: read from the result layer, shown as a table, summed up for the panel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from planner_app.i18n import tr
from planner_app.plugin_api.model import Project
from planner_app.plugin_api.widgets import PILL_ROLE, SORT_ROLE, SWATCH_ROLE, WIDTH_ROLE, CardText
from plugins.planning.ui import words

Index = QModelIndex | QPersistentModelIndex
_COLUMNS = (
    "code", "cause", "a_class", "a_name", "b_class", "b_name", "area_m2", "area_ellipsoidal_m2", "width_m", "verdict",
    "reason", "clause", "decision", "ground",
)  # fmt: skip
_GRAVITY = {"fail": 0, "needs_certificate": 1, "cannot_judge": 2, "pass": 3}


@dataclass(frozen=True, slots=True)
class PatchRow:
    """One patch as the result layer keeps it; areas in m², width in m."""

    fid: int
    code: str
    cause: str
    a_class: str
    a_name: str
    b_class: str
    b_name: str
    area_m2: float
    area_ellipsoidal_m2: float
    width_m: float
    verdict: str
    reason: str
    clause: str
    decision: str
    ground: str

    @property
    def a(self) -> str:
        """Class of plan A with its name."""
        return _class_title(self.a_class, self.a_name)

    @property
    def b(self) -> str:
        """Class of plan B with its name."""
        return _class_title(self.b_class, self.b_name)


@dataclass(frozen=True, slots=True)
class PairGroup:
    """All patches of one pair of classes."""

    key: str
    title: str
    area_m2: float
    count: int
    reason: str
    verdict: str
    by_cause: tuple[tuple[str, float], ...]


def _class_title(code: str, name: str) -> str:
    return code if not name or name == code or name in code else f"{code} {name}"


def read_rows(project: Project, layer_id: str, fids: Sequence[int] | None = None) -> list[PatchRow]:
    """The patches of a result layer (or some of them), largest first."""
    table = project.read(layer_id, columns=_COLUMNS, fids=fids, geometry=False)
    columns = [table.columns[name] for name in _COLUMNS]
    rows = [
        PatchRow(int(fid), *(_value(name, cell) for name, cell in zip(_COLUMNS, cells, strict=True)))
        for fid, *cells in zip(table.fids, *columns, strict=True)
    ]
    return sorted(rows, key=lambda row: -row.area_m2)


def _value(name: str, cell: Any) -> Any:
    if name.endswith(("_m2", "_m")):
        return float(cell or 0.0)
    return "" if cell is None else str(cell)


def pair_key(row: PatchRow) -> str:
    """Key of the pair of classes a patch belongs to."""
    return f"{row.a_class}\x1f{row.b_class}"


def groups_by_pair(rows: Iterable[PatchRow], ellipsoidal: bool) -> list[PairGroup]:
    """Pairs of classes, largest area first."""
    found: dict[str, list[PatchRow]] = {}
    for row in rows:
        found.setdefault(pair_key(row), []).append(row)
    groups = []
    for key, members in found.items():
        gravest = min(members, key=lambda row: _GRAVITY.get(row.verdict, 9))
        areas: dict[str, float] = {}
        for row in members:
            areas[row.cause] = areas.get(row.cause, 0.0) + (row.area_ellipsoidal_m2 if ellipsoidal else row.area_m2)
        by_cause = tuple(sorted(areas.items(), key=lambda pair: -pair[1]))
        title = f"{members[0].a} × {members[0].b}"
        area = sum(areas.values())
        groups.append(PairGroup(key, title, area, len(members), gravest.reason, gravest.verdict, by_cause))
    return sorted(groups, key=lambda group: -group.area_m2)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the table; ``width``: the most pixels of a 13 px font it takes at first, 0: all it needs."""

    key: str
    width: int = 0
    right: bool = False


_SHOWN = (
    _Column("code", 70), _Column("cause"), _Column("a", 138), _Column("b", 126), _Column("area", 88, right=True),
    _Column("width", 78, right=True), _Column("decision"), _Column("verdict"), _Column("ground", 76),
)  # fmt: skip


class PatchTable(QAbstractTableModel):
    """Patches in the bottom dock."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[PatchRow] = []
        self._names = ("A", "B")
        self._place: dict[int, int] = {}
        self._ellipsoidal = False
        self._colours: dict[str, str] = {}

    def show(self, rows: list[PatchRow], names: tuple[str, str], ellipsoidal: bool) -> None:
        """Show these patches; ``names`` of the two plans stand in the head."""
        self.beginResetModel()
        self.rows, self._names, self._ellipsoidal = rows, names, ellipsoidal
        if rows and not self._colours:
            self._colours = words.cause_colours()
        self._place = {row.fid: at for at, row in enumerate(rows)}
        self.endResetModel()

    def replace(self, rows: Iterable[PatchRow]) -> None:
        """Show changed patches without losing the selection."""
        for row in rows:
            at = self._place.get(row.fid)
            if at is not None:
                self.rows[at] = row
                self.dataChanged.emit(self.index(at, 0), self.index(at, self.columnCount() - 1))

    def places(self, fids: Iterable[int]) -> list[int]:
        """Rows in which these features stand."""
        return [self._place[fid] for fid in fids if fid in self._place]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(_SHOWN)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(_SHOWN):
            return None
        column = _SHOWN[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and column.right:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == WIDTH_ROLE:
            return column.width
        if role == Qt.ItemDataRole.ToolTipRole:
            return {
                "a": self._names[0],
                "b": self._names[1],
                "area": tr("Areas on the ellipsoid") if self._ellipsoidal else tr("Areas in the plane"),
                "width": tr("Mean width = 2 × area ÷ perimeter"),
            }.get(column.key)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        titles = {
            "code": tr("No."), "cause": tr("Cause"), "a": self._names[0], "b": self._names[1],
            "area": tr("Area (m²)"), "width": tr("Width (m)"), "decision": tr("Decision"), "verdict": tr("Verdict"),
            "ground": tr("Ground"),
        }  # fmt: skip
        return titles[column.key]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], _SHOWN[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column.key)
        if role == SORT_ROLE:
            return self._number(row, column.key)
        if role == SWATCH_ROLE and column.key == "cause":
            return self._colours.get(row.cause)
        if role == PILL_ROLE and column.key == "verdict":
            return row.verdict
        if role == PILL_ROLE and column.key == "decision":
            return words.DECISION_TOKENS.get(row.decision)
        if role == Qt.ItemDataRole.TextAlignmentRole and column.right:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(text for text in (f"{row.a} × {row.b}", row.reason, row.clause, row.ground) if text)
        return None

    def _number(self, row: PatchRow, key: str) -> float | None:
        if key == "area":
            return row.area_ellipsoidal_m2 if self._ellipsoidal else row.area_m2
        return row.width_m if key == "width" else None

    def _text(self, row: PatchRow, key: str) -> str:
        number = self._number(row, key)
        if number is not None:
            return words.number(number)
        if key == "cause":
            return words.cause(row.cause)
        if key == "decision":
            return words.decision(row.decision)
        if key == "verdict":
            return words.verdict(row.verdict)
        if key == "ground":
            return row.ground or row.clause
        return str(getattr(row, key))


def pair_card(group: PairGroup, largest: float, colours: dict[str, str]) -> CardText:
    """A pair of classes; its bar is as long as its area is of the largest pair's, coloured by cause."""
    count = tr("{count} places", count=f"{group.count:,}")
    grave = group.verdict in ("fail", "needs_certificate")
    return CardText(
        group.key,
        group.title,
        f"{words.hectares(group.area_m2)} ha",
        " · ".join(text for text in (count, group.reason) if text),
        (group.verdict, words.verdict(group.verdict)) if grave else None,
        tuple((area / largest, colours[cause]) for cause, area in group.by_cause if largest > 0),
    )
