"""How coordinate systems are called on screen, without loading PROJ for the common ones.

EPSG registry. CGCS2000, 3° Gauss-Krüger: 4513-4533 are zones 25-45 with the zone number before the easting, 4534-4554
the same central meridians (75° to 135° by 3°) without it; 6°: 4491-4501 (zones 13-23) and 4502-4512. No zone number:
Xian 1980 3° 2370-2390, Beijing 1954 3° 2422-2442.
"""

from __future__ import annotations

from functools import lru_cache

from planner_app.i18n import tr


@lru_cache(maxsize=256)
def crs_code(crs: str) -> int:
    """The EPSG number of ``EPSG:n``, 0 for anything else."""
    head, _, number = crs.partition(":")
    return int(number) if head.upper() == "EPSG" and number.isdigit() else 0


def crs_name(crs: str, other: str = "") -> str:
    """A short name: ``CGCS2000 / 3° CM 120E``; for others ``other``, PROJ's name, or the code itself."""
    code = crs_code(crs)
    if 4513 <= code <= 4533:
        return tr("CGCS2000 / 3° zone {zone}", zone=code - 4513 + 25)
    if 4534 <= code <= 4554:
        return tr("CGCS2000 / 3° CM {meridian}E", meridian=75 + 3 * (code - 4534))
    if 4491 <= code <= 4501:
        return tr("CGCS2000 / 6° zone {zone}", zone=code - 4491 + 13)
    if 4502 <= code <= 4512:
        return tr("CGCS2000 / 6° CM {meridian}E", meridian=75 + 6 * (code - 4502))
    if 2370 <= code <= 2390:
        return tr("Xian 1980 / 3° CM {meridian}E", meridian=75 + 3 * (code - 2370))
    if 2422 <= code <= 2442:
        return tr("Beijing 1954 / 3° CM {meridian}E", meridian=75 + 3 * (code - 2422))
    return other or _registered_name(crs)


@lru_cache(maxsize=64)
def _registered_name(crs: str) -> str:
    from planner_app.domain.crs import chinese_name

    try:
        return chinese_name(crs_code(crs)) or crs
    except Exception:  # a name is only for reading: an unknown one is shown as its code
        return crs
