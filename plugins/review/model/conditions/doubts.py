"""What cannot be in planning conditions, whoever entered them: a wrong unit, limits that contradict each other."""

from __future__ import annotations

from plugins.review.model.conditions.types import Conditions
from plugins.review.model.drawing.types import Note

#: What a number of each field may be: least and most, ratios as fractions.
RANGES = {
    "compatible_share": (0.0, 1.0), "site_area_m2": (1.0, 1e9), "far_min": (0.0, 50.0), "far_max": (0.0, 50.0),
    "density_max": (0.0, 1.0), "green_min": (0.0, 1.0), "height_max": (0.0, 1500.0),
}  # fmt: skip
_PERCENT = ("compatible_share", "density_max", "green_min")


def doubts(conditions: Conditions) -> list[Note]:
    """What cannot be, as notes with the field it stands in; empty if nothing is wrong."""
    found: list[Note] = []
    for key, (low, high) in RANGES.items():
        value = getattr(conditions, key)
        if value is not None and not low <= value <= high:
            text, least, most = (f"{one:.0%}" if key in _PERCENT else f"{one:g}" for one in (value, low, high))
            found.append(("review.condition_range", {"field": key, "text": text, "low": least, "high": most}))
    least_far, most_far = conditions.far_min, conditions.far_max
    if least_far is not None and most_far is not None and least_far > most_far:
        found.append(("review.condition_far", {"field": "far_min", "least": least_far, "most": most_far}))
    return found
