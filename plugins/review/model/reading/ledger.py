"""The repair ledger: every liberty taken with a drawing is an entry that the reviewer can take back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from plugins.review.model.reading.types import Repair

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

#: Gaps up to 5 cm are closed, m (bureau rule: shared edges coincide; what is drawn by hand misses by less), and a hair:
#: an easting with its zone number is exact to 1e-8 only.
GAP = 0.05 + 1e-6
#: Two outlines no farther apart than this anywhere are one drawn twice, m.
SAME = 0.001
#: Grid on which shapes are cut and united, m: edges along each other leave no splinters, areas change by less than
#: a hundredth of a cm².
FINE = 1e-6
#: Areas up to this are slivers, overlaps up to this are not spoken of, m².
SLIVER = 0.01


def handle_key(handle: str) -> tuple[tuple[int, str], ...]:
    """Sorts handles as they were given out (``9F`` before ``100``), so that results don't hang on the file's order."""
    if "/" not in handle and "#" not in handle:
        return ((len(handle), handle),)
    return tuple((len(piece), piece) for piece in re.split(r"[/#]", handle))


@dataclass(frozen=True, slots=True)
class Frame:
    """Drawing units to local metres: exact near the origin, where areas are computed."""

    metres_per_unit: float
    origin: tuple[float, float] = (0.0, 0.0)

    def local(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) in drawing units → metres from the origin."""
        made: NDArray[np.float64] = points * self.metres_per_unit - np.asarray(self.origin)
        return made

    def back(self, geometry: BaseGeometry) -> BaseGeometry:
        """Local metres → metres in the drawing's axes."""
        return shapely.transform(geometry, lambda xy: xy + np.asarray(self.origin))

    def back_all(self, geometries: Sequence[BaseGeometry]) -> list[BaseGeometry]:
        """As :meth:`back`, for many at once."""
        if not geometries:
            return []
        array = np.empty(len(geometries), dtype=object)
        array[:] = geometries
        return list(shapely.transform(array, lambda xy: xy + np.asarray(self.origin)))


@dataclass(slots=True)
class Ledger:
    """Gathers the repairs of one reading.

    Attributes:
        undone: ids of repairs that the reviewer took back.
        ranks: place of each handle in the order of :func:`handle_key`.
    """

    frame: Frame
    undone: frozenset[str] = frozenset()
    ranks: Mapping[str, int] = field(default_factory=dict)
    entries: dict[str, Repair] = field(default_factory=dict)

    def rank(self, handle: str) -> int:
        """Place of a handle among all of the drawing."""
        return self.ranks.get(handle, len(self.ranks))

    def enter(
        self, kind: str, handles: Sequence[str], layer: str, where: BaseGeometry | None = None, **params: Any
    ) -> bool:
        """Enter a repair. True if it is to be made, False if the reviewer took it back.

        Args:
            kind: as in :class:`Repair`; its wording is ``review.repair.KIND``.
            where: in local metres.
            params: sizes named in the wording (``gap_m``, ``area_m2`` …).
        """
        ordered = sorted(set(handles), key=handle_key)
        name = f"{kind}:{_joined(ordered)}"
        undone = name in self.undone
        if name not in self.entries:
            self.entries[name] = Repair(
                id=name,
                kind=kind,
                handle=ordered[0] if ordered else "",
                layer=layer,
                detail=(f"review.repair.{kind}", {"layer": layer, "handles": ", ".join(ordered[:6]), **params}),
                where=None if where is None else self.frame.back(where),
                undone=undone,
            )
        return not undone

    def sorted(self) -> tuple[Repair, ...]:
        """All entries, by kind and handle."""
        return tuple(sorted(self.entries.values(), key=lambda one: (one.kind, handle_key(one.handle), one.id)))


def _joined(handles: Iterable[str]) -> str:
    text = "+".join(handles)
    return text if len(text) <= 60 else f"{text[:40]}…{hashlib.sha256(text.encode()).hexdigest()[:12]}"
