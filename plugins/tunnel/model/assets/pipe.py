"""A pipe on its way from a drawing or a survey's table into the register, with its levels where it has some."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import shapely

from planner_app.i18n import word

_ENDS = (("z1", "z2"), ("depth1", "depth2"))
_DRAINS = ("PS", "YS", "WS", "HS")


@dataclass(frozen=True, slots=True)
class Pipe:
    """A pipe of a reviewed drawing or of a survey.

    Attributes:
        key: where it comes from: ``review:case/handle``; fid: of the asset it is.
        values: what a survey's table says of it besides (levels, material …), or the levels in the drawing.
        levels: where they are from: ``table``, ``curve`` (Z of a 3D polyline), ``text`` or empty: there are none.
    """

    key: str
    kind_code: str
    dn_mm: int | None
    shape: Any
    label: str = ""
    fid: int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    levels: str = ""

    def along(self, shape: Any) -> Pipe:
        """The pipe drawn the way another line runs: levels at its ends change places with them."""
        if {self.shape.geom_type, shape.geom_type} != {"LineString"}:
            return self
        (a, b), (c, d) = ([shapely.get_point(one, at) for at in (0, -1)] for one in (self.shape, shape))
        if a.distance(c) + b.distance(d) <= a.distance(d) + b.distance(c):
            return self
        turned = {new: self.values.get(old) for one in _ENDS for new, old in (one, one[::-1])}
        return replace(self, shape=shapely.reverse(self.shape), values={**self.values, **turned})


def levels_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Levels of a drawn pipe; where nothing says what they speak of, as CJJ 61 has it: drains inside at the bottom,
    everything else at the top."""
    if not row.get("z_from"):
        return {}
    reference = row.get("z_ref") or ("invert" if row["kind_code"] in _DRAINS else "top")
    z1, z2 = (None if row[name] is None else round(float(row[name]), 3) for name in ("z1", "z2"))
    return {"z_ref": reference, "z1": z1, "z2": z2}


def level_note(pipe: Pipe) -> str:
    """Where its levels are from, for its history."""
    return word(f"tunnel.levels_{pipe.levels or 'none'}", {})


def single(shape: Any) -> Any:
    """A line that a layer of multi-lines gave back."""
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shapely.line_merge(shape)
