"""What a comparison of two plans found: patches, sums per class pair and cause, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from planner_app.domain.finding import Verdict
from plugins.planning.model.causes import CAUSES, Cause, SliverTest
from plugins.planning.model.crosswalk import LandClass
from plugins.planning.model.matrix import Cell, ConflictMatrix
from plugins.planning.model.plan_side import PlanSide

Basis = Literal["planar", "ellipsoidal"]

#: Verdicts, gravest first.
GRAVITY = (Verdict.FAIL.value, Verdict.NEEDS_CERTIFICATE.value, Verdict.CANNOT_JUDGE.value, Verdict.PASS.value)
NO_CLASS = "(no class)"


@dataclass(frozen=True, slots=True)
class ConflictOptions:
    """How to compare.

    Attributes:
        every_pair: report every pair that shares ground, whatever its classes.
        matrix: name or TOML file of the conflict matrix that decides what a conflict is; empty: classes that differ
            after the crosswalk, with verdicts and clauses of the default matrix.
        min_area: pairs sharing less than this many m² (in the project CRS) are dropped and listed.
        min_width: pairs of less than this mean width in m are dropped and listed.
        basis: area basis of sums and shares; both are computed.
        on: ISO day on which validity is judged; empty: today.
        sliver: when a patch is a boundary sliver.
    """

    every_pair: bool = False
    matrix: str = ""
    min_area: float = 1.0
    min_width: float = 0.1
    basis: Basis = "planar"
    on: str = ""
    sliver: SliverTest = field(default_factory=SliverTest)


@dataclass(slots=True)
class Patches:
    """Patches as columns, all of shape (n,), largest first.

    Attributes:
        i, j: rows of the two sides; -1 is the land outside a growth boundary.
        a_class, b_class: index into the sides' classes.
        geometry: shapely polygons in the project CRS.
        area, area_ellipsoidal: m²; width: 2·area/perimeter in m.
        cause: index into ``CAUSES``; verdict: verdict's value; cell: index into the matrix's cells, -1 for none.
    """

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    a_class: NDArray[np.int64]
    b_class: NDArray[np.int64]
    geometry: NDArray[np.object_]
    area: NDArray[np.float64]
    area_ellipsoidal: NDArray[np.float64]
    width: NDArray[np.float64]
    cause: NDArray[np.int8]
    verdict: NDArray[np.object_]
    cell: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.area)


@dataclass(frozen=True, slots=True)
class DroppedPair:
    """A pair that the gates left out. ``why`` is the gate (``area`` or ``width``); area in m², width in m or NaN."""

    a_fid: int
    b_fid: int
    a_class: str
    b_class: str
    area: float
    width: float
    why: str


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One pair of classes: distinct pairs of features, patches, m² on the basis, gravest verdict, matrix cell."""

    a: LandClass
    b: LandClass
    pairs: int
    patches: int
    area: float
    verdict: str
    cell: Cell | None


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One cause: distinct pairs, patches, m² on the basis. A pair with spots of two causes counts under both."""

    cause: Cause
    pairs: int
    patches: int
    area: float


@dataclass(slots=True)
class ConflictResult:
    """What two plans disagree on.

    Attributes:
        class_areas: shared m² (planar) of every pair of classes, reported or not, shape (classes of a, of b).
        relations: how each pair of classes relates (:func:`crosswalk.relate`), same shape.
        repaired, rejected: per side (fid, reason code).
        newer: per side the plan that replaces it, where one does.
    """

    a: PlanSide
    b: PlanSide
    options: ConflictOptions
    crs: str
    matrix: ConflictMatrix
    patches: Patches
    class_areas: NDArray[np.float64]
    relations: NDArray[np.int8]
    dropped: list[DroppedPair]
    repaired: dict[str, list[tuple[int, str]]]
    rejected: dict[str, list[tuple[int, str]]]
    newer: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def measure(self) -> NDArray[np.float64]:
        """Area of each patch on the declared basis, m²."""
        return self.patches.area if self.options.basis == "planar" else self.patches.area_ellipsoidal

    @property
    def area(self) -> float:
        """Area of all patches on the declared basis, m²."""
        return float(self.measure().sum())

    @property
    def pairs(self) -> int:
        """Number of distinct pairs of features among the patches."""
        return int(self._pairs_per(np.zeros(len(self.patches), dtype=np.int64), 1)[0])

    def cell_of(self, patch: int) -> Cell | None:
        """The matrix cell that spoke about a patch."""
        number = int(self.patches.cell[patch])
        return self.matrix.cells[number] if number >= 0 else None

    def by_class(self) -> list[ClassRow]:
        """Per pair of classes, largest area first."""
        patches, columns = self.patches, len(self.b.classes)
        keys, first, group = np.unique(
            patches.a_class * columns + patches.b_class, return_index=True, return_inverse=True
        )
        area = np.bincount(group, weights=self.measure(), minlength=len(keys))
        count = np.bincount(group, minlength=len(keys))
        pairs = self._pairs_per(group, len(keys))
        rows = [
            ClassRow(
                self.a.classes[int(key) // columns],
                self.b.classes[int(key) % columns],
                int(pairs[n]),
                int(count[n]),
                float(area[n]),
                str(patches.verdict[first[n]]),
                self.cell_of(int(first[n])),
            )
            for n, key in enumerate(keys)
        ]
        return sorted(rows, key=lambda row: -row.area)

    def by_cause(self) -> list[CauseRow]:
        """Per cause, in the order of reports; ``same_class`` only where every pair was asked for."""
        group = self.patches.cause.astype(np.int64)
        area = np.bincount(group, weights=self.measure(), minlength=len(CAUSES))
        count = np.bincount(group, minlength=len(CAUSES))
        pairs = self._pairs_per(group, len(CAUSES))
        return [
            CauseRow(cause, int(pairs[n]), int(count[n]), float(area[n]))
            for n, cause in enumerate(CAUSES)
            if cause is not Cause.SAME_CLASS or self.options.every_pair
        ]

    def _pairs_per(self, group: NDArray[np.int64], groups: int) -> NDArray[np.int64]:
        if not len(group):
            return np.zeros(groups, dtype=np.int64)
        distinct = np.unique(np.stack([group, self.patches.i, self.patches.j]), axis=1)
        return np.bincount(distinct[0], minlength=groups)

    def as_json(self) -> dict[str, Any]:
        """The verb's answer, as ``planner conflicts --json`` prints it."""
        by_class = [
            {
                "a": NO_CLASS if row.a.raw is None else row.a.raw,
                "b": NO_CLASS if row.b.raw is None else row.b.raw,
                "pairs": row.pairs,
                "patches": row.patches,
                "area_m2": row.area,
                "verdict": row.verdict,
                "clause": row.cell.citation() if row.cell and row.cell.conflict else "",
            }
            for row in self.by_class()
        ]
        by_cause = [
            {"cause": row.cause.value, "pairs": row.pairs, "patches": row.patches, "area_m2": row.area}
            for row in self.by_cause()
        ]
        return {
            "pairs": self.pairs,
            "patches": len(self.patches),
            "area_m2": self.area,
            "basis": self.options.basis,
            "area_planar_m2": float(self.patches.area.sum()),
            "area_ellipsoidal_m2": float(self.patches.area_ellipsoidal.sum()),
            "by_class": by_class,
            "by_cause": by_cause,
            "dropped": {"pairs": len(self.dropped), "area_m2": sum(pair.area for pair in self.dropped)},
            "repaired": {side: len(rows) for side, rows in self.repaired.items()},
            "rejected": {side: len(rows) for side, rows in self.rejected.items()},
            "unmapped": {"a": self.a.unmapped(), "b": self.b.unmapped()},
            "standards": {"a": self.a.standard, "b": self.b.standard},
            "matrix": self.matrix.name,
            "seconds": self.seconds,
        }
