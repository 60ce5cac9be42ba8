"""Elements of a site plan from the storeys of an IFC model: envelopes as floor areas, the lowest as footprint."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from plugins.review.model.drawing.types import Note, Storey
from plugins.review.model.reading.types import Element, Role

#: Voids (share of an envelope) and floors outside it (m²) that are told.
VOID_SHARE, OUTSIDE_M2 = 0.05, 1.0


def elements_of(storeys: Sequence[Storey]) -> tuple[list[Element], list[Note]]:
    """Floor areas and footprints in the model's own metres, and what could not be told from the model.

    Real storeys only (no foundation datum, no roof). Whole envelopes count: a stairwell counts on every floor, and a
    model does not say which void is an atrium. Floors outside the envelope (balconies, terraces, canopies) do not
    count, since the model does not say which they are. Both are told with their areas.
    """
    by_building: dict[str, list[Storey]] = defaultdict(list)
    notes: list[Note] = []
    for storey in storeys:
        if storey.above:
            by_building[storey.building].append(storey)
            notes += storey.notes
    found: list[Element] = []
    for building, own in by_building.items():
        ordered = sorted(own, key=lambda one: one.elevation)
        up = [one for one in ordered if not one.below_ground]
        numbered = [(-n, one) for n, one in enumerate(reversed([one for one in ordered if one.below_ground]), start=1)]
        numbered += list(enumerate(up, start=1))
        for floor, storey in numbered:
            if storey.envelope is None:
                notes.append(("review.storey_no_envelope", {"building": building, "storey": storey.name}))
                continue
            found.append(
                Element(
                    Role.FLOOR_AREA, storey.envelope, (storey.guid,), building=building, floor=floor,
                    value=storey.height, text=storey.name,
                )
            )  # fmt: skip
            if storey.void_m2 > VOID_SHARE * storey.envelope.area:
                notes.append(("review.storey_void", {"storey": storey.name, "area": storey.void_m2}))
            if storey.outside_m2 > OUTSIDE_M2:
                notes.append(("review.storey_outside", {"storey": storey.name, "area": storey.outside_m2}))
        ground = next((one for one in up if one.envelope is not None), None)
        if ground is not None and ground.envelope is not None:
            found.append(Element(Role.FOOTPRINT, ground.envelope, (ground.guid,), building=building, text=ground.name))
    return found, notes
