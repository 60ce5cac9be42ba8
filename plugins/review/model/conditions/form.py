"""Conditions entered by a person: texts of a form ↔ :class:`Conditions`, checked field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from planner_app.plugin_api.model import PlannerError
from plugins.review.model.conditions.types import Conditions
from plugins.review.model.conditions.values import (
    classes,
    day,
    number,
    parking,
    plain,
    setbacks,
    setbacks_text,
)
from plugins.review.model.drawing.types import Note

#: Fields of the form in their order, with English titles (``tr``).
FIELDS = {
    "parcel": "Parcel number",
    "number": "Document number",
    "issued": "Issued on",
    "use": "Main use",
    "compatible": "Compatible uses",
    "compatible_share": "Compatible uses, at most (%)",
    "site_area_m2": "Site area (m²)",
    "far_min": "FAR, at least",
    "far_max": "FAR, at most",
    "density_max": "Density, at most (%)",
    "green_min": "Green ratio, at least (%)",
    "height_max": "Height, at most (m)",
    "setbacks": "Setbacks (m)",
    "parking": "Parking",
    "other": "Other demands, one per line",
}
#: What a number of each field may be: least and most, ratios as fractions.
RANGES = {
    "compatible_share": (0.0, 1.0), "site_area_m2": (1.0, 1e9), "far_min": (0.0, 50.0), "far_max": (0.0, 50.0),
    "density_max": (0.0, 1.0), "green_min": (0.0, 1.0), "height_max": (0.0, 1500.0),
}  # fmt: skip
PERCENT = ("compatible_share", "density_max", "green_min")
_PER = {"household": "/household", "100m2": "/100 m²", "total": ""}
#: The widest setback anyone means (m).
WIDEST = 500.0


def from_form(texts: Mapping[str, str], base: Conditions | None = None) -> Conditions:
    """Conditions from a form's texts; what the form does not hold (parcel geometry, city) stays as in ``base``.

    Percentages are taken with or without ``%``; a plain number up to 1 is a fraction. Setbacks: ``8``,
    ``E 8; S 10; road 15; 12 above 24`` or in Chinese. Parking: ``1.0/household``, ``0.8/100 m²``, ``200``.

    Raises:
        PlannerError: ``review.condition_…`` with ``field`` (a key of :data:`FIELDS`) and the text.
    """
    base = base or Conditions("")
    numbers: dict[str, Any] = {key: _number(key, texts.get(key, "")) for key in RANGES}
    numbers["far_min"] = numbers["far_min"] or None  # 0 demands nothing
    if not plain(texts.get("parcel", "")) and base.wkb is None:
        raise PlannerError("review.condition_parcel", field="parcel")
    least, most = numbers["far_min"], numbers["far_max"]
    if least is not None and most is not None and least > most:
        raise PlannerError("review.condition_far", field="far_min", least=least, most=most)
    issued = plain(texts.get("issued", ""))
    if issued and not day(issued):
        raise PlannerError("review.condition_date", field="issued", text=issued)
    sides, rest = setbacks(texts.get("setbacks", ""))
    if rest or any(not 0 <= one.metres <= WIDEST for one in sides):
        raise PlannerError("review.condition_setback", field="setbacks", text="; ".join(rest) or texts["setbacks"])
    places = plain(texts.get("parking", ""))
    rate = parking(places)
    if places and rate is None:
        raise PlannerError("review.condition_parking", field="parking", text=places)
    return replace(
        base,
        parcel=plain(texts.get("parcel", "")),
        number=texts.get("number", "").strip(),
        issued=day(issued),
        use=texts.get("use", "").strip(),
        compatible=classes(texts.get("compatible", "")),
        setbacks=sides,
        parking=rate[0] if rate else None,
        parking_per=rate[1] if rate else "",
        other=tuple(line.strip() for line in texts.get("other", "").splitlines() if line.strip()),
        **numbers,
    )


def form_texts(conditions: Conditions) -> dict[str, str]:
    """What a form shows of conditions: the inverse of :func:`from_form`."""

    def shown(key: str) -> str:
        value = getattr(conditions, key)
        if value is None:
            return ""
        return f"{value * 100:.10g}%" if key in PERCENT else f"{value:.10g}"

    rate = "" if conditions.parking is None else f"{conditions.parking:g}{_PER.get(conditions.parking_per, '')}"
    return {
        **{key: shown(key) for key in RANGES},
        "parcel": conditions.parcel, "number": conditions.number, "issued": conditions.issued,
        "use": conditions.use, "compatible": "; ".join(conditions.compatible),
        "setbacks": setbacks_text(conditions.setbacks), "parking": rate, "other": "\n".join(conditions.other),
    }  # fmt: skip


def doubts(conditions: Conditions) -> list[Note]:
    """What looks wrong in conditions of whatever source, as notes; empty if nothing does."""
    found: list[Note] = []
    for key, (low, high) in RANGES.items():
        value = getattr(conditions, key)
        if value is not None and not low <= value <= high:
            found.append(("review.condition_range", {"field": key, "text": f"{value:g}", "low": low, "high": high}))
    least, most = conditions.far_min, conditions.far_max
    if least is not None and most is not None and least > most:
        found.append(("review.condition_far", {"field": "far_min", "least": least, "most": most}))
    if (conditions.density_max or 0.0) + (conditions.green_min or 0.0) > 1.0:
        found.append(("review.condition_too_full", {"field": "green_min"}))
    return found


def _number(key: str, text: str) -> float | None:
    if not plain(text):
        return None
    value = number(text)
    if value is None:
        raise PlannerError("review.condition_number", field=key, text=text.strip())
    if key in PERCENT and ("%" in plain(text) or value > 1.0):
        value /= 100.0
    low, high = RANGES[key]
    if "-" in plain(text)[:1] or not low <= value <= high:
        raise PlannerError("review.condition_range", field=key, text=text.strip(), low=low, high=high)
    return value
