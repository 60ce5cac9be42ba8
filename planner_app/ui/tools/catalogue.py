"""The application's own tools: how they stand in the toolbar and how they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from planner_app.i18n import tr
from planner_app.ui.tools.draw_polygon import DrawPolygonTool
from planner_app.ui.tools.edit_vertices import EditVerticesTool
from planner_app.ui.tools.identify import IdentifyTool
from planner_app.ui.tools.measure import MeasureTool
from planner_app.ui.tools.navigate import PanTool, SelectTool, ZoomBoxTool
from planner_app.ui.tools.tool import Tool, ToolInfo

if TYPE_CHECKING:
    from planner_app.ui.canvas.map_canvas import MapCanvas

DEFAULT = "pan"


def own_tools() -> list[tuple[ToolInfo, Callable[[MapCanvas], Tool]]]:
    """(info, maker) in toolbar order; titles in the language in use."""
    return [
        (ToolInfo("pan", tr("Move the map"), "move", "H"), PanTool),
        (ToolInfo("select", tr("Select"), "mouse-pointer-2", "V"), SelectTool),
        (ToolInfo("identify", tr("What is here"), "info", "I"), IdentifyTool),
        (ToolInfo("zoom_box", tr("Zoom to a box"), "zoom-in", "Z"), ZoomBoxTool),
        (ToolInfo("measure_length", tr("Measure a length"), "ruler", "L", "measure"), _length),
        (ToolInfo("measure_area", tr("Measure an area"), "pentagon", "A", "measure"), _area),
        (ToolInfo("draw_polygon", tr("Draw a polygon"), "square-pen", "P", "edit"), DrawPolygonTool),
        (ToolInfo("edit_vertices", tr("Edit vertices"), "waypoints", "E", "edit"), EditVerticesTool),
    ]


def _length(canvas: MapCanvas) -> Tool:
    return MeasureTool(canvas, area=False)


def _area(canvas: MapCanvas) -> Tool:
    return MeasureTool(canvas, area=True)
