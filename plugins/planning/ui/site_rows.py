"""A site check as a table: what lies in each control line and in each land class of each plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from planner_app.i18n import language, tr
from planner_app.plugin_api.widgets import PILL_ROLE, SORT_ROLE, WIDTH_ROLE
from plugins.planning.ui import words

if TYPE_CHECKING:
    from plugins.planning.model.control import LineCheck, SiteCheck

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class SiteRow:
    """One line of the table; areas in m², None: not measured. ``line``: the control line's number, -1 for classes."""

    layer: str
    land: str
    area: float | None
    ellipsoidal: float | None
    share: float | None
    verdict: str
    clause: str
    line: int = -1


def line_title(check: LineCheck) -> str:
    """A control line's name: the rule's title, with its layer where that is called otherwise."""
    rule, layer = check.rule, check.layer
    title = words.either(rule.title_zh, rule.title) if rule else ""
    name = layer.name if layer else ""
    if not title or title == name:
        return name or title
    return f"{title} · {name}" if name else title


def clause_of(check: LineCheck) -> str:
    """Standard, clause and edition."""
    finding = check.finding
    return " ".join(text for text in (finding.standard, finding.clause, finding.edition) if text)


def rows_of(check: SiteCheck) -> list[SiteRow]:
    """Control lines first, then the classes of each plan, as the check lists them."""
    rows = []
    for number, line in enumerate(check.lines):
        measured = line.finding.measured is not None
        area = line.inside if measured else None
        rows.append(
            SiteRow(
                line_title(line),
                "",
                area,
                line.inside_ellipsoidal if measured else None,
                area / check.site_area if area is not None and check.site_area else None,
                line.finding.verdict.value,
                clause_of(line),
                number,
            )
        )
    for part in check.areas:
        if part.kind == "line":
            continue
        land = part.land.label(language()) if part.land is not None else tr("not covered")
        share = part.area / check.site_area if check.site_area else None
        rows.append(SiteRow(part.layer, land, part.area, part.area_ellipsoidal, share, "", ""))
    return rows


#: Columns of numbers, and the most pixels of a 13 px font each column takes at first (0: all it needs).
_NUMBERS = (3, 4, 5)
_WIDTHS = (184, 156, 0, 100, 108, 76, 76)


class SiteTable(QAbstractTableModel):
    """The rows in the bottom dock."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[SiteRow] = []

    def show(self, rows: list[SiteRow]) -> None:
        """Replace all rows."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        return 0 if parent.isValid() else len(_WIDTHS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(_WIDTHS):
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and section in _NUMBERS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == WIDTH_ROLE:
            return _WIDTHS[section]
        if role == Qt.ItemDataRole.ToolTipRole and section in (3, 4):
            return tr("Areas in the plane") if section == 3 else tr("Areas on the ellipsoid")
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        numbers = [tr("Planar (m²)"), tr("Ellipsoidal (m²)"), tr("Share (%)")]
        return [tr("Line or plan"), tr("Land class"), tr("Verdict"), *numbers, tr("Clause")][section]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            if column in _NUMBERS:
                value = _number(row, column)
                return "–" if value is None else words.number(value, 2)
            verdict = words.verdict(row.verdict) if row.verdict else ""
            return {0: row.layer, 1: row.land, 2: verdict, 6: row.clause}[column]
        if role == SORT_ROLE and column in _NUMBERS:
            value = _number(row, column)
            return -1.0 if value is None else value
        if role == PILL_ROLE and column == 2:
            return row.verdict or None
        if role == Qt.ItemDataRole.TextAlignmentRole and column in _NUMBERS:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(text for text in (row.layer, row.land, row.clause) if text)
        return None


def _number(row: SiteRow, column: int) -> float | None:
    if column == 5:
        return None if row.share is None else row.share * 100
    return row.area if column == 3 else row.ellipsoidal
