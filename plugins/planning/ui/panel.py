"""The planner's task panel: two tasks, one of them open."""

from __future__ import annotations

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import TabbedPages
from plugins.planning.ui.conflict_page import ConflictPage
from plugins.planning.ui.site_page import SitePage


class PlanningPanel(TabbedPages):
    """Conflict check and site check."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(
            [(tr("Conflict check"), lambda: ConflictPage(context)), (tr("Site check"), lambda: SitePage(context))]
        )
        self.open(0)
