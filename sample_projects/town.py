"""Makes the town from a seed: first the ground, then every table drawn on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from planner_app.domain.progress import NoProgress, Progress, SubProgress, check
from sample_projects import base_map, control_lines, plans
from sample_projects.blocks import make_parcels
from sample_projects.buildings import buildings
from sample_projects.countryside import make_countryside
from sample_projects.land_use import assign, number_parcels
from sample_projects.readings import Readings, make_readings
from sample_projects.roads import make_network
from sample_projects.tables import Table, Town
from sample_projects.terrain import make_terrain
from sample_projects.tunnel import make_tunnel

#: Drawing order, top first. What is not named here lies below in the order it was made.
ORDER = (
    "place_names", "sensor", "valve", "service_point", "equipment", "tunnel_node", "tunnel", "net_node", "net_line",
    "growth_boundary",
    "ecological_red_line", "permanent_farmland", "water_protection", "blue_line", "green_line", "yellow_line",
    "road_centrelines", "road_red_lines", "buildings", "contours", "zoning_units", "zoning_parcels", "zoning_2016",
    "forestry",
    "existing_parcels", "master_land_use", "land_use_2020", "water_bodies",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """The whole sample before it is written; ``truth`` tells what is wrong with it on purpose."""

    town: Town
    tables: list[Table]
    truth: dict[str, Any]
    readings: Readings

    def table(self, id: str) -> Table:
        """The table of that id."""
        return next(table for table in self.tables if table.id == id)


def make_ground(seed: int, progress: Progress | None = None) -> Town:
    """Terrain, roads, parcels with their classes, and the countryside.

    Raises:
        Cancelled: the person stopped it.
    """
    progress = progress or NoProgress()

    def reached(share: float) -> None:
        check(progress)
        progress.update(share, "stage.sample_ground")

    reached(0.0)
    terrain = make_terrain(seed)
    reached(0.05)
    network = make_network(seed, terrain)
    reached(0.35)
    parcels, districts = make_parcels(seed, terrain, network)
    reached(0.75)
    assign(seed, parcels, terrain, network)
    number_parcels(parcels)
    return Town(seed, terrain, network, parcels, districts, make_countryside(seed, terrain, network))


def make_sample(seed: int, progress: Progress | None = None) -> Sample:
    """Every table of the sample, in drawing order with the top one first.

    Raises:
        Cancelled: the person stopped it.
    """
    progress = progress or NoProgress()
    town = make_ground(seed, SubProgress(progress, 0.0, 0.4))
    steps: list[Callable[[Town], Table]] = [
        plans.master_plan, plans.land_use_plan, plans.zoning, plans.zoning_2016, plans.zoning_units,
        control_lines.ecological_red_line, control_lines.permanent_farmland, control_lines.growth_boundary,
        control_lines.forestry, control_lines.water_protection, control_lines.blue_line, control_lines.green_line,
        control_lines.yellow_line, base_map.road_red_lines, base_map.road_centrelines, base_map.water_bodies,
        base_map.contour_lines, base_map.cadastre, base_map.place_names, buildings,
    ]  # fmt: skip
    tables = []
    for number, step in enumerate(steps):
        check(progress)
        progress.update(0.4 + 0.5 * number / len(steps), "stage.sample_plans")
        tables.append(step(town))
    check(progress)
    progress.update(0.92, "stage.sample_tunnel")
    tunnel, truth = make_tunnel(town)
    readings, month = make_readings(town)
    tables += tunnel
    rank = {id: n for n, id in enumerate(ORDER)}
    tables.sort(key=lambda table: rank.get(table.id, len(rank)))
    progress.update(1.0)
    return Sample(town, tables, {"tunnel": truth, "readings": month}, readings)
