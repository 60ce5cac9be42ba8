"""What stands where in the town: a land class (GB 50137) for each parcel, schools and stations at their spacing."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import shapely

from sample_projects.blocks import Parcel
from sample_projects.roads import Network
from sample_projects.terrain import Terrain

#: Per unit: what a block mainly is, and how often.
BLOCK_MIX = {
    "A": {"B1": 0.2, "B2": 0.3, "R2": 0.4, "A2": 0.05, "A1": 0.05},
    "B": {"R2": 0.86, "B1": 0.14},
    "C": {"A31": 0.2, "A35": 0.12, "R2": 0.61, "B1": 0.07},
    "D": {"B2": 0.2, "B1": 0.13, "R2": 0.64, "B3": 0.03},
    "E": {"R2": 0.88, "B1": 0.12},
    "F": {"M1": 0.62, "M2": 0.28, "W1": 0.06, "R2": 0.04},
    "G": {"W1": 0.24, "M1": 0.62, "M2": 0.06, "R2": 0.06, "B1": 0.02},
}
#: Beside the main class of its block a parcel may be one of these.
SIDE_MIX = {
    "R2": {"R2": 0.78, "B1": 0.1, "G1": 0.09, "S42": 0.01, "R1": 0.02},
    "B1": {"B1": 0.66, "B2": 0.1, "R2": 0.12, "G1": 0.06, "G3": 0.03, "S42": 0.03},
    "B2": {"B2": 0.68, "B1": 0.14, "R2": 0.06, "G1": 0.06, "G3": 0.04, "S42": 0.02},
    "B3": {"B3": 0.7, "B1": 0.2, "G1": 0.1},
    "A2": {"A2": 0.6, "G3": 0.2, "B1": 0.2},
    "A1": {"A1": 0.7, "G3": 0.15, "B2": 0.15},
    "A31": {"A31": 0.93, "G1": 0.07},
    "A35": {"A35": 0.74, "B2": 0.12, "G1": 0.08, "R2": 0.06},
    "M1": {"M1": 0.86, "W1": 0.05, "G2": 0.05, "B1": 0.02, "U12": 0.02},
    "M2": {"M2": 0.88, "W1": 0.05, "G2": 0.07},
    "W1": {"W1": 0.88, "G2": 0.06, "S42": 0.06},
}
#: Facilities: class, number, parcel size (m²), distance from the next of its kind (m), units, replaced classes.
FACILITIES = (
    ("A33", 22, (15000, 60000), 620, "ABCDE", ("R2",)),
    ("A5", 4, (11000, 60000), 1500, "ABCDE", ("R2", "B1", "B2")),
    ("A4", 3, (11000, 90000), 1600, "ABCDE", ("R2", "B1")),
    ("A2", 5, (6000, 60000), 600, "ACDE", ("R2", "B1", "B2", "A31")),
    ("A1", 6, (4000, 60000), 700, "ABCDE", ("R2", "B1", "B2")),
    ("A6", 6, (3000, 40000), 900, "ABCDE", ("R2",)),
    ("R22", 34, (2400, 9500), 380, "ABCDE", ("R2", "B1")),
    ("U12", 9, (1500, 9000), 1100, "ABCDEFG", ("R2", "M1", "B1", "W1")),
    ("U31", 5, (2000, 10000), 1500, "ABCDEFG", ("R2", "M1", "B1", "W1")),
    ("U22", 8, (1200, 6000), 1000, "ABCDEFG", ("R2", "M1", "W1")),
    ("U11", 1, (14000, 80000), 2000, "B", ("R2",)),
    ("U21", 1, (20000, 120000), 2000, "G", ("M1", "W1", "M2")),
    ("S41", 6, (3000, 16000), 1100, "ABCDEG", ("R2", "B1", "M1")),
    ("S42", 10, (1500, 6000), 600, "ABCDE", ("R2", "B1")),
    ("B41", 8, (1500, 5500), 1000, "ABCDEFG", ("R2", "B1", "M1", "W1")),
    ("G1", 30, (3000, 16000), 420, "ABCDE", ("R2", "B1")),
)


def assign(seed: int, parcels: list[Parcel], terrain: Terrain, network: Network) -> None:
    """Give every parcel its class (GB 50137) in place."""
    rng = np.random.default_rng([seed, 4])
    blocks: dict[int, list[Parcel]] = defaultdict(list)
    motorway = network.named("滨海高速").centreline
    for parcel in parcels:
        if parcel.kind == "road":
            parcel.code = "H22" if parcel.name == "滨海高速" else "S1"
        elif parcel.kind == "water":
            parcel.code = "E1"
        elif parcel.kind == "green":
            parcel.code = "G2" if parcel.name == "防护" or parcel.geometry.distance(motorway) < 90 else "G1"
        else:
            blocks[parcel.block].append(parcel)
    for number in sorted(blocks):
        members = blocks[number]
        main = _draw(rng, BLOCK_MIX[members[0].unit])
        main = _by_place(main, members, terrain)
        for parcel in members:
            parcel.code = _draw(rng, SIDE_MIX.get(main, {main: 1.0}))
            if parcel.geometry.buffer(-17).is_empty:
                parcel.code = "G1" if parcel.unit in "ABCDE" else "G2"
    _facilities(rng, parcels)


def _draw(rng: np.random.Generator, mix: dict[str, float]) -> str:
    share = np.array(list(mix.values()))
    return list(mix)[int(rng.choice(len(share), p=share / share.sum()))]


def _by_place(main: str, members: list[Parcel], terrain: Terrain) -> str:
    """Correct the draw by the place: culture and offices at the lake, no works on the river front."""
    shape = shapely.union_all([m.geometry for m in members])
    if shape.distance(terrain.lake) < 110:
        return {"R2": "A2", "B1": "B1"}.get(main, main)
    if main in ("M1", "M2", "W1") and shape.distance(terrain.river) < 330:
        return "R2" if members[0].unit != "G" else "B2"
    if main == "A31" and shape.distance(terrain.lake) < 900:
        return "R2"
    return main


def _facilities(rng: np.random.Generator, parcels: list[Parcel]) -> None:
    """Place public facilities at their spacing, in the order in which a planner would."""
    order = rng.permutation(len(parcels))
    taken: set[int] = set()
    for code, number, (least, most), apart, units, instead in FACILITIES:
        placed: list[tuple[float, float]] = []
        for k in order:
            parcel = parcels[k]
            if len(placed) == number:
                break
            if k in taken or parcel.kind != "block" or parcel.unit not in units or parcel.code not in instead:
                continue
            if not least <= parcel.geometry.area <= most:
                continue
            x, y = parcel.centre
            if any(np.hypot(x - px, y - py) < apart for px, py in placed):
                continue
            parcel.code = code
            placed.append((x, y))
            taken.add(int(k))


def number_parcels(parcels: list[Parcel]) -> None:
    """Numbers like BH-A-03-12: unit, district within the unit, parcel within the district (in place)."""
    districts: dict[str, list[int]] = defaultdict(list)
    count: dict[tuple[str, int], int] = defaultdict(int)
    block = [p for p in parcels if p.kind in ("block", "green")]
    for parcel in block:
        if parcel.district not in districts[parcel.unit]:
            districts[parcel.unit].append(parcel.district)
    ranks = {unit: {d: n for n, d in enumerate(sorted(found), start=1)} for unit, found in districts.items()}
    for parcel in sorted(block, key=lambda p: (p.unit, p.district, -round(p.centre[1] / 60), p.centre[0])):
        rank = ranks[parcel.unit][parcel.district]
        count[parcel.unit, rank] += 1
        parcel.number = f"BH-{parcel.unit}-{rank:02d}-{count[parcel.unit, rank]:02d}"
