"""Conflict matrix: which pair of classes is a conflict, with which verdict and on what ground. Dated data, editable.

The format is explained in ``plugins/planning/matrices/default.toml``. A project keeps its own versions by name in the
settings ``planning.matrix.NAME`` (TOML text) with the names in ``planning.matrices``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError
from planner_app.domain.finding import Verdict
from planner_app.domain.layer import PlanKind
from plugins.planning.model.crosswalk import RELATED, SAME, LandClass
from plugins.planning.model.settings_store import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MATRICES = Path(__file__).resolve().parent.parent / "matrices"
DEFAULT = "default"
OUTSIDE = "(outside)"
"""Class of the land outside a growth boundary, which a matrix may name."""
SEVERITIES = ("high", "medium", "low")
_SETTING = "planning.matrix."
_NAMES = "planning.matrices"
_KINDS = frozenset(kind.value for kind in PlanKind) | {"*"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: what a pair of classes means. ``*`` fits anything; see ``default.toml`` for the class patterns."""

    a: str = "*"
    b: str = "*"
    a_kind: str = "*"
    b_kind: str = "*"
    conflict: bool = True
    verdict: str = Verdict.NEEDS_CERTIFICATE.value
    severity: str = "medium"
    reason: str = ""
    reason_zh: str = ""
    standard: str = ""
    clause: str = ""
    edition: str = ""
    confidence: str = "low"
    evidence: str = "memory"

    @property
    def key(self) -> frozenset[tuple[str, str]]:
        """The pair this cell is about; cells read both ways round."""
        return frozenset(((self.a_kind, self.a), (self.b_kind, self.b)))

    def ground(self, language: str = "en") -> str:
        """The reason in a language."""
        return self.reason_zh if language.startswith("zh") and self.reason_zh else self.reason

    def citation(self) -> str:
        """Standard and clause, ``土地管理法 第三十五条``."""
        return f"{self.standard} {self.clause}".strip()


@dataclass(frozen=True, slots=True)
class ConflictMatrix:
    """A matrix: groups of classes and the cells in the order in which they are tried."""

    name: str
    title: str = ""
    title_zh: str = ""
    edition: str = ""
    otherwise: bool = False
    groups: Mapping[str, Sequence[str]] = field(default_factory=dict)
    cells: tuple[Cell, ...] = ()

    def judge(
        self, a: Sequence[LandClass], a_kind: str, b: Sequence[LandClass], b_kind: str, relations: NDArray[np.int8]
    ) -> NDArray[np.int64]:
        """The cell of every pair of classes: index of the first that fits in either direction, -1 for none.

        Two classes that are equal or differ in classification only are no conflict through a cell that does not tell
        them apart (``construction`` × ``construction``); one that names both, or a kind of plan, does.

        Args:
            a, b: classes of the two plans; a_kind, b_kind: the plans' kinds.
            relations: how each pair relates (``relate_all``), shape (len(a), len(b)).
        """
        import numpy as np

        found = np.full(relations.shape, -1, dtype=np.int64)
        alike = (relations == SAME) | (relations == RELATED)
        for number, cell in enumerate(self.cells):
            by_kind = cell.a_kind != cell.b_kind
            ways = ((cell.a, cell.a_kind, cell.b, cell.b_kind), (cell.b, cell.b_kind, cell.a, cell.a_kind))
            for pattern_a, kind_a, pattern_b, kind_b in ways:
                if kind_a not in ("*", a_kind) or kind_b not in ("*", b_kind):
                    continue
                rows, columns = self._covered(pattern_a, a), self._covered(pattern_b, b)
                fits = np.outer(rows, columns)
                if not cell.conflict:
                    # Missing data never passes: "anything is fine here" is not said of a class nobody knows.
                    if pattern_a == "*" and kind_a == "*":
                        fits &= np.array([land.mapped for land in a], dtype=bool)[:, None]
                    if pattern_b == "*" and kind_b == "*":
                        fits &= np.array([land.mapped for land in b], dtype=bool)[None, :]
                elif not by_kind:
                    fits &= ~(alike & np.outer(self._covered(pattern_b, a), self._covered(pattern_a, b)))
                found[fits & (found < 0)] = number
        return found

    def _covered(self, pattern: str, classes: Sequence[LandClass]) -> NDArray[np.bool_]:
        import numpy as np

        return np.array([self.covers(pattern, land) for land in classes], dtype=bool)

    def covers(self, pattern: str, land: LandClass) -> bool:
        """True if a class pattern (group, code, the plan's own value, ``*``) covers a class."""
        if pattern == "*":
            return land.raw != OUTSIDE
        if pattern == land.raw:
            return True
        prefixes = self.groups.get(pattern, (pattern,))
        return any(code.startswith(prefix) for code in land.codes for prefix in prefixes)

    def with_cell(self, cell: Cell) -> ConflictMatrix:
        """The matrix with this cell on top, above the general ones, instead of any about the same pair."""
        _check_cell(cell, self.name)
        return replace(self, cells=(cell, *self.without_cell(cell).cells))

    def without_cell(self, cell: Cell) -> ConflictMatrix:
        """The matrix without the cell about this pair."""
        return replace(self, cells=tuple(old for old in self.cells if old.key != cell.key))


def parse_matrix(text: str, where: str) -> ConflictMatrix:
    """Read a matrix from TOML text; ``where`` names it in errors.

    Raises:
        PlannerError: ``planning.matrix_broken`` (not TOML), ``planning.matrix_cell`` (a cell's field is wrong).
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlannerError("planning.matrix_broken", file=where, detail=str(error)) from error
    head: Any = data.get("matrix", {})
    groups: Any = data.get("groups", {})
    lines: Any = data.get("cell", [])
    if not (isinstance(head, dict) and isinstance(groups, dict) and isinstance(lines, list) and lines):
        raise PlannerError("planning.matrix_broken", file=where, detail="[matrix], [groups] and [[cell]] are expected")
    cells = []
    for number, line in enumerate(lines, start=1):
        try:
            cell = Cell(**line)
        except TypeError as error:
            raise PlannerError("planning.matrix_cell", file=where, cell=number, detail=str(error)) from error
        cells.append(_check_cell(cell, where, number))
    texts = {key: str(head.get(key, "")) for key in ("title", "title_zh", "edition")}
    name = str(head.get("name", "")) or Path(where).stem
    prefixes = {str(group): tuple(map(str, codes)) for group, codes in groups.items()}
    otherwise = bool(head.get("otherwise", False))
    return ConflictMatrix(name, **texts, otherwise=otherwise, groups=prefixes, cells=tuple(cells))


def _check_cell(cell: Cell, where: str, number: int = 1) -> Cell:
    known_verdicts = {verdict.value for verdict in Verdict}
    for name, value, known in (
        ("verdict", cell.verdict, known_verdicts),
        ("severity", cell.severity, set(SEVERITIES)),
        ("a_kind", cell.a_kind, _KINDS),
        ("b_kind", cell.b_kind, _KINDS),
    ):
        if value not in known:
            detail = f"{name} = {value!r}; known: {', '.join(sorted(known))}"
            raise PlannerError("planning.matrix_cell", file=where, cell=number, detail=detail)
    for name, value in asdict(cell).items():
        if not isinstance(value, bool if name == "conflict" else str):
            raise PlannerError("planning.matrix_cell", file=where, cell=number, detail=f"{name} = {value!r}")
    return cell


def matrix_text(matrix: ConflictMatrix) -> str:
    """The matrix as TOML that :func:`parse_matrix` reads back; fields at their default are left out."""
    lines = ["[matrix]"]
    lines += [f"{key} = {_quoted(getattr(matrix, key))}" for key in ("name", "title", "title_zh", "edition")]
    lines += [f"otherwise = {str(matrix.otherwise).lower()}", "", "[groups]"]
    lines += [f"{_quoted(group)} = [{', '.join(map(_quoted, codes))}]" for group, codes in matrix.groups.items()]
    plain = asdict(Cell())
    for cell in matrix.cells:
        lines += ["", "[[cell]]", f"conflict = {str(cell.conflict).lower()}"]
        lines += [
            f"{key} = {_quoted(value)}"
            for key, value in asdict(cell).items()
            if key != "conflict" and value != plain[key]
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a JSON string is a TOML basic string


def matrix_names(project: Settings | None) -> list[str]:
    """Names that :func:`load_matrix` knows: the project's own, then the shipped ones."""
    own: list[str] = json.loads(project.setting(_NAMES, "[]")) if project else []
    return own + [file.stem for file in sorted(MATRICES.glob("*.toml")) if file.stem not in own]


def load_matrix(project: Settings | None, name: str = DEFAULT) -> ConflictMatrix:
    """A matrix by name (the project's own first, then shipped ones) or from a TOML file.

    Raises:
        PlannerError: ``planning.matrix_unknown`` naming the known ones, or what :func:`parse_matrix` raises.
    """
    own = project.setting(_SETTING + name, "") if project else ""
    if own:
        return parse_matrix(own, name)
    for path in (MATRICES / f"{name}.toml", Path(name)):
        if path.suffix == ".toml" and path.is_file():
            return parse_matrix(path.read_text(encoding="utf-8"), str(path.name))
    raise PlannerError("planning.matrix_unknown", name=name, known=", ".join(matrix_names(project)))


def save_matrix(project: Settings, matrix: ConflictMatrix) -> None:
    """Keep a matrix in the project under its name; a shipped one of that name is hidden by it."""
    text = matrix_text(matrix)
    parse_matrix(text, matrix.name)
    project.set_setting(_SETTING + matrix.name, text)
    own: list[str] = json.loads(project.setting(_NAMES, "[]"))
    if matrix.name not in own:
        project.set_setting(_NAMES, json.dumps([*own, matrix.name], ensure_ascii=False))


def delete_matrix(project: Settings, name: str) -> None:
    """Forget the project's own matrix of that name; a shipped one of that name shows again."""
    own: list[str] = json.loads(project.setting(_NAMES, "[]"))
    project.set_setting(_SETTING + name, "")
    project.set_setting(_NAMES, json.dumps([other for other in own if other != name], ensure_ascii=False))
