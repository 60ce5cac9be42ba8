"""The drawing itself on the screen: above the map, beside it as a sheet, with marks and comparisons of revisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt

from planner_app.plugin_api.ui import PanelContext

if TYPE_CHECKING:
    from plugins.review.ui.sheet.sheets import Sheets
    from plugins.review.ui.state import ReviewState


#: (id, title, icon) of what the palette offers for the drawing on the screen.
ACTIONS = (
    ("sheet", "The sheet beside the map", "panel-right"),
    ("on_map", "The drawing above the map", "eye"),
    ("sheet_layers", "Layers of the drawing", "layers"),
    ("markup", "Mark up", "square-pen"),
)


def install(context: PanelContext, state: ReviewState) -> Sheets:
    """Put the drawing of ``state`` above the map and its bar over it; asking again gives what is there."""
    from plugins.review.ui.sheet.sheets import Sheets

    found: QObject | None = state.findChild(Sheets, options=Qt.FindChildOption.FindDirectChildrenOnly)
    return found if isinstance(found, Sheets) else Sheets(context, state)
