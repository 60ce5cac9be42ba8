"""Features as they travel in and out of the project file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features read from a layer.

    Attributes:
        fids: int64 (n,), ascending unless stated otherwise.
        geometry: object (n,) of ISO WKB bytes or None, for ``shapely.from_wkb``; all None where geometry was not read.
        columns: values by field name, each a list of n (None, int, float, str, bytes; dates as ISO text).
    """

    fids: np.ndarray[Any, np.dtype[np.int64]]
    geometry: np.ndarray[Any, np.dtype[Any]]
    columns: dict[str, list[Any]]

    def __len__(self) -> int:
        return len(self.fids)


@dataclass(frozen=True, slots=True)
class Batch:
    """Features to be written: n geometries and n values of each column. Columns left out become NULL.

    Attributes:
        wkb: any WKB in the project's CRS; None for no geometry. Empty for tables without geometry.
        uuids: identities to keep; None makes new ones.
    """

    wkb: Sequence[bytes | None]
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    uuids: Sequence[str] | None = None

    def __len__(self) -> int:
        return max([len(self.wkb), len(self.uuids or ()), *(len(values) for values in self.columns.values())])
