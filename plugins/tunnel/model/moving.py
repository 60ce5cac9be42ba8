"""How coordinates of a source get into a project."""

from __future__ import annotations

from planner_app.domain.crs import SETTING, CityTransform, Transformation, parse_crs, transformer
from planner_app.plugin_api.model import Project


def into_project(crs: str, project: Project) -> Transformation:
    """From a CRS to the project's, through the city's own parameters where the project keeps some for it.

    Raises:
        PlannerError: ``crs.unknown``, ``crs.ballpark``, ``crs.city_other``.
    """
    city: CityTransform | None = None
    if kept := project.setting(SETTING):
        stored = CityTransform.from_json(kept)
        if parse_crs(stored.source).equals(parse_crs(crs), ignore_axis_order=True):
            city = stored
    return transformer(crs, project.crs, city)
