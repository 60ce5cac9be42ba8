"""The conditions a parcel's project must meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class EdgeSetback:
    """Least distance to one side. ``side``: a bearing (N, NE, E, SE, S, SW, W, NW), ``road``, or "" for every side.

    ``above_m``: holds for parts of buildings higher than this (stepped setback), 0 for all.
    """

    side: str
    metres: float
    above_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Conditions:
    """Planning conditions of one parcel. Ratios are fractions; None where the document says nothing.

    Attributes:
        wkb: the parcel in the project's CRS; None if only numbers are known.
        use: main land class (code or name as in the document); compatible: further classes allowed;
            compatible_share: most of the floor area they may take (fraction).
        parking: places per unit of ``parking_per`` (``household`` | ``100m2`` | ``total``), least.
        number, issued: document number and ISO date; source: ``layer`` (with ``layer_id``/``fid``) | ``entered``.
        other: further demands as text, each shown and printed, none judged.
    """

    parcel: str
    number: str = ""
    issued: str = ""
    use: str = ""
    compatible: tuple[str, ...] = ()
    compatible_share: float | None = None
    site_area_m2: float | None = None
    far_min: float | None = None
    far_max: float | None = None
    density_max: float | None = None
    green_min: float | None = None
    height_max: float | None = None
    setbacks: tuple[EdgeSetback, ...] = ()
    parking: float | None = None
    parking_per: str = ""
    city: str = ""
    source: str = "entered"
    layer_id: str = ""
    fid: int | None = None
    wkb: bytes | None = None
    other: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)


_PLAIN = (
    "parcel", "number", "issued", "use", "compatible_share", "site_area_m2", "far_min", "far_max", "density_max",
    "green_min", "height_max", "parking", "parking_per", "city", "source", "layer_id", "fid",
)  # fmt: skip


def conditions_json(conditions: Conditions) -> dict[str, Any]:
    """As kept with a case and sealed with an opinion."""
    data: dict[str, Any] = {name: getattr(conditions, name) for name in _PLAIN}
    data["compatible"] = list(conditions.compatible)
    data["other"] = list(conditions.other)
    data["extra"] = dict(conditions.extra)
    data["setbacks"] = [[one.side, one.metres, one.above_m] for one in conditions.setbacks]
    data["wkb"] = conditions.wkb.hex() if conditions.wkb is not None else None
    return data


def conditions_from_json(data: Mapping[str, Any]) -> Conditions:
    """The inverse of :func:`conditions_json`."""
    wkb = data.get("wkb")
    return Conditions(
        **{name: data[name] for name in _PLAIN if data.get(name) is not None},
        compatible=tuple(data.get("compatible") or ()),
        other=tuple(data.get("other") or ()),
        extra=dict(data.get("extra") or {}),
        setbacks=tuple(EdgeSetback(str(s), float(m), float(a)) for s, m, a in data.get("setbacks") or ()),
        wkb=bytes.fromhex(wkb) if wkb else None,
    )
