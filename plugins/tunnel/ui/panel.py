"""The operator's task panel: what there is, what it measures, what is looked after, what would happen."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QTimer

from planner_app.i18n import tr
from planner_app.plugin_api.ui import PanelContext
from planner_app.plugin_api.widgets import TabbedPages
from plugins.tunnel.ui import analysis, monitor, rounds, space
from plugins.tunnel.ui.analysis.page import AnalysisPage
from plugins.tunnel.ui.assets.page import AssetsPage
from plugins.tunnel.ui.monitor.page import MonitorPage
from plugins.tunnel.ui.rounds.page import RoundsPage
from plugins.tunnel.ui.state import state_of

ASSETS, MONITOR, ROUNDS, ANALYSIS = range(4)
_COMMANDS = ("assets", "monitor", "rounds", "analysis")
#: Readings are judged once the panel has had this long to come to the screen.
_LATER_MS = 800


class TunnelPanel(TabbedPages):
    """Assets, monitoring, inspection, analysis."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(
            [
                (tr("Assets"), lambda: AssetsPage(context)), (tr("Monitoring"), lambda: MonitorPage(context)),
                (tr("Inspection"), lambda: RoundsPage(context)), (tr("Analysis"), lambda: AnalysisPage(context)),
            ]
        )  # fmt: skip
        self.state = state_of(context)
        for place, name in enumerate(_COMMANDS):
            self.state.commands[name] = partial(self.open, place)
        space.install(context, self.state)
        monitor.install(context, self.state)
        rounds.install(context, self.state, self)
        analysis.install(self.state, self._analysis)
        self.open(ASSETS)
        QTimer.singleShot(_LATER_MS, self, self._follow_alarms)

    def _follow_alarms(self) -> None:
        """What stands is seen on the map and on the tab, whichever page is open."""
        live = monitor.follow(self.state)

        def count() -> None:
            standing = len(live.overview.standing)
            self.tabs.setTabText(MONITOR, f"{tr('Monitoring')} {standing}" if standing else tr("Monitoring"))

        live.changed.connect(count)
        count()

    def _analysis(self) -> AnalysisPage:
        self.open(ANALYSIS)
        page = self.pages[ANALYSIS]
        assert isinstance(page, AnalysisPage)
        return page
