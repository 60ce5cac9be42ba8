"""Whatever polygons come in: what goes on is valid and polygonal, and no area is lost against GEOS's own repair."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from planner_app.domain.crs import Transformation, transformer
from planner_app.project.exchange.preparing import Preparation
from planner_app.project.exchange.source import Chunk

_STAY = Transformation([], 0.0)
_numbers = st.integers(0, 12).map(float)
_rings = st.lists(st.tuples(_numbers, _numbers), min_size=3, max_size=9)


@st.composite
def _polygons(draw: st.DrawFn) -> shapely.Polygon:
    holes = draw(st.lists(_rings, max_size=2))
    return shapely.Polygon(draw(_rings), holes)


@settings(max_examples=300, deadline=None)
@given(st.lists(_polygons(), min_size=1, max_size=6))
def test_repair_loses_no_area_and_every_row_is_accounted_for(polygons: list[shapely.Polygon]) -> None:
    shapes = np.empty(len(polygons), dtype=object)
    shapes[:] = polygons
    work = Preparation("polygon", {"n": "n"}, _STAY)
    rows = list(range(1, len(polygons) + 1))
    batch = work.batch(Chunk(1, shapes, {"n": rows}))

    made = shapely.from_wkb(np.array(batch.wkb, dtype=object))
    assert shapely.is_valid(made).all()
    assert set(shapely.get_type_id(made).tolist()) <= {3, 6}
    assert sorted([*batch.columns["n"], *(note.row for note in work.rejected)]) == rows
    expected = shapely.area(shapely.make_valid(shapes))
    kept = dict(zip(batch.columns["n"], shapely.area(made), strict=True))
    for row, area in zip(rows, expected, strict=True):
        assert abs(kept.get(row, 0.0) - area) <= 1e-9 * max(area, 1.0)
    touched = {note.row for note in work.repaired}
    for row, shape in zip(rows, polygons, strict=True):
        if row in kept:
            assert (row in touched) == (not shape.is_valid)


def test_numbers_that_are_none_and_places_off_the_map_are_rejected() -> None:
    with np.errstate(invalid="ignore"):
        broken = shapely.Polygon([(0, 0), (1, 0), (1, np.nan)])
    shapes = np.array(
        [
            broken,
            shapely.box(119, 26, 120, 27),
            shapely.box(119, 95, 120, 99),
            None,
            b"no geometry",
        ],
        dtype=object,
    )
    work = Preparation("polygon", {}, transformer("EPSG:4490", "EPSG:4549"))
    assert len(work.batch(Chunk(11, shapes))) == 1
    assert [(note.row, note.reason) for note in work.rejected] == [
        (11, "import.not_a_number"),
        (13, "import.not_transformable"),
        (14, "import.no_geometry"),
        (15, "import.broken_geometry"),
    ]


def test_heights_stay_with_their_points() -> None:
    shapes = np.array([shapely.Point(119.5, 26.5, 12.5), shapely.Point(119.5, 26.5)], dtype=object)
    work = Preparation("point", {}, transformer("EPSG:4490", "EPSG:4549"))
    made = shapely.from_wkb(np.array(work.batch(Chunk(1, shapes)).wkb, dtype=object))
    assert shapely.get_z(made).tolist()[0] == 12.5
    assert shapely.get_x(made[0]) == shapely.get_x(made[1])
