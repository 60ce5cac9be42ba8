"""Heavy pure computation: overlay, repair and measures on arrays of geometries. No project file, no Qt.

Import it inside functions where a window's start-up would reach it: it pulls in NumPy and shapely at once, numba at
the first overlay.
"""

from planner_app.compute.executor import default_executor
from planner_app.compute.measure import distances, explode, mean_width
from planner_app.compute.overlay import Dropped, Overlay, class_areas, overlay
from planner_app.compute.repair import Repaired, polygonal_part, repair

__all__ = [
    "Dropped",
    "Overlay",
    "Repaired",
    "class_areas",
    "default_executor",
    "distances",
    "explode",
    "mean_width",
    "overlay",
    "polygonal_part",
    "repair",
]
