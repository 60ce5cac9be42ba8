"""Two believable plans of one city district that disagree, for benches: seeded, clean, any size.

Plan ``a`` (urban master plan): blocks cut by roads, parcels in the blocks, some with an enclave, some with a sliver.
Plan ``b`` (land-resource plan): the countryside's irregular parcels with ponds, and, in a part of the town, the blocks
of ``a`` drawn over again: two of five vertices exactly kept, the others moved by up to 0.3 m, half of the blocks with
other parcels. Both cover the same rectangle exactly once (before the enclaves' outlines no two polygons overlap).

Everything is laid out straight, given vertices every few metres, then bent by a displacement whose slope stays below 1,
so that nothing crosses and neighbours keep sharing their vertices.

    python -m tests.bench.plans --count 20000 --out FOLDER
    python -m tests.bench.plans --revise REAL_LAYER --out FOLDER
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Geometries = NDArray[np.object_]
Rng = np.random.Generator
Rectangle = tuple[int, int, int, int]

ORIGIN = np.array([500_000.0, 3_400_000.0])
EPSG = 4549
STEP = 20.0  #: lattice of the layout in metres
PARCEL = 1e4  #: mean parcel in m²

CLASSES_A = ["R", "A", "B", "M", "W", "U", "G", "E1", "E2", "S"]
CLASSES_B = ["PBF", "CROP", "ORCH", "FOREST", "ECO", "GRASS", "TOWN", "VILL", "TRANS", "WATER"]
#: Conflicts as rectangles of the class matrix: construction on protected land, and farmland in the town.
CONFLICTS = [(["R", "A", "B", "M", "W", "U", "S"], ["PBF", "ECO", "FOREST", "WATER"]), (["E2"], ["TOWN"])]


@dataclass(frozen=True)
class Plan:
    """Polygons and the class number of each."""

    geoms: Geometries
    classes: NDArray[np.int64]


def conflict_matrix() -> NDArray[np.bool_]:
    """Which class pairs are conflicts, shape (classes of a, classes of b)."""
    matrix = np.zeros((len(CLASSES_A), len(CLASSES_B)), dtype=bool)
    for first, second in CONFLICTS:
        rows, columns = [CLASSES_A.index(name) for name in first], [CLASSES_B.index(name) for name in second]
        matrix[np.ix_(rows, columns)] = True
    return matrix


def make(count: int, seed: int = 7) -> tuple[Plan, Plan]:
    """Both plans, each of about ``count`` polygons."""
    rng = np.random.default_rng(seed)
    side = round(np.sqrt(count * PARCEL) / STEP)
    bend = _bend(side * STEP, rng)
    blocks, roads = _cut(side, rng)
    target = 1.15 * PARCEL / STEP**2
    parcels = [_divide(block, target, rng) for block in blocks]

    town = [rectangle for group in parcels for rectangle in group]
    geoms_a = _with_slivers(_with_enclaves(_polygons(town + roads, bend), 0.03, 0.28, rng), rng)

    redrawn = [k for k, block in enumerate(blocks) if block[0] < 0.45 * side and block[1] > 0.35 * side]
    same = [parcels[k] if rng.random() < 0.5 else _divide(blocks[k], target, rng) for k in redrawn]
    again = _polygons([rectangle for group in same for rectangle in group], _redrawn(bend, side * STEP, seed))
    countryside = _cells(side * STEP, count - len(again), len(again) * PARCEL / (side * STEP) ** 2, rng, bend)
    outside = _outside(countryside, again)
    geoms_b = np.concatenate([_with_enclaves(outside, 0.03, 0.2, rng), again])

    field_a, field_b = _waves(rng, 3_500, 6), _waves(rng, 2_500, 6)
    classes_a = _classes(geoms_a, field_a, len(CLASSES_A) - 1, rng)
    classes_a[len(town) : len(town) + len(roads)] = CLASSES_A.index("S")
    classes_b = _classes(geoms_b, lambda xy: 0.55 * field_a(xy) + 0.6 * field_b(xy), len(CLASSES_B), rng)
    return _shuffled(geoms_a, classes_a, rng), _shuffled(geoms_b, classes_b, rng)


def _shuffled(geoms: Geometries, classes: NDArray[np.int64], rng: Rng) -> Plan:
    """In the order of no map: files of real plans are not sorted by place either."""
    order = rng.permutation(len(geoms))
    return Plan(geoms[order], classes[order])


def _waves(rng: Rng, length: float, count: int) -> Callable[[Floats], Floats]:
    """A smooth field of about −1 … 1: a few plane waves of about that length in metres."""
    angle, phase = rng.uniform(0, 2 * np.pi, count), rng.uniform(0, 2 * np.pi, count)
    vector = (
        np.column_stack([np.cos(angle), np.sin(angle)]) * (2 * np.pi / (length * rng.uniform(0.6, 1.8, count)))[:, None]
    )
    return lambda xy: np.asarray(np.sin(xy @ vector.T + phase).mean(axis=1) * 1.6)


def _bend(size: float, rng: Rng) -> Callable[[Floats], Floats]:
    """The displacement that makes straight lines believable; none on the district's border."""
    scales = [(4_000.0, 60.0), (400.0, 5.0), (60.0, 1.2)]
    fields = [(amplitude, _waves(rng, length, 6), _waves(rng, length, 6)) for length, amplitude in scales]

    def bend(xy: Floats) -> Floats:
        inset = np.minimum(xy, size - xy).min(axis=1)
        calm = np.clip(inset / 600.0, 0.0, 1.0)[:, None]
        shift = sum(amplitude * np.column_stack([x(xy), y(xy)]) for amplitude, x, y in fields)
        return np.asarray(xy + calm * shift + ORIGIN)

    return bend


def _redrawn(bend: Callable[[Floats], Floats], size: float, seed: int) -> Callable[[Floats], Floats]:
    """The same bend, drawn by another hand: three of five vertices are moved by up to 0.3 m, wherever they are used."""

    def redrawn(xy: Floats) -> Floats:
        node = np.round(xy / STEP).astype(np.int64)
        mixed = (node[:, 0] * 73_856_093) ^ (node[:, 1] * 19_349_663) ^ (seed * 83_492_791)
        draws = np.column_stack([(mixed * prime >> 17 & 0xFFFF) / 65_536 for prime in (2_654_435_761, 40_503, 97_787)])
        inner = (xy.min(axis=1) > 0) & (xy.max(axis=1) < size)
        moves = inner & (draws[:, 0] < 0.6)
        return np.asarray(bend(xy) + moves[:, None] * 0.6 * (draws[:, 1:] - 0.5))

    return redrawn


def _cut(side: int, rng: Rng) -> tuple[list[Rectangle], list[Rectangle]]:
    """Cut the district into blocks by roads, wide ones first; lattice units."""
    blocks, roads = [], []
    stack = [(0, 0, side, side, 0)]
    while stack:
        x0, y0, x1, y1, depth = stack.pop()
        width, height = x1 - x0, y1 - y0
        if width * height <= 400 * rng.uniform(0.6, 1.6) or min(width, height) < 8:
            blocks.append((x0, y0, x1, y1))
            continue
        road = 2 if depth < 6 else 1
        if width > height * rng.uniform(0.7, 1.4):
            at = int(x0 + width * rng.uniform(0.35, 0.65))
            roads.append((at, y0, at + road, y1))
            stack += [(x0, y0, at, y1, depth + 1), (at + road, y0, x1, y1, depth + 1)]
        else:
            at = int(y0 + height * rng.uniform(0.35, 0.65))
            roads.append((x0, at, x1, at + road))
            stack += [(x0, y0, x1, at, depth + 1), (x0, at + road, x1, y1, depth + 1)]
    return blocks, roads


def _divide(block: Rectangle, target: float, rng: Rng) -> list[Rectangle]:
    """Cut a block into parcels of about ``target`` lattice cells."""
    parcels, stack = [], [block]
    while stack:
        x0, y0, x1, y1 = stack.pop()
        width, height = x1 - x0, y1 - y0
        if width * height <= target * rng.lognormal(0, 0.45) or max(width, height) < 4:
            parcels.append((x0, y0, x1, y1))
        elif width >= height:
            at = x0 + int(np.clip(width * rng.uniform(0.3, 0.7), 2, width - 2))
            stack += [(x0, y0, at, y1), (at, y0, x1, y1)]
        else:
            at = y0 + int(np.clip(height * rng.uniform(0.3, 0.7), 2, height - 2))
            stack += [(x0, y0, x1, at), (x0, at, x1, y1)]
    return parcels


def _polygons(rectangles: list[Rectangle], bend: Callable[[Floats], Floats]) -> Geometries:
    """Rectangles with a vertex at every lattice node, bent."""
    rings = [_ring(rectangle) for rectangle in rectangles]
    xy = bend(np.concatenate(rings) * STEP)
    return np.asarray(
        shapely.polygons(shapely.linearrings(xy, indices=np.repeat(np.arange(len(rings)), list(map(len, rings)))))
    )


def _ring(rectangle: Rectangle) -> Floats:
    x0, y0, x1, y1 = rectangle
    across, up = np.arange(x0, x1), np.arange(y0, y1)
    x = np.concatenate([across, np.full(len(up), x1), across[::-1] + 1, np.full(len(up), x0), [x0]])
    y = np.concatenate([np.full(len(across), y0), up, np.full(len(across), y1), up[::-1] + 1, [y0]])
    return np.column_stack([x, y]).astype(np.float64)


def _with_enclaves(geoms: Geometries, share: float, size: float, rng: Rng) -> Geometries:
    """Give a share of the polygons a hole with a polygon of its own in it (the new ones stand at the end)."""
    result, enclaves = geoms.copy(), []
    for k in np.flatnonzero(rng.random(len(geoms)) < share):
        x, y = shapely.get_coordinates(shapely.point_on_surface(geoms[k]))[0]
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(6, 24))))
        radius = size * np.sqrt(geoms[k].area) * rng.uniform(0.5, 1, len(angle))
        enclave = shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))
        if enclave.is_valid and enclave.area > 20 and geoms[k].contains_properly(enclave):
            result[k] = shapely.difference(geoms[k], enclave)
            enclaves.append(enclave)
    return np.concatenate([result, np.array(enclaves, dtype=object)])


def _with_slivers(geoms: Geometries, rng: Rng, share: float = 0.006) -> Geometries:
    """Split a strip of 5 … 50 cm off the side of a share of the polygons."""
    result, slivers = geoms.copy(), []
    for k in np.flatnonzero(rng.random(len(geoms)) < share):
        pushed = shapely.transform(geoms[k], lambda xy: xy + np.array([0.0, rng.uniform(0.05, 0.5)]))
        main = shapely.intersection(geoms[k], pushed)
        strips = shapely.get_parts(shapely.difference(geoms[k], pushed))
        if main.geom_type == "Polygon" and (shapely.get_type_id(strips) == shapely.GeometryType.POLYGON).all():
            result[k] = main
            slivers.extend(strips)
    return np.concatenate([result, np.array(slivers, dtype=object)])


def _cells(size: float, count: int, covered: float, rng: Rng, bend: Callable[[Floats], Floats]) -> Geometries:
    """Irregular parcels (Voronoi cells of a jittered grid) everywhere, about ``count`` of them outside the town."""
    along = max(4, round(np.sqrt(count / max(0.1, 1 - covered))))
    grid = np.stack(np.meshgrid(np.arange(along), np.arange(along)), axis=-1).reshape(-1, 2) + 0.5
    points = (grid + rng.uniform(-0.45, 0.45, grid.shape)) * (size / along)
    district = shapely.box(0, 0, size, size)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=district))
    border = ~shapely.contains_properly(district, cells)
    cells[border] = shapely.intersection(cells[border], district)
    # Vertices every 12 m, counted from the cell's corners, so that neighbours have the same ones.
    cells = shapely.segmentize(cells, 12.0)
    rough = _waves(rng, 25.0, 8), _waves(rng, 25.0, 8)

    def crumple(xy: Floats) -> Floats:
        calm = np.clip(np.minimum(xy, size - xy).min(axis=1) / 50.0, 0.0, 1.0)[:, None]
        return bend(np.clip(xy + calm * 0.8 * np.column_stack([wave(xy) for wave in rough]), 0.0, size))

    return np.asarray(shapely.transform(cells, crumple))


def _outside(cells: Geometries, town: Geometries) -> Geometries:
    """The cells without what the redrawn town covers, as single polygons."""
    i, j = shapely.STRtree(town).query(cells, predicate="intersects")
    touched, first = np.unique(i, return_index=True)
    covers = [shapely.union_all(town[part]) for part in np.split(j, first[1:])]
    cut = shapely.get_parts(shapely.difference(cells[touched], covers))
    cut = cut[(shapely.get_type_id(cut) == shapely.GeometryType.POLYGON) & (shapely.area(cut) > 1e-6)]
    return np.concatenate([np.delete(cells, touched), cut])


def _classes(geoms: Geometries, field: Callable[[Floats], Floats], count: int, rng: Rng) -> NDArray[np.int64]:
    """Classes in zones along a smooth field, one of eight polygons at random."""
    value = field(shapely.get_coordinates(shapely.point_on_surface(geoms)) - ORIGIN)
    classes = np.digitize(value, np.quantile(value, np.linspace(0, 1, count + 1)[1:-1]))
    odd = rng.random(len(geoms)) < 0.12
    classes[odd] = rng.integers(0, count, odd.sum())
    return classes.astype(np.int64)


def revised(source: Path, seed: int = 7) -> tuple[Plan, Plan]:
    """A real plan and its next edition: one polygon of ten drawn anew, its vertices moved by up to 0.3 m."""
    import pyogrio.raw
    import pyproj

    from planner_app.compute import repair

    rng = np.random.default_rng(seed)
    meta, _, wkb, _ = pyogrio.raw.read(source)
    to_plane = pyproj.Transformer.from_crs(meta["crs"], EPSG, always_xy=True)
    old = shapely.transform(shapely.from_wkb(wkb), lambda xy: np.column_stack(to_plane.transform(*xy.T)))
    old = repair(old).geoms
    old = old[~shapely.is_missing(old)]
    new = old.copy()
    redrawn = rng.random(len(old)) < 0.1
    # A vertex moves by what its coordinates say, so that rings stay closed and neighbours stay neighbours.
    drawn = shapely.transform(old[redrawn], lambda xy: xy + 0.3 * np.sin(97 * xy[:, ::-1]))
    drawn = shapely.buffer(drawn, 0)
    new[redrawn] = np.where(shapely.is_empty(drawn), old[redrawn], drawn)
    classes = rng.integers(0, 10, len(old))
    return Plan(old, classes), Plan(new, np.where(rng.random(len(old)) < 0.05, rng.integers(0, 10, len(old)), classes))


def write(folder: Path, plans: tuple[Plan, Plan]) -> None:
    """Write ``a.gpkg`` and ``b.gpkg`` with a text field ``class``."""
    import pyogrio.raw

    folder.mkdir(parents=True, exist_ok=True)
    for name, plan, names in zip("ab", plans, (CLASSES_A, CLASSES_B), strict=True):
        pyogrio.raw.write(
            folder / f"{name}.gpkg",
            geometry=shapely.to_wkb(_multipolygons(plan.geoms)),
            field_data=[np.array(names, dtype=object)[plan.classes]],
            fields=["class"],
            geometry_type="MultiPolygon",
            crs=f"EPSG:{EPSG}",
            layer=name,
            driver="GPKG",
        )


def _multipolygons(geoms: Geometries) -> Geometries:
    parts, index = shapely.get_parts(geoms, return_index=True)
    return np.asarray(shapely.multipolygons(parts, indices=index))


def read(folder: Path, name: str) -> Plan:
    """One plan of :func:`write`."""
    import pyogrio.raw

    _, _, wkb, (classes,) = pyogrio.raw.read(folder / f"{name}.gpkg")
    names: dict[Any, int] = {text: k for k, text in enumerate(CLASSES_A if name == "a" else CLASSES_B)}
    geoms = shapely.from_wkb(wkb)
    single = shapely.get_num_geometries(geoms) == 1
    geoms[single] = shapely.get_geometry(geoms[single], 0)
    return Plan(geoms, np.array([names[text] for text in classes], dtype=np.int64))


def main() -> None:
    """Make the plans and say what they are like."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--revise", type=Path, help="a real layer of polygons: this and its next edition instead")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    plans = revised(options.revise, options.seed) if options.revise else make(options.count, options.seed)
    write(options.out, plans)
    for name in "ab":
        geoms = read(options.out, name).geoms
        vertices = shapely.get_num_coordinates(geoms)
        print(
            f"{name}: {len(geoms)} polygons, vertices mean {vertices.mean():.1f} max {vertices.max()}, "
            f"holes {shapely.get_num_interior_rings(geoms).sum()}, invalid {(~shapely.is_valid(geoms)).sum()}, "
            f"area {shapely.area(geoms).sum():.3f}"
        )


if __name__ == "__main__":
    main()
