"""Planning conditions of a parcel by its class, within the limits of GB 50180-2018 Table 4.0.2 for housing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_projects.blocks import Parcel


@dataclass(frozen=True, slots=True)
class Conditions:
    """Limits of the detailed zoning. Density and green ratio in per cent, lengths in metres."""

    far_max: float
    far_min: float
    density_max: float
    green_min: float
    height_max: float
    setback: float
    parking: str


#: Housing: FAR up to, density ≤ %, green ≥ %, height ≤ m (climate zones Ⅲ–Ⅴ).
_HOUSING = (
    (1.2, 40.0, 30.0, 18.0),
    (1.6, 30.0, 30.0, 27.0),
    (2.1, 28.0, 30.0, 36.0),
    (2.8, 22.0, 35.0, 54.0),
    (3.1, 22.0, 35.0, 80.0),
)
#: Others: FAR max choices, FAR min, density, green, height, setback, parking.
_OTHER: dict[str, tuple[tuple[float, ...], float, float, float, float, float, str]] = {
    "B1": ((1.8, 2.5, 3.0), 0.0, 45.0, 20.0, 60.0, 10.0, "1.0 车位/100 m²"),
    "B2": ((3.0, 3.5, 4.5, 5.5), 0.0, 40.0, 25.0, 120.0, 12.0, "1.0 车位/100 m²"),
    "B3": ((1.2, 1.5), 0.0, 40.0, 30.0, 30.0, 10.0, "0.8 车位/100 m²"),
    "B41": ((0.4,), 0.0, 30.0, 20.0, 12.0, 8.0, "—"),
    "A1": ((1.8, 2.2), 0.0, 30.0, 35.0, 45.0, 12.0, "0.8 车位/100 m²"),
    "A2": ((1.0, 1.4), 0.0, 35.0, 30.0, 30.0, 12.0, "0.6 车位/100 m²"),
    "A31": ((0.9, 1.1), 0.0, 25.0, 40.0, 45.0, 12.0, "0.3 车位/100 m²"),
    "A33": ((0.8, 0.9), 0.0, 25.0, 35.0, 24.0, 10.0, "3 车位/100 名学生"),
    "A35": ((1.6, 2.0), 0.0, 35.0, 30.0, 50.0, 10.0, "0.8 车位/100 m²"),
    "A4": ((0.6, 0.8), 0.0, 35.0, 35.0, 30.0, 12.0, "3 车位/100 座"),
    "A5": ((1.8, 2.2), 0.0, 30.0, 35.0, 60.0, 12.0, "0.8 车位/床"),
    "A6": ((1.2,), 0.0, 30.0, 35.0, 24.0, 8.0, "0.3 车位/床"),
    "R22": ((0.8,), 0.0, 30.0, 35.0, 15.0, 8.0, "2 车位/班"),
    "M1": ((2.0, 2.5), 1.2, 50.0, 10.0, 40.0, 10.0, "0.3 车位/100 m²"),
    "M2": ((1.6, 2.0), 1.0, 50.0, 10.0, 30.0, 12.0, "0.3 车位/100 m²"),
    "W1": ((1.5, 2.0), 0.8, 50.0, 10.0, 30.0, 12.0, "0.2 车位/100 m²"),
    "S41": ((0.6,), 0.0, 35.0, 20.0, 15.0, 8.0, "—"),
    "S42": ((1.0,), 0.0, 60.0, 10.0, 18.0, 5.0, "—"),
    "U11": ((0.6,), 0.0, 35.0, 30.0, 18.0, 10.0, "—"),
    "U12": ((0.8,), 0.0, 40.0, 20.0, 18.0, 8.0, "—"),
    "U21": ((0.5,), 0.0, 35.0, 30.0, 18.0, 12.0, "—"),
    "U22": ((0.6,), 0.0, 40.0, 30.0, 12.0, 6.0, "—"),
    "U31": ((1.0,), 0.0, 40.0, 20.0, 24.0, 8.0, "—"),
    "G1": ((0.05,), 0.0, 3.0, 75.0, 9.0, 5.0, "—"),
    "G2": ((0.0,), 0.0, 0.0, 90.0, 0.0, 0.0, "—"),
    "G3": ((0.1,), 0.0, 5.0, 35.0, 9.0, 5.0, "—"),
}  # fmt: skip


def conditions(rng: np.random.Generator, parcel: Parcel) -> Conditions:
    """Conditions for a parcel; denser about the lake and the bay, lower beside hills and on the south bank."""
    if parcel.code in ("R1", "R2"):
        if parcel.code == "R1":
            level = 0
        else:
            weights = {"A": (0, 1, 3, 5, 3), "D": (0, 1, 3, 5, 2), "B": (0, 2, 5, 4, 0), "C": (0, 3, 5, 3, 0)}
            share = np.array(weights.get(parcel.unit, (0, 4, 5, 2, 0)), float)
            level = int(rng.choice(5, p=share / share.sum()))
        far, density, green, height = _HOUSING[level]
        far = round(far - float(rng.choice([0, 0, 0.1, 0.2])), 2)
        return Conditions(far, 0.0, density, green, height, 8.0 if level < 3 else 10.0, "1.0 车位/户")
    fars, far_min, density, green, height, setback, parking = _OTHER[parcel.code]
    far = float(rng.choice(fars))
    if parcel.code == "B2":
        height = 60.0 if far < 3.2 else 100.0 if far < 4 else 150.0
    return Conditions(far, far_min, density, green, height, setback, parking)
