"""Coordinate systems as Chinese bureaus use them. Coordinates never move in silence.

Axis order inside the program is always easting, northing (longitude, latitude). On Chinese plans X is north and Y east.
CGCS2000 / 3° Gauss-Krüger: EPSG 4488 + zone (25…45) with the zone number before the easting,
4534 + (CM − 75)/3 without.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from planner_app.domain.errors import PlannerError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pyproj import CRS

CGCS2000 = "EPSG:4490"
SETTING = "crs.city_transform"
#: Chinese Gauss-Krüger families: datum → width of a zone in degrees → first EPSG code with the zone number before the
#: easting, first one without, number of the first zone.
GAUSS_KRUGER = {
    "cgcs2000": {3: (4513, 4534, 25), 6: (4491, 4502, 13)},
    "xian80": {3: (2349, 2370, 25), 6: (2327, 2338, 13)},
    "beijing54": {3: (2401, 2422, 25), 6: (21413, 21453, 13)},
}


@lru_cache(maxsize=128)
def parse_crs(text: str) -> CRS:
    """The CRS of ``EPSG:n``, a bare number, WKT or a PROJ string.

    Raises:
        PlannerError: ``crs.unknown``.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    wanted = text.strip()
    try:
        return CRS.from_user_input(f"EPSG:{wanted}" if wanted.isdigit() else wanted)
    except CRSError as error:
        raise PlannerError("crs.unknown", crs=text[:80]) from error


def authority_code(crs: CRS) -> str:
    """``EPSG:n`` where the CRS has one, else its WKT."""
    code = crs.to_authority(min_confidence=70)
    return f"{code[0]}:{code[1]}" if code else crs.to_wkt()


def project_crs(text: str) -> str:
    """``EPSG:n`` of a CRS a project can have: projected, metres.

    Raises:
        PlannerError: ``crs.unknown``, ``crs.not_projected``, ``crs.not_epsg``.
    """
    crs = parse_crs(text)
    if not crs.is_projected or any(not math.isclose(axis.unit_conversion_factor, 1.0) for axis in crs.axis_info):
        raise PlannerError("crs.not_projected", crs=text[:80])
    code = crs.to_authority(min_confidence=70)
    if code is None or code[0] != "EPSG":
        raise PlannerError("crs.not_epsg", crs=text[:80])
    return f"EPSG:{code[1]}"


@dataclass(frozen=True, slots=True)
class CityTransform:
    """A city's own transformation, entered once and kept in the project.

    Attributes:
        source, target: CRS it leads from and to (``EPSG:n`` or WKT).
        kind: ``four``: plane similarity x' = dx + s·(x·cos r − y·sin r), y' = dy + s·(x·sin r + y·cos r), metres and
            radians anticlockwise; ``seven``: geocentric Helmert (position vector), metres, arc seconds, ppm.
        parameters: four: dx, dy, rotation, scale; seven: x, y, z, rx, ry, rz, s.
        rms: residual of the control points it was fitted to in m, or None.
    """

    source: str
    target: str
    kind: str
    parameters: tuple[float, ...]
    rms: float | None = None

    def __post_init__(self) -> None:
        wanted = {"four": 4, "seven": 7}.get(self.kind)
        if wanted is None or len(self.parameters) != wanted or not all(map(math.isfinite, self.parameters)):
            raise PlannerError("crs.city_parameters", kind=self.kind, count=len(self.parameters))

    def to_json(self) -> str:
        """Text for the project's settings."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> CityTransform:
        """From the project's settings.

        Raises:
            PlannerError: ``crs.city_parameters``.
        """
        try:
            data = json.loads(text)
            return cls(**{**data, "parameters": tuple(map(float, data["parameters"]))})
        except (ValueError, TypeError, KeyError) as error:
            raise PlannerError("crs.city_parameters", kind="?", count=0) from error

    @classmethod
    def kept_for(cls, source: str, text: str) -> CityTransform | None:
        """What the project's settings hold (``text``, may be empty) if it leads from this CRS.

        Raises:
            PlannerError: ``crs.city_parameters``, ``crs.unknown``.
        """
        kept = cls.from_json(text) if text else None
        leads = kept is not None and parse_crs(kept.source).equals(parse_crs(source), ignore_axis_order=True)
        return kept if leads else None


def fit_four_parameters(
    source: str, target: str, points: Sequence[tuple[float, float, float, float]]
) -> tuple[CityTransform, list[tuple[float, float]]]:
    """Least-squares plane similarity through control points, and each point's residual (de, dn) in m.

    Args:
        source, target: CRS of the two sets.
        points: (easting, northing, easting', northing') of at least two points.

    Raises:
        PlannerError: ``crs.control_points`` for fewer than two distinct points.
    """
    import numpy as np

    table = np.asarray(points, dtype=float).reshape(-1, 4)
    if len(np.unique(table[:, :2], axis=0)) < 2 or not np.isfinite(table).all():
        raise PlannerError("crs.control_points", count=len(table))
    old, new = table[:, :2], table[:, 2:]
    centre_old, centre_new = old.mean(0), new.mean(0)
    u, v = old - centre_old, new - centre_new
    spread = (u**2).sum()
    a = (u * v).sum() / spread  # s·cos r
    b = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]).sum() / spread  # s·sin r
    dx = centre_new[0] - a * centre_old[0] + b * centre_old[1]
    dy = centre_new[1] - b * centre_old[0] - a * centre_old[1]
    found = np.column_stack([dx + a * old[:, 0] - b * old[:, 1], dy + b * old[:, 0] + a * old[:, 1]])
    residuals = found - new
    rms = float(np.sqrt((residuals**2).sum(1).mean()))
    parameters = (float(dx), float(dy), math.atan2(b, a), math.hypot(a, b))
    return CityTransform(source, target, "four", parameters, rms), [(float(e), float(n)) for e, n in residuals]


class Transformation:
    """Moves coordinates from one CRS to another; easting, northing in and out."""

    def __init__(self, steps: Sequence[Any], accuracy_m: float | None) -> None:
        self._steps = list(steps)
        self.accuracy_m = accuracy_m
        """PROJ's stated accuracy in m; None where it is not stated."""

    @property
    def is_identity(self) -> bool:
        """True if nothing moves."""
        return not self._steps

    def transform(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """New coordinates of the same shape; what cannot be transformed becomes infinite."""
        for step in self._steps:
            x, y = step(x, y)
        return x, y


def transformer(source: str, target: str, city: CityTransform | None = None) -> Transformation:
    """How coordinates get from ``source`` to ``target``.

    A city's transform goes before PROJ's. Ballpark transformations (those that only pretend) are refused.

    Raises:
        PlannerError: ``crs.unknown``, ``crs.ballpark`` (a city's parameters or control points are needed),
            ``crs.city_other`` (the city's transform leads elsewhere).
    """
    old, new = parse_crs(source), parse_crs(target)
    if old.equals(new, ignore_axis_order=True):
        return Transformation([], 0.0)
    if city is not None:
        return _by_city(old, new, city)
    return _by_proj(old, new)


def _by_proj(old: CRS, new: CRS) -> Transformation:
    datums = {_chinese_datum(old), _chinese_datum(new)}
    if None not in datums and len(datums) == 2:
        raise PlannerError("crs.ballpark", source=_title(old), target=_title(new))
    if "cgcs2000" in datums and len(datums) == 2:
        return _through_wgs84(old, new)
    return _exact(old, new)


def _through_wgs84(old: CRS, new: CRS) -> Transformation:
    """Between CGCS2000 and a foreign datum by way of WGS 84.

    PROJ knows no transformation between the two. Both realise the ITRS (CGCS2000 is ITRF97 at epoch 2000.0) and their
    ellipsoids differ by 0.1 mm, so they are taken as one; what remains is plate motion, decimetres.
    """
    wgs84, cgcs2000 = parse_crs("EPSG:4326"), parse_crs(CGCS2000)
    forward = _chinese_datum(new) == "cgcs2000"
    first = _exact(old, wgs84 if forward else cgcs2000)
    last = _exact(cgcs2000 if forward else wgs84, new)
    return Transformation([first.transform, last.transform], max(first.accuracy_m or 0, last.accuracy_m or 0, 1.0))


def _exact(old: CRS, new: CRS) -> Transformation:
    from pyproj import Transformer
    from pyproj.exceptions import ProjError
    from pyproj.transformer import TransformerGroup

    if old.equals(new, ignore_axis_order=True):
        return Transformation([], 0.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "best transformation is not available": a grid this machine has not
            best = TransformerGroup(old, new, always_xy=True, allow_ballpark=False).transformers
        if not best:
            raise PlannerError("crs.ballpark", source=_title(old), target=_title(new))
        step = Transformer.from_crs(old, new, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise PlannerError("crs.ballpark", source=_title(old), target=_title(new)) from error
    accuracy = best[0].accuracy if best[0].accuracy >= 0 else None
    return Transformation([lambda x, y: step.transform(x, y)], accuracy)


def _by_city(old: CRS, new: CRS, city: CityTransform) -> Transformation:
    import numpy as np

    first, last = parse_crs(city.source), parse_crs(city.target)
    if _chinese_datum(old) != _chinese_datum(first) or (
        city.kind == "four" and not old.equals(first, ignore_axis_order=True)
    ):
        raise PlannerError("crs.city_other", source=_title(old), has=_title(first))
    rest: list[Any] = []
    if not last.equals(new, ignore_axis_order=True):
        after = _by_proj(last, new)
        rest = [after.transform]
    if city.kind == "four":
        dx, dy, rotation, scale = city.parameters
        a, b = scale * math.cos(rotation), scale * math.sin(rotation)

        def similarity(x: Any, y: Any) -> tuple[Any, Any]:
            x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
            return dx + a * x - b * y, dy + b * x + a * y

        return Transformation([similarity, *rest], city.rms)
    return Transformation([_helmert(old, last, city.parameters), *rest], city.rms)


def _helmert(old: CRS, new: CRS, parameters: Sequence[float]) -> Any:
    """Seven parameters between the two ellipsoids, as one PROJ pipeline."""
    from pyproj import Transformer

    def half(crs: CRS, inverse: bool) -> str:
        proj = crs.to_proj4().replace("+type=crs", "").replace("+no_defs", "").strip()
        words = [word for word in proj.split() if not word.startswith(("+towgs84", "+datum", "+units"))]
        return ("+inv " if inverse else "") + " ".join(words)

    def ellipsoid(crs: CRS) -> str:
        found = crs.ellipsoid
        if found is None:
            raise PlannerError("crs.no_ellipsoid", crs=_title(crs))
        return f"+a={found.semi_major_metre!r} +rf={found.inverse_flattening!r}"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "losing information": the datum's name, which the seven parameters replace
        names = zip(("x", "y", "z", "rx", "ry", "rz", "s"), parameters, strict=True)
        steps = [
            half(old, inverse=True) if old.is_projected else "+proj=unitconvert +xy_in=deg +xy_out=rad",
            f"+proj=cart {ellipsoid(old)}",
            "+proj=helmert " + " ".join(f"+{name}={value!r}" for name, value in names) + " +convention=position_vector",
            f"+inv +proj=cart {ellipsoid(new)}",
            half(new, inverse=False) if new.is_projected else "+proj=unitconvert +xy_in=rad +xy_out=deg",
        ]
        step = Transformer.from_pipeline("+proj=pipeline " + " ".join(f"+step {part}" for part in steps))
    return lambda x, y: step.transform(x, y)


def _chinese_datum(crs: CRS) -> str | None:
    """The Chinese datum a CRS stands on, None for any other."""
    geodetic = crs.geodetic_crs
    name = f"{geodetic.datum.name if geodetic and geodetic.datum else ''} {geodetic.name if geodetic else ''}"
    for key, words in (
        ("cgcs2000", ("China 2000", "CGCS2000", "China Geodetic Coordinate System 2000")),
        ("beijing54", ("Beijing 1954",)),
        ("xian80", ("Xian 1980",)),
    ):
        if any(word in name for word in words):
            return key
    return None


def _title(crs: CRS) -> str:
    code = crs.to_authority(min_confidence=70)
    return f"{crs.name} ({code[0]}:{code[1]})" if code else crs.name


def is_chinese_projected(crs: str) -> bool:
    """True for projected systems on a Chinese datum, whose X is written as north and Y as east."""
    found = parse_crs(crs)
    return found.is_projected and _chinese_datum(found) is not None


def zone_prefix(easting: float) -> int:
    """The zone number in front of an easting, 0 if there is none (easting ≤ 10⁶ m)."""
    return int(easting // 1e6) if easting > 1e6 else 0


def zone_crs(zone: int, like: str, *, prefixed: bool = True) -> str:
    """``EPSG:n`` of a Gauss-Krüger zone (3° zones 25…45, 6° zones 13…23) on the datum of another CRS.

    Args:
        like: a CRS on a Chinese datum; any other gives "".
        prefixed: with the zone number before the easting.
    """
    for first_with, first_without, first in GAUSS_KRUGER.get(_chinese_datum(parse_crs(like)) or "", {}).values():
        if 0 <= zone - first <= (20 if first == 25 else 10):
            return f"EPSG:{(first_with if prefixed else first_without) + zone - first}"
    return ""


def zone_of(crs: str) -> tuple[int, bool]:
    """(number of a CRS's Gauss-Krüger zone, whether it stands before the easting); (0, False) for any other CRS."""
    code = authority_code(parse_crs(crs)).removeprefix("EPSG:")
    number = int(code) if code.isdigit() else 0
    for family in GAUSS_KRUGER.values():
        for first_with, first_without, first in family.values():
            for start in (first_with, first_without):
                if 0 <= number - start <= (20 if first == 25 else 10):
                    return number - start + first, start == first_with
    return 0, False


def chinese_name(epsg: int) -> str:
    """A short name: ``CGCS2000 / 3° GK CM 120E``; PROJ's own name for others.

    Raises:
        PlannerError: ``crs.unknown``.
    """
    if 4513 <= epsg <= 4533:
        return f"CGCS2000 / 3° GK zone {epsg - 4488} (CM {3 * (epsg - 4488)}E)"
    if 4534 <= epsg <= 4554:
        return f"CGCS2000 / 3° GK CM {75 + 3 * (epsg - 4534)}E"
    if 4491 <= epsg <= 4501:
        return f"CGCS2000 / 6° GK zone {epsg - 4478}"
    if 4502 <= epsg <= 4512:
        return f"CGCS2000 / 6° GK CM {75 + 6 * (epsg - 4502)}E"
    return str(parse_crs(f"EPSG:{epsg}").name)


def chooser_list() -> list[tuple[str, str]]:
    """(``EPSG:n``, name) in the chooser's order: CGCS2000 without, then with zone number, older ones, others."""
    codes = [*range(4534, 4555), *range(4513, 4534), *range(4502, 4513), *range(4491, 4502)]
    others = [(3857, "WGS 84 / Pseudo-Mercator")]
    others += [(32600 + zone, f"WGS 84 / UTM {zone}N") for zone in range(43, 54)]
    older = [(2370 + n, f"Xian 1980 / 3° GK CM {75 + 3 * n}E") for n in range(21)]
    older += [(2422 + n, f"Beijing 1954 / 3° GK CM {75 + 3 * n}E") for n in range(21)]
    named = [(code, chinese_name(code)) for code in codes]
    return [(f"EPSG:{code}", name) for code, name in [*named, *older, *others]]
